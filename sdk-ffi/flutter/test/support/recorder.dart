// The tests beside this folder are for `flutter test`. They were not run where this package is built: no Flutter SDK can
// be had there. What needs no Flutter is tested in `vm/`, and is run.
import 'package:trailmark_flutter/src/backend/backend.dart';
import 'package:trailmark_flutter/src/client.dart';
import 'package:trailmark_flutter/src/exception.dart';
import 'package:trailmark_flutter/trailmark.dart';

/// A back end that writes down what it is told, where there is no native library.
final class Recorder implements Backend {
  /// The calls, in their order.
  final List<String> calls = [];

  /// A client that tells this one.
  late final TrailmarkClient client = clientOver(this);

  @override
  void screen(String name, String? properties) => calls.add('screen $name');

  @override
  void appOpened(String version, bool fromBackground) => calls.add('appOpened $version $fromBackground');

  @override
  void appBackgrounded() => calls.add('appBackgrounded');

  @override
  void captureException(CapturedError error, String? properties) =>
      calls.add('captureException ${error.thrown.single.text} ${error.handled}');

  @override
  Future<TrailmarkFlushReport> flush() async {
    calls.add('flush');
    return const TrailmarkFlushReport();
  }

  @override
  dynamic noSuchMethod(Invocation invocation) => calls.add('${invocation.memberName}');
}
