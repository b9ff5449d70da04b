/// Uncaught errors of isolates.
library;

import 'dart:isolate';

import 'zone.dart';

/// Listens for uncaught errors of an isolate, besides whatever else listens.
final class IsolateErrors {
  /// Tells [_onUncaught] of them.
  IsolateErrors(this._onUncaught);

  final OnUncaught _onUncaught;
  RawReceivePort? _port;
  Isolate? _isolate;

  /// Listens to the isolate that this runs in. Again does nothing.
  void start() {
    if (_port != null) return;
    // Listening is no reason for the process to stay.
    final port = RawReceivePort(_hear, 'trailmark errors')..keepIsolateAlive = false;
    _isolate = Isolate.current..addErrorListener(port.sendPort);
    _port = port;
  }

  /// Listens no more.
  void stop() {
    final port = _port;
    if (port == null) return;
    _port = null;
    _isolate?.removeErrorListener(port.sendPort);
    port.close();
  }

  /// An error arrives as its text and the text of its stack trace, if it has one.
  void _hear(Object? message) {
    if (message case [final String error, final String? stackTrace]) {
      _onUncaught(RemoteError(error, stackTrace ?? ''), StackTrace.fromString(stackTrace ?? ''));
    }
  }
}
