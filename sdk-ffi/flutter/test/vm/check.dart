// A runner in a screenful: package:test cannot be had where these tests run.
import 'dart:async';
import 'dart:io';

/// Longer than any of them takes on a slow machine.
const _deadline = Duration(seconds: 60);

final _failed = <String>[];
int _passed = 0;
final _clock = Stopwatch()..start();

/// Runs a test, and goes on if it fails. Its name is a sentence.
Future<void> test(String name, FutureOr<void> Function() body) async {
  final began = _clock.elapsedMilliseconds;
  try {
    await Future.sync(body).timeout(_deadline);
    _passed++;
    print('ok      $name (${_clock.elapsedMilliseconds - began} ms)');
  } catch (error, trace) {
    _failed.add(name);
    print('FAILED  $name\n$error\n$trace');
  }
}

void check(bool holds, String what) => holds ? null : throw StateError(what);

void same(Object? found, Object? expected, [String what = 'value']) =>
    check(found == expected, '$what: expected $expected\n     got $found');

/// What `body` throws, which must be a `T`.
Future<T> thrown<T extends Object>(FutureOr<void> Function() body) async {
  try {
    await body();
  } on T catch (error) {
    return error;
  }
  throw StateError('no $T was thrown');
}

/// The last line, and the exit code. The process ends by itself, once nothing keeps it.
void summary(String of) {
  print('$of: $_passed passed, ${_failed.length} failed, ${_clock.elapsedMilliseconds} ms');
  exitCode = _failed.isEmpty ? 0 : 1;
}
