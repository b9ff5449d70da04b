/// The native library: Android, iOS, macOS, Linux and Windows.
library;

import '../capture.dart';
import '../client.dart' show sdkName;
import '../exception.dart';
import '../generated/trailmark.g.dart' as native;
import '../json.dart';
import '../options.dart';
import '../report.dart';
import '../stack_trace.dart';
import 'backend.dart';

/// Opens a client of the native library.
///
/// Throws a [TrailmarkError].
Backend openBackend(String writeKey, String apiHost, TrailmarkOptions options) {
  try {
    return NativeBackend(native.Client.open(_config(writeKey, apiHost, options)));
  } on native.ConfigError catch (error) {
    throw _error(error);
  } on RangeError catch (error) {
    // A setting that is negative, or more than the library counts.
    throw TrailmarkError(TrailmarkFault.setting, '$error');
  } on native.BindingMismatch catch (error) {
    throw TrailmarkError(TrailmarkFault.library, '$error');
  }
}

/// A client of the native library.
final class NativeBackend implements Backend {
  /// What calls this client.
  NativeBackend(this._client);

  final native.Client _client;

  @override
  void track(String name, String? properties) => _client.track(name, properties: properties);

  @override
  void screen(String name, String? properties) => _client.screen(name, properties: properties);

  @override
  void identify(String userId, String? set, String? setOnce) => _client.identify(userId, set: set, setOnce: setOnce);

  @override
  void setPersonProperties(String? set, String? setOnce) => _client.set(set: set, setOnce: setOnce);

  @override
  void alias(String otherUserId) => _client.alias(otherUserId);

  @override
  void group(String type, String id, String? properties) => _client.group(type, id, properties: properties);

  @override
  void register(String properties) => _client.register(properties);

  @override
  void registerOnce(String properties) => _client.registerOnce(properties);

  @override
  void unregister(String key) => _client.unregister(key);

  @override
  void setContext(String context) => _client.setContext(context);

  @override
  void reset() => _client.reset();

  @override
  void optOut() => _client.optOut();

  @override
  void optIn() => _client.optIn();

  @override
  bool get isOptedOut => _client.isOptedOut();

  @override
  void deleteMyData() => _client.deleteMyData();

  @override
  void captureException(CapturedError error, String? properties) =>
      _client.captureException(_exception(error), properties: properties);

  @override
  void captureRequest(CapturedRequest request, String? properties) => _client.captureRequest(
    native.HttpRequest(
      method: request.method,
      url: request.url,
      status: request.status,
      durationMs: request.durationMs,
      error: request.error,
    ),
    properties: properties,
  );

  @override
  void capture(CapturedEvent event) => _client.capture(
    native.Capture(
      name: event.name,
      id: event.id,
      anonymousId: event.anonymousId,
      userId: event.userId,
      otherUserId: event.otherUserId,
      sessionId: event.sessionId,
      timestampUs: event.timestamp?.microsecondsSinceEpoch,
      properties: event.properties,
      context: event.context,
      set: event.set,
      setOnce: event.setOnce,
    ),
  );

  @override
  void appOpened(String version, bool fromBackground) => _client.appOpened(version, fromBackground);

  @override
  void appBackgrounded() => _client.appBackgrounded();

  @override
  String? get installId => _client.installId();

  @override
  String? get anonymousId => _client.anonymousId();

  @override
  String? get userId => _client.userId();

  @override
  String? get sessionId => _client.sessionId();

  @override
  Future<TrailmarkFlushReport> flush() async => _report(await _client.flush());

  @override
  TrailmarkFlushReport shutdown() => _report(_client.shutdown(0));

  @override
  Future<TrailmarkStats> stats() async => _stats(_client.stats());

  @override
  List<TrailmarkNotice> takeNotices() => [
    for (final notice in _client.takeNotices())
      TrailmarkNotice(kind: notice.kind, text: notice.text, detail: notice.detail),
  ];
}

native.Config _config(String writeKey, String apiHost, TrailmarkOptions options) => native.Config(
  url: apiHost,
  writeKey: writeKey,
  directory: options.directory,
  durability: _durability(options.durability),
  // An app begins anew within its process after a hot restart, and once more in each of its isolates.
  join: true,
  sdkName: sdkName,
  context: encodeProperties(options.context),
  anonymousId: options.anonymousId,
  installId: options.installId,
  flushAt: options.flushAt,
  flushIntervalMs: options.flushInterval?.inMilliseconds,
  maxBatchEvents: options.maxBatchEvents,
  maxQueueEvents: options.maxQueueEvents,
  maxQueueBytes: options.maxQueueBytes,
  maxAgeMs: options.maxAge?.inMilliseconds,
  sessionIdleMs: options.sessionIdle?.inMilliseconds,
  sessionMaxMs: options.sessionMax?.inMilliseconds,
  backoff: switch (options.backoff) {
    null => null,
    (:final base, :final cap) => native.Backoff(baseMs: base.inMilliseconds, capMs: cap.inMilliseconds),
  },
  requestTimeoutMs: options.requestTimeout?.inMilliseconds,
  extraRootPem: options.extraRootPem,
  proxy: options.proxy,
);

native.Durability? _durability(TrailmarkDurability? durability) => switch (durability) {
  null => null,
  DurableAgainstProcessDeath() => const native.DurabilityProcess(),
  DurableWithin(:final age) => native.DurabilityWithin(ms: age.inMilliseconds),
  DurableEveryEvent() => const native.DurabilityEveryEvent(),
};

TrailmarkError _error(native.ConfigError error) => switch (error) {
  native.ConfigErrorUrl(:final detail) => TrailmarkError(TrailmarkFault.url, detail),
  native.ConfigErrorSetting(:final detail) => TrailmarkError(TrailmarkFault.setting, detail),
  native.ConfigErrorTransport(:final detail) => TrailmarkError(TrailmarkFault.transport, detail),
  native.ConfigErrorDirectoryInUse(:final detail) => TrailmarkError(TrailmarkFault.directoryInUse, detail),
  native.ConfigErrorThread(:final detail) => TrailmarkError(TrailmarkFault.thread, detail),
};

native.CapturedException _exception(CapturedError error) => native.CapturedException(
  thrown: [for (final thrown in error.thrown) _thrown(thrown)],
  handled: error.handled,
  level: switch (error.level) {
    TrailmarkLevel.fatal => native.Level.fatal,
    TrailmarkLevel.error => native.Level.error,
    TrailmarkLevel.warning => native.Level.warning,
  },
  fingerprint: error.fingerprint,
);

native.Thrown _thrown(ThrownError thrown) => native.Thrown(
  kind: thrown.kind,
  text: thrown.text,
  frames: [for (final frame in thrown.frames) _frame(frame)],
);

native.Frame _frame(TraceFrame frame) => native.Frame(
  function: frame.function,
  file: frame.file,
  line: frame.line,
  column: frame.column,
  inApp: frame.inApp,
);

TrailmarkFlushReport _report(native.FlushReport report) =>
    TrailmarkFlushReport(delivered: report.delivered, dropped: report.dropped, pending: report.pending);

TrailmarkStats _stats(native.Stats stats) => TrailmarkStats(
  captured: stats.captured,
  delivered: stats.delivered,
  dropped: stats.dropped,
  queued: stats.queued,
  queuedBytes: stats.queuedBytes,
  attempts: stats.attempts,
  lastError: stats.lastError,
  paused: stats.paused,
  storage: switch (stats.storage) {
    native.StorageHealthMemory() => TrailmarkStorage.memory,
    native.StorageHealthSaved() => TrailmarkStorage.saved,
    native.StorageHealthFailing() => TrailmarkStorage.failing,
  },
  storageError: switch (stats.storage) {
    native.StorageHealthFailing(:final detail) => detail,
    _ => null,
  },
  optedOut: stats.optedOut,
  ignored: stats.ignored,
  truncated: stats.truncated,
  panics: stats.panics,
);
