import 'dart:async';
import 'dart:isolate';

import 'package:trailmark_flutter/src/errors/hook.dart';
import 'package:trailmark_flutter/src/errors/isolate.dart';
import 'package:trailmark_flutter/src/errors/seen.dart';
import 'package:trailmark_flutter/src/errors/zone.dart';

import '../check.dart';
import 'support.dart';

typedef _Handler = bool Function(Object error);

/// A place such as `FlutterError.onError`.
final class _Place {
  _Place([this.handler]);

  _Handler? handler;
  final List<String> heard = [];

  ChainedHook<_Handler> hook() => ChainedHook(
    read: () => handler,
    write: (next) => handler = next,
    link: (previous, isActive) => (error) {
      if (isActive()) heard.add('we: $error');
      return previous?.call(error) ?? false;
    },
  );

  _Handler others(String name, {_Handler? before}) => (error) {
    heard.add('$name: $error');
    before?.call(error);
    return true;
  };
}

final class _Mute implements Exception {
  @override
  String toString() => throw StateError('no string form');
}

/// What an isolate of its own hears of its two uncaught errors.
Future<void> _isolate(SendPort to) async {
  var heard = 0;
  final errors = IsolateErrors((error, stackTrace) {
    heard++;
    to.send(['$error', '$stackTrace']);
  })..start();
  errors.start();
  scheduleMicrotask(() => throw StateError('first'));
  await until(() => heard == 1);
  unawaited(Future(() => throw const FormatException('second')));
  await until(() => heard == 2);
  errors.stop();
  to.send(null);
}

Future<void> errors() async {
  await test('chain: ours is called and then the one before, whose answer counts', () {
    final place = _Place();
    place.handler = place.others('app');
    place.hook().install();
    expect(place.handler!('e'), true);
    expect(place.heard, ['we: e', 'app: e']);
  });

  await test('chain: without one before, nobody has handled it', () {
    final place = _Place();
    final hook = place.hook()..install();
    expect(place.handler!('e'), false);
    hook.remove();
    expect(place.handler, null);
  });

  await test('chain: twice installed is once', () {
    final place = _Place();
    place.hook()
      ..install()
      ..install();
    place.handler!('e');
    expect(place.heard, ['we: e']);
  });

  await test('chain: what was there comes back if the place is still ours', () {
    final place = _Place();
    final app = place.others('app');
    place.handler = app;
    place.hook()
      ..install()
      ..remove()
      ..remove();
    holds(identical(place.handler, app));
  });

  await test('chain: whoever chained onto ours stays, and ours only calls on', () {
    final place = _Place();
    place.handler = place.others('app');
    final hook = place.hook()..install();
    final later = place.others('later', before: place.handler);
    place.handler = later;
    hook.remove();
    holds(identical(place.handler, later));
    place.handler!('e');
    expect(place.heard, ['later: e', 'app: e']);
  });

  await test('chain: removed and installed again it is ours again', () {
    final place = _Place();
    place.hook()
      ..install()
      ..remove()
      ..install();
    place.handler!('e');
    expect(place.heard, ['we: e']);
  });

  final stackTrace = StackTrace.fromString('#0 main (a.dart:1:1)');
  final again = RemoteError('Bad state: a', '#0 main (a.dart:1:1)');

  await test('seen: the same error along two ways is one, however many came between', () {
    final seen = SeenErrors(now: () => Duration.zero);
    holds(seen.isNew(ErrorWay.flutter, StateError('a'), stackTrace));
    holds(seen.isNew(ErrorWay.flutter, StateError('b'), stackTrace));
    holds(!seen.isNew(ErrorWay.isolate, again, stackTrace));
    holds(!seen.isNew(ErrorWay.isolate, StateError('b'), stackTrace));
    final error = StateError('c');
    holds(seen.isNew(ErrorWay.zone, error, stackTrace));
    holds(!seen.isNew(ErrorWay.engine, error, null));
  });

  await test('seen: the same error five times on the same way is five', () {
    final seen = SeenErrors(now: () => Duration.zero);
    final error = StateError('a');
    expect([for (var n = 0; n < 5; n++) seen.isNew(ErrorWay.engine, error, stackTrace)], List.filled(5, true));
    expect([for (var n = 0; n < 5; n++) seen.isNew(ErrorWay.isolate, again, stackTrace)], List.filled(5, false));
    holds(seen.isNew(ErrorWay.isolate, again, stackTrace));
    final text = [for (final way in ErrorWay.values) seen.isNew(way, 'thrown text', StackTrace.fromString(way.name))];
    expect(text, [true, true, true, true]);
  });

  await test('seen: after a second it is another error, and a storm is not remembered', () {
    var now = Duration.zero;
    final seen = SeenErrors(now: () => now);
    holds(seen.isNew(ErrorWay.flutter, StateError('a'), stackTrace));
    now = const Duration(milliseconds: 1001);
    holds(seen.isNew(ErrorWay.isolate, again, stackTrace));
    for (var n = 0; n < SeenErrors.maxErrors; n++) {
      holds(seen.isNew(ErrorWay.flutter, StateError('storm $n'), stackTrace));
    }
    holds(seen.isNew(ErrorWay.engine, StateError('a'), stackTrace));
  });

  await test('seen: an error without a string form is an error', () {
    final seen = SeenErrors(now: () => Duration.zero);
    holds(seen.isNew(ErrorWay.flutter, _Mute(), stackTrace));
    holds(!seen.isNew(ErrorWay.engine, _Mute(), stackTrace));
  });

  await test('chain: whoever was there before is called, even if ours throws', () {
    expect(afterwards(() => throw StateError('ours'), () => 'theirs'), 'theirs');
    final gone = <Object>[];
    runCapturing<void>(() => throw _Mute(), (_, _) => throw StateError('ours'), (error, _) => gone.add(error));
    holds(gone.single is _Mute);
  });

  await test('isolate: its uncaught errors are heard, whole, and once', () async {
    final port = ReceivePort();
    await Isolate.spawn(_isolate, port.sendPort, errorsAreFatal: false);
    final heard = await port.takeWhile((message) => message != null).cast<List<Object?>>().toList();
    expect([for (final message in heard) message[0]], ['Bad state: first', 'FormatException: second']);
    holds('${heard.first[1]}'.contains('errors.dart'), heard);
    holds(SeenErrors().isNew(ErrorWay.isolate, heard.first[0]!, null));
  });

  await test('zone: an uncaught error is captured, and goes on to who wants it', () async {
    final (captured, gone) = (<Object>[], <Object>[]);
    final result = runCapturing(
      () {
        scheduleMicrotask(() => throw StateError('async'));
        return 7;
      },
      (error, _) => captured.add(error),
      (error, _) => gone.add(error),
    );
    await Future<void>.delayed(Duration.zero);
    expect([result, captured, gone], [7, ['Bad state: async'], ['Bad state: async']]);
  });

  await test('zone: without one who wants it, it goes to the zone around, as it would have', () {
    final (captured, around) = (<Object>[], <Object>[]);
    runZonedGuarded(() {
      final int? result = runCapturing(() => throw StateError('sync'), (error, _) => captured.add(error), null);
      expect(result, null);
    }, (error, _) => around.add(error));
    expect([captured, around], [['Bad state: sync'], ['Bad state: sync']]);
  });
}
