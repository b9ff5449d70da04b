/// Notices as a stream.
library;

import 'dart:async';

import 'report.dart';

/// Asks for notices while somebody listens.
///
/// They are asked for and not told, because a native thread that calls into Dart must not outlive its isolate, which it
/// does after a hot restart. Nobody listens, no timer runs, and an idle app is not woken.
final class NoticePoll {
  /// Asks with [take].
  NoticePoll(this._take);

  /// How often it is asked: soon enough for a person who looks at a log.
  static const Duration interval = Duration(seconds: 2);

  final List<TrailmarkNotice> Function() _take;
  late final StreamController<TrailmarkNotice> _told = StreamController.broadcast(
    onListen: _start,
    onCancel: () => _timer?.cancel(),
  );
  Timer? _timer;

  /// Notices, from now on.
  Stream<TrailmarkNotice> get stream => _told.stream;

  /// Asks now, if somebody listens.
  void poll() {
    if (_told.hasListener) _take().forEach(_told.add);
  }

  void _start() {
    _timer = Timer.periodic(interval, (_) => poll());
    // What came before the first listener; in a task of its own, because the listener is not yet listening.
    scheduleMicrotask(poll);
  }
}
