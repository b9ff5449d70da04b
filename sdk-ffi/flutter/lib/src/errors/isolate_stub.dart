/// The web, which has no isolates.
library;

import 'zone.dart';

/// Listens for nothing.
final class IsolateErrors {
  /// Tells nobody.
  IsolateErrors(OnUncaught onUncaught);

  /// Does nothing.
  void start() {}

  /// Does nothing.
  void stop() {}
}
