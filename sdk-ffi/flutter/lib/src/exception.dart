/// Errors in the form in which they cross to a back end.
library;

import 'dart:async' show AsyncError;

import 'stack_trace.dart';

/// How bad an error is.
enum TrailmarkLevel {
  /// The app ended with it.
  fatal,

  /// Something did not work.
  error,

  /// Something may not have worked.
  warning,
}

/// One error of a chain of causes.
final class ThrownError {
  /// An error of this content.
  const ThrownError({required this.kind, required this.text, this.frames = const []});

  /// Its class.
  final String kind;

  /// What it says.
  final String text;

  /// Where it was thrown, the innermost frame first.
  final List<TraceFrame> frames;
}

/// An error to be captured.
final class CapturedError {
  /// An error of this content.
  const CapturedError({required this.thrown, required this.handled, required this.level, this.fingerprint});

  /// The error, then its cause, then the cause of that.
  final List<ThrownError> thrown;

  /// Whether the app has caught it.
  final bool handled;

  /// How bad it is.
  final TrailmarkLevel level;

  /// Errors with the same one are one issue.
  final String? fingerprint;
}

/// What was thrown. Without a [stackTrace] it is the one that an [Error] carries itself, if it was thrown.
///
/// Dart's errors know no cause; only an [AsyncError] has another error in it, which is then the one that is told.
(ThrownError, String? rawTrace) describe(Object error, StackTrace? stackTrace) {
  if (error is AsyncError) return describe(error.error, error.stackTrace);
  final trace = parseStackTrace(stackTrace ?? (error is Error ? error.stackTrace : null));
  final thrown = ThrownError(kind: textOf(error.runtimeType), text: textOf(error), frames: trace.frames);
  return (thrown, trace.unparsed);
}

/// The string form of an error; one whose `toString` throws is still an error.
String textOf(Object error) {
  try {
    return error.toString();
  } catch (_) {
    return '';
  }
}
