/// Errors that nobody caught, in a Flutter app.
library;

import 'package:flutter/foundation.dart';

import '../client.dart';
import '../errors/hook.dart';
import '../errors/isolate.dart';
import '../errors/seen.dart';

/// The three ways on which such errors come: Flutter's own, the engine's for all else, and the isolate's.
final class FlutterErrors {
  /// Errors that are captured by [_client].
  FlutterErrors(this._client);

  final TrailmarkClient _client;

  late final ChainedHook<FlutterExceptionHandler> _ofFlutter = ChainedHook(
    read: () => FlutterError.onError,
    write: (handler) => FlutterError.onError = handler,
    link: (previous, isActive) => (details) {
      // Flutter itself shows silent ones to nobody.
      afterwards(() {
        if (isActive() && !details.silent) _capture(ErrorWay.flutter, details.exception, details.stack);
      }, () => previous?.call(details));
    },
  );

  late final ChainedHook<bool Function(Object error, StackTrace stackTrace)> _ofEngine = ChainedHook(
    read: () => PlatformDispatcher.instance.onError,
    write: (handler) => PlatformDispatcher.instance.onError = handler,
    link: (previous, isActive) => (error, stackTrace) {
      return afterwards(() {
        if (isActive()) _capture(ErrorWay.engine, error, stackTrace);
        // Nobody has handled it: the engine prints it, as it would have without us.
      }, () => previous?.call(error, stackTrace) ?? false);
    },
  );

  late final IsolateErrors _ofIsolate = IsolateErrors(
    (error, stackTrace) => _capture(ErrorWay.isolate, error, stackTrace),
  );

  /// Chains onto all three.
  void install() {
    _ofFlutter.install();
    _ofEngine.install();
    _ofIsolate.start();
  }

  /// Lets go of all three.
  void remove() {
    _ofFlutter.remove();
    _ofEngine.remove();
    _ofIsolate.stop();
  }

  void _capture(ErrorWay way, Object error, StackTrace? stackTrace) => captureUncaught(_client, way, error, stackTrace);
}
