/// What a client tells about itself.
library;

/// What a flush achieved.
final class TrailmarkFlushReport {
  /// A report of these numbers.
  const TrailmarkFlushReport({this.delivered = 0, this.dropped = const {}, this.pending = 0});

  /// Events that the server has on stable storage.
  final int delivered;

  /// Events lost meanwhile, by reason.
  final Map<String, int> dropped;

  /// Events still queued.
  final int pending;

  /// This report, and then another one.
  TrailmarkFlushReport and(TrailmarkFlushReport later) => TrailmarkFlushReport(
    delivered: delivered + later.delivered,
    dropped: {
      for (final reason in {...dropped.keys, ...later.dropped.keys})
        reason: (dropped[reason] ?? 0) + (later.dropped[reason] ?? 0),
    },
    pending: later.pending,
  );

  @override
  String toString() => 'TrailmarkFlushReport(delivered: $delivered, dropped: $dropped, pending: $pending)';
}

/// Where events are until they are delivered.
enum TrailmarkStorage {
  /// In memory alone: they end with the process.
  memory,

  /// In the directory: they survive the process.
  saved,

  /// In memory alone, because the directory fails. See [TrailmarkStats.storageError].
  failing,
}

/// The truth, now: `captured = delivered + dropped + queued`.
final class TrailmarkStats {
  /// Stats of these numbers.
  const TrailmarkStats({
    this.captured = 0,
    this.delivered = 0,
    this.dropped = const {},
    this.queued = 0,
    this.queuedBytes = 0,
    this.attempts = 0,
    this.lastError,
    this.paused = false,
    this.storage = TrailmarkStorage.memory,
    this.storageError,
    this.optedOut = false,
    this.ignored = 0,
    this.truncated = 0,
    this.panics = 0,
    this.kept = 0,
    this.notKept = 0,
    this.failedCalls = 0,
  });

  /// Events ever handed in, on this install.
  final int captured;

  /// Events that the server has on stable storage.
  final int delivered;

  /// Events lost, by reason: `too_large`, `shut_down`, …
  final Map<String, int> dropped;

  /// Events waiting or on their way.
  final int queued;

  /// Their size.
  final int queuedBytes;

  /// Requests sent by this process.
  final int attempts;

  /// How the latest attempt failed, for people; nothing after a success.
  final String? lastError;

  /// Whether the server refuses the key: events are kept, and it is asked again now and then.
  final bool paused;

  /// Where the events are.
  final TrailmarkStorage storage;

  /// What the directory says, while it fails.
  final String? storageError;

  /// Whether the person has opted out.
  final bool optedOut;

  /// Calls that captured nothing because of it.
  final int ignored;

  /// Strings that were too long and were cut.
  final int truncated;

  /// Panics that were caught at the border of the native library. None is known; each is a bug worth reporting.
  final int panics;

  /// Calls that wait for `init`.
  final int kept;

  /// Calls that came before `init` when no more could be kept, and events that an opt-out or a deletion dropped there.
  final int notKept;

  /// Calls that failed within this package, or that the platform does not have.
  final int failedCalls;

  /// What became of events since these [earlier] stats of the same install.
  TrailmarkFlushReport since(TrailmarkStats earlier) => TrailmarkFlushReport(
    delivered: delivered - earlier.delivered,
    dropped: {
      for (final MapEntry(key: reason, value: count) in dropped.entries)
        if (count > (earlier.dropped[reason] ?? 0)) reason: count - (earlier.dropped[reason] ?? 0),
    },
    pending: queued,
  );

  /// These stats, and what only this package knows.
  TrailmarkStats ofCalls({required int kept, required int notKept, required int failed}) => TrailmarkStats(
    captured: captured,
    delivered: delivered,
    dropped: dropped,
    queued: queued,
    queuedBytes: queuedBytes,
    attempts: attempts,
    lastError: lastError,
    paused: paused,
    storage: storage,
    storageError: storageError,
    optedOut: optedOut,
    ignored: ignored,
    truncated: truncated,
    panics: panics,
    kept: kept,
    notKept: notKept,
    failedCalls: failedCalls + failed,
  );

  @override
  String toString() =>
      'TrailmarkStats(captured: $captured, delivered: $delivered, dropped: $dropped, queued: $queued, '
      'queuedBytes: $queuedBytes, attempts: $attempts, lastError: $lastError, paused: $paused, storage: ${storage.name}, '
      'storageError: $storageError, optedOut: $optedOut, ignored: $ignored, truncated: $truncated, panics: $panics, '
      'kept: $kept, notKept: $notKept, failedCalls: $failedCalls)';
}

/// What somebody should know.
final class TrailmarkNotice {
  /// A notice of this content.
  const TrailmarkNotice({required this.kind, required this.text, this.detail});

  /// `dropped`, `refused`, `truncated`, `hook_panicked`, `storage_failing`, `storage_works` or `key_refused`. Later
  /// versions may know others.
  final String kind;

  /// The reason of what was dropped or refused, how many strings were cut, or what the storage or the server said.
  final String? detail;

  /// For people.
  final String text;

  @override
  String toString() => text;
}

/// What was wrong with an `init`.
enum TrailmarkFault {
  /// The server's address.
  url,

  /// The key or another setting.
  setting,

  /// The certificates to trust, the proxy, or TLS.
  transport,

  /// Another process has the directory.
  directoryInUse,

  /// The system refused a thread.
  thread,

  /// The native library, or the web's script, is not there.
  library,

  /// A client runs already; it was left as it is.
  alreadyRunning,
}

/// Why there is no client.
final class TrailmarkError implements Exception {
  /// An error of this kind.
  const TrailmarkError(this.fault, this.message);

  /// What was wrong.
  final TrailmarkFault fault;

  /// For people.
  final String message;

  @override
  String toString() => 'TrailmarkError(${fault.name}): $message';
}
