/// Errors that come along several ways.
library;

import '../exception.dart';

/// The ways on which an error that nobody caught is heard of.
enum ErrorWay {
  /// `FlutterError.onError`.
  flutter,

  /// `PlatformDispatcher.onError`.
  engine,

  /// The isolate's listener.
  isolate,

  /// A zone that captures.
  zone,
}

/// Remembers uncaught errors for a moment: several ways may hear of the same one. What comes again on the same way is
/// another one.
///
/// The isolate tells an error as two texts, so texts are compared, by their lengths and hashes, besides the objects.
final class SeenErrors {
  /// Remembers by the clock [now], which only goes forward.
  SeenErrors({Duration Function()? now}) : _now = now ?? _clock();

  /// How long another way may take to tell the same error: the isolate's listener hears of it in a later turn of the event
  /// loop, which a second of work may hold up.
  static const Duration memory = Duration(seconds: 1);

  /// Errors that are remembered: 64. More within a second are a storm, of which some may be captured twice.
  static const int maxErrors = 64;

  final Duration Function() _now;
  final List<_Seen> _latest = [];

  /// Whether no other way has told this error a moment ago.
  bool isNew(ErrorWay way, Object error, StackTrace? stackTrace) {
    final now = _now();
    _latest.removeWhere((seen) => now - seen.at > memory);
    final heard = _Seen(now, _objectOf(error), _printOf(textOf(error), textOf(stackTrace ?? StackTrace.empty)));
    for (final seen in _latest) {
      if (seen.isSame(heard) && seen.ways.add(way)) return false;
    }
    if (_latest.length >= maxErrors) _latest.removeAt(0);
    _latest.add(heard..ways.add(way));
    return true;
  }
}

Duration Function() _clock() {
  final watch = Stopwatch()..start();
  return () => watch.elapsed;
}

final class _Seen {
  _Seen(this.at, this.object, this.print);

  final Duration at;
  final int? object;
  final (int, int, int, int) print;
  final Set<ErrorWay> ways = {};

  bool isSame(_Seen other) => print == other.print || (object != null && object == other.object);
}

/// What tells an object from others; a value, such as a text that is thrown, may be the same one every time.
int? _objectOf(Object error) => error is String || error is num || error is bool ? null : identityHashCode(error);

(int, int, int, int) _printOf(String error, String trace) =>
    (error.length, error.hashCode, trace.length, trace.hashCode);
