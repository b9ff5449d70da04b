/// The settings of a client.
library;

/// What an event in the directory survives besides the death of the process.
sealed class TrailmarkDurability {
  const TrailmarkDurability();

  /// Nothing else: the system writes it when it likes.
  static const TrailmarkDurability process = DurableAgainstProcessDeath._();

  /// The loss of power, at once. Each event costs milliseconds.
  static const TrailmarkDurability everyEvent = DurableEveryEvent._();

  /// The loss of power, once it is so old.
  const factory TrailmarkDurability.within(Duration age) = DurableWithin;
}

/// [TrailmarkDurability.process].
final class DurableAgainstProcessDeath extends TrailmarkDurability {
  const DurableAgainstProcessDeath._();
}

/// [TrailmarkDurability.everyEvent].
final class DurableEveryEvent extends TrailmarkDurability {
  const DurableEveryEvent._();
}

/// [TrailmarkDurability.within].
final class DurableWithin extends TrailmarkDurability {
  const DurableWithin(this.age);

  /// How old.
  final Duration age;
}

/// The settings of a client. What is not said is the core's default, on every platform the same.
final class TrailmarkOptions {
  /// Settings; all of them may be left out.
  const TrailmarkOptions({
    this.directory,
    this.durability,
    this.context,
    this.anonymousId,
    this.installId,
    this.flushAt,
    this.flushInterval,
    this.maxBatchEvents,
    this.maxQueueEvents,
    this.maxQueueBytes,
    this.maxAge,
    this.sessionIdle,
    this.sessionMax,
    this.backoff,
    this.requestTimeout,
    this.extraRootPem,
    this.proxy,
  });

  /// Where events and identity survive restarts; nothing does without one. In a Flutter app it is the application
  /// support directory, unless it is said. A directory belongs to one process at a time. The web has its own place.
  final String? directory;

  /// What an event in the [directory] survives besides the death of the process.
  final TrailmarkDurability? durability;

  /// The circumstances that are written into every event.
  final Map<String, Object?>? context;

  /// The device's id at the first start; made if there is none. What the directory remembers wins.
  final String? anonymousId;

  /// The install's id at the first start; made if there is none. What the directory remembers wins.
  final String? installId;

  /// Events that make a batch worth sending at once.
  final int? flushAt;

  /// How long an event waits for company.
  final Duration? flushInterval;

  /// Most events in one request.
  final int? maxBatchEvents;

  /// Most events waiting.
  final int? maxQueueEvents;

  /// Most bytes of waiting events.
  final int? maxQueueBytes;

  /// How long an event waits at most.
  final Duration? maxAge;

  /// The pause that ends a session.
  final Duration? sessionIdle;

  /// The longest session.
  final Duration? sessionMax;

  /// The first wait after a failure, and the longest.
  final ({Duration base, Duration cap})? backoff;

  /// How long an attempt may take as a whole.
  final Duration? requestTimeout;

  /// Certificates to trust besides Mozilla's roots, as PEM. Those of the system are not looked at.
  final String? extraRootPem;

  /// The address of a proxy.
  final String? proxy;

  /// These options, with this [directory] and this [context] instead of theirs.
  TrailmarkOptions within({String? directory, Map<String, Object?>? context}) => TrailmarkOptions(
    directory: directory,
    durability: durability,
    context: context,
    anonymousId: anonymousId,
    installId: installId,
    flushAt: flushAt,
    flushInterval: flushInterval,
    maxBatchEvents: maxBatchEvents,
    maxQueueEvents: maxQueueEvents,
    maxQueueBytes: maxQueueBytes,
    maxAge: maxAge,
    sessionIdle: sessionIdle,
    sessionMax: sessionMax,
    backoff: backoff,
    requestTimeout: requestTimeout,
    extraRootPem: extraRootPem,
    proxy: proxy,
  );
}
