// What the tests of the public API have besides those of the binding.
import 'dart:async';

import '../check.dart';

/// Longer than anything takes on a slow machine.
const _deadline = Duration(seconds: 60);

/// Throws unless both have the same form.
void expect(Object? found, Object? expected) => same('$found', '$expected');

/// Throws unless it is so.
void holds(bool isSo, [Object? what]) => check(isSo, '${what ?? 'it is not so'}');

/// Waits until it is so; asks again after every turn of the event loop.
Future<void> until(FutureOr<bool> Function() isSo) async {
  final watch = Stopwatch()..start();
  while (!await isSo()) {
    if (watch.elapsed > _deadline) throw TimeoutException('it never became so');
    await Future<void>.delayed(const Duration(milliseconds: 1));
  }
}
