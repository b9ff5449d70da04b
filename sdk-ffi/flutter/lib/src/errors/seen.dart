/// Errors that come along several ways.
library;

/// Remembers the latest uncaught error: a framework's hook and the isolate's listener may both hear of it. The isolate
/// tells it as two texts, so texts are what is compared.
final class SeenErrors {
  (String, String)? _latest;

  /// Whether this is not the error that was seen last, which it is from now on.
  bool isNew(Object error, StackTrace? stackTrace) {
    final seen = ('$error', '$stackTrace');
    final isNew = seen != _latest;
    _latest = seen;
    return isNew;
  }
}
