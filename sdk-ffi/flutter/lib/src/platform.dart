/// What an app's framework adds to a client.
library;

import 'client.dart';
import 'options.dart';

/// A framework around a client: what it knows of the device, and what it tells the client. `TrailmarkFlutter` is one.
abstract interface class TrailmarkPlatform {
  /// The options of an `init`, with what the framework knows and the app has not said. It may take its time: calls are
  /// kept meanwhile.
  Future<TrailmarkOptions> complete(TrailmarkOptions options);

  /// The client runs: from now on it may be told what happens. What is told at once goes before the kept calls,
  /// but after an opt-out or a deletion that is the last word of them.
  void attach(TrailmarkClient client);

  /// The client is about to be shut down.
  void detach();
}
