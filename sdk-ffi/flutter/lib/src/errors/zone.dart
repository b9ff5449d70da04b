/// Uncaught errors of a zone.
library;

import 'dart:async';

import 'hook.dart';

/// Hears of an uncaught error.
typedef OnUncaught = void Function(Object error, StackTrace stackTrace);

/// Runs [body] in a zone whose uncaught errors are told to [capture] and then go on: to [onError], or to the zone around
/// it, where they would have gone. A synchronous error of [body] is one of them; then there is no result.
R? runCapturing<R>(R Function() body, OnUncaught capture, OnUncaught? onError) {
  final goOn = onError ?? Zone.current.handleUncaughtError;
  return runZonedGuarded(body, (error, stackTrace) {
    afterwards(() => capture(error, stackTrace), () => goOn(error, stackTrace));
  });
}
