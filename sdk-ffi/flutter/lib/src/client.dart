/// The client, as an instance.
library;

import 'dart:async';
import 'dart:developer' as developer;

import 'backend/backend.dart';
import 'backend/open.dart';
import 'capture.dart';
import 'errors/seen.dart';
import 'errors/zone.dart';
import 'exception.dart';
import 'json.dart';
import 'kept_calls.dart';
import 'notices.dart';
import 'options.dart';
import 'platform.dart';
import 'report.dart';

/// The name under which a server sees this package.
const String sdkName = 'trailmark-dart/0.1.0';

/// A client around a back end that runs already. For tests.
TrailmarkClient clientOver(Backend backend) => TrailmarkClient().._run(backend, null);

/// Captures an error that nobody caught, unless another way has told [client] of it.
void captureUncaught(TrailmarkClient client, ErrorWay way, Object error, StackTrace? stackTrace) {
  if (client._seen.isNew(way, error, stackTrace)) client.captureException(error, stackTrace, handled: false);
}

/// A client of one Trailmark server. Most apps need one, and use it through `Trailmark`.
///
/// No call throws, whatever is passed, and no future ends with an error. Calls before [init] are kept, in their order
/// and up to a limit that consent has not, and made when it opens the client; calls after [shutdown] are counted as `shut_down`. All calls but [flush] and
/// [shutdown] are done when they return: with a directory, an event is saved then.
final class TrailmarkClient {
  /// A client that is not running yet. See [init].
  TrailmarkClient();

  final KeptCalls _kept = KeptCalls();
  final SeenErrors _seen = SeenErrors();
  late final NoticePoll _notices = NoticePoll(takeNotices);
  Backend? _backend;
  TrailmarkPlatform? _platform;
  bool _isRunning = false;
  Future<bool>? _starting;
  Future<TrailmarkFlushReport>? _stopping;
  TrailmarkError? _error;
  int _failedCalls = 0;

  /// Starts the client for the server at [apiHost] (`https://analytics.example.com`; a path in front is fine) with a
  /// write key (`tm_pk_…`). The network is not touched.
  ///
  /// Whether it runs now; if not, [error] says why, and another attempt may be made. A client of the same server, key and
  /// directory that already runs in this process, in another isolate or from before a hot restart, is joined: its other
  /// settings hold, and its shutdown is the shutdown of both.
  Future<bool> init(
    String writeKey, {
    required String apiHost,
    TrailmarkOptions options = const TrailmarkOptions(),
    TrailmarkPlatform? platform,
  }) {
    if (_starting != null || (_isRunning && _stopping == null)) {
      _fail(const TrailmarkError(TrailmarkFault.alreadyRunning, 'init was called before, and its settings hold'));
      return _starting ?? Future.value(true);
    }
    return _starting = _start(writeKey, apiHost, options, platform).whenComplete(() => _starting = null);
  }

  /// Whether the client runs: after [init], until [shutdown].
  bool get isRunning => _isRunning;

  /// Why the latest [init] did not start a client.
  TrailmarkError? get error => _error;

  /// Captures an event.
  void track(String name, {Map<String, Object?>? properties}) {
    final json = encodeProperties(properties);
    _call([name, json], (backend) => backend.track(name, json));
  }

  /// Says that a screen is shown: `$screen`.
  void screen(String name, {Map<String, Object?>? properties}) {
    final json = encodeProperties(properties);
    _call([name, json], (backend) => backend.screen(name, json));
  }

  /// Says who uses the device, with person properties of which the last writer wins ([set]) and the first ([setOnce]).
  ///
  /// Another user without a [reset] between gets another anonymous id. Junk such as `null` or `0` is refused.
  void identify(String userId, {Map<String, Object?>? set, Map<String, Object?>? setOnce}) {
    final (last, first) = (encodeProperties(set), encodeProperties(setOnce));
    _call([userId, last, first], (backend) => backend.identify(userId, last, first), KeptKind.change);
  }

  /// Sets person properties.
  void setPersonProperties({Map<String, Object?>? set, Map<String, Object?>? setOnce}) {
    final (last, first) = (encodeProperties(set), encodeProperties(setOnce));
    _call([last, first], (backend) => backend.setPersonProperties(last, first));
  }

  /// Says that the current user and the other are one person.
  void alias(String otherUserId) => _call([otherUserId], (backend) => backend.alias(otherUserId));

  /// Puts the current user into a group (`company`, `acme`): one of each type, in every event from now on.
  void group(String groupType, String groupId, {Map<String, Object?>? properties}) {
    final json = encodeProperties(properties);
    _call([groupType, groupId, json], (backend) => backend.group(groupType, groupId, json), KeptKind.change);
  }

  /// Writes these properties into every event from now on, until a [reset] or another user. Those of a call win.
  void register(Map<String, Object?> properties) {
    final json = encodeProperties(properties) ?? '{}';
    _call([json], (backend) => backend.register(json), KeptKind.change);
  }

  /// [register], for those that are not registered yet.
  void registerOnce(Map<String, Object?> properties) {
    final json = encodeProperties(properties) ?? '{}';
    _call([json], (backend) => backend.registerOnce(json), KeptKind.change);
  }

  /// Takes a registered property out.
  void unregister(String key) => _call([key], (backend) => backend.unregister(key), KeptKind.change);

  /// Replaces the circumstances that are written into every event from now on.
  void setContext(Map<String, Object?> context) {
    final json = encodeProperties(context) ?? '{}';
    _call([json], (backend) => backend.setContext(json), KeptKind.change);
  }

  /// Forgets who uses the device: another anonymous id, no session, no groups, nothing registered.
  void reset() => _call(const [], (backend) => backend.reset(), KeptKind.change);

  /// The person does not want to be observed: what is queued is dropped, and nothing is captured, stored or sent, over
  /// restarts, until [optIn].
  void optOut() => _call(const [], (backend) => backend.optOut(), KeptKind.optOut);

  /// The person agrees again.
  void optIn() => _call(const [], (backend) => backend.optIn(), KeptKind.optIn);

  /// Whether the person has opted out. Before [init] nobody knows, and it says no.
  bool get isOptedOut => _read((backend) => backend.isOptedOut) ?? false;

  /// The person wants their data deleted: the device is emptied, the server is asked to erase, and nothing more is
  /// captured until [optIn].
  void deleteMyData() => _call(const [], (backend) => backend.deleteMyData(), KeptKind.deletion);

  /// Captures an error: `$exception`. Errors of one [fingerprint] are one issue; without it the server groups them. A
  /// trace of addresses alone is kept besides, up to 8,192 characters, as `$stack_trace`.
  void captureException(
    Object error,
    StackTrace? stackTrace, {
    bool handled = true,
    TrailmarkLevel level = TrailmarkLevel.error,
    String? fingerprint,
    Map<String, Object?>? properties,
  }) => _guard(null, () {
    final (thrown, rawTrace) = describe(error, stackTrace);
    final captured = CapturedError(thrown: [thrown], handled: handled, level: level, fingerprint: fingerprint);
    final json = encodeProperties(rawTrace == null ? properties : {...?properties, r'$stack_trace': rawTrace});
    final texts = [thrown.text, json, for (final frame in thrown.frames) frame.function];
    _call(texts, (backend) => backend.captureException(captured, json));
  });

  /// Captures an HTTP request that the app made, or served: `$request`. Its [url] is captured without query, fragment
  /// and user. [duration] is the time to the answer's head; [error] says why there was no answer.
  void captureRequest(
    String method,
    Uri url, {
    int? status,
    Duration? duration,
    Object? error,
    Map<String, Object?>? properties,
  }) => _guard(null, () {
    final json = encodeProperties(properties);
    final request = CapturedRequest(
      method: method,
      url: '$url',
      status: status,
      durationMs: duration == null ? null : duration.inMicroseconds / Duration.microsecondsPerMillisecond,
      error: error == null ? null : textOf(error),
    );
    _call([request.url, request.error, json], (backend) => backend.captureRequest(request, json));
  });

  /// Captures an event that says itself who and when: for servers and imports. Nothing of this device is in it, but the
  /// [context] where it has none. The same [id], a UUID, is stored once.
  void capture(
    String name, {
    String? id,
    String? anonymousId,
    String? userId,
    String? otherUserId,
    String? sessionId,
    DateTime? timestamp,
    Map<String, Object?>? properties,
    Map<String, Object?>? context,
    Map<String, Object?>? set,
    Map<String, Object?>? setOnce,
  }) {
    final event = CapturedEvent(
      name: name,
      id: id,
      anonymousId: anonymousId,
      userId: userId,
      otherUserId: otherUserId,
      sessionId: sessionId,
      timestamp: timestamp,
      properties: encodeProperties(properties),
      context: encodeProperties(context),
      set: encodeProperties(set),
      setOnce: encodeProperties(setOnce),
    );
    _call([name, event.properties, event.context, event.set, event.setOnce], (backend) => backend.capture(event));
  }

  /// The app was started in this version, or came back from the background: `$app_opened`, after `$app_installed` or
  /// `$app_updated` where it is the first time. In a Flutter app `TrailmarkFlutter` calls it.
  void appOpened(String version, {bool fromBackground = false}) =>
      _call([version], (backend) => backend.appOpened(version, fromBackground));

  /// The app went to the background, and may end at any time: `$app_backgrounded`; what is queued is sent.
  void appBackgrounded() => _call(const [], (backend) => backend.appBackgrounded());

  /// Runs [body] in a zone whose uncaught errors are captured, and then go on to [onError], or to where they would have
  /// gone.
  R? runGuarded<R>(R Function() body, {void Function(Object error, StackTrace stackTrace)? onError}) =>
      runCapturing(body, (error, stack) => captureUncaught(this, ErrorWay.zone, error, stack), onError);

  /// The install's id: the same over restarts, until the person's data is deleted. Nothing before [init].
  String? get installId => _read((backend) => backend.installId);

  /// The device's id, until a [reset]. Nothing before [init].
  String? get anonymousId => _read((backend) => backend.anonymousId);

  /// The user's id, if one is known.
  String? get userId => _read((backend) => backend.userId);

  /// The id of the session of the latest event.
  String? get sessionId => _read((backend) => backend.sessionId);

  /// Sends what is queued. The report comes when each of these events was tried once; no frame waits for it.
  Future<TrailmarkFlushReport> flush() async {
    final backend = _backend;
    if (backend == null) return TrailmarkFlushReport(pending: _kept.length);
    final report = await _guardAsync(const TrailmarkFlushReport(), backend.flush);
    _notices.poll();
    return report;
  }

  /// The truth, now.
  Future<TrailmarkStats> stats() async {
    final stats = await _guardAsync(const TrailmarkStats(), () async => await _backend?.stats() ?? const TrailmarkStats());
    return stats.ofCalls(kept: _kept.length, notKept: _kept.refused, failed: _failedCalls);
  }

  /// What somebody should know, since the last time. At most 64 wait. Those that [notices] tells are taken, too.
  List<TrailmarkNotice> takeNotices() => _read((backend) => backend.takeNotices()) ?? const [];

  /// [takeNotices] as they come: asked for after every [flush], and every [NoticePoll.interval] while somebody listens.
  Stream<TrailmarkNotice> get notices => _notices.stream;

  /// Sends what is queued, waiting at most [timeout], and ends the client. Later calls are counted as `shut_down`; what
  /// was not delivered waits in the directory for the next start. The report has all that became of events meanwhile.
  Future<TrailmarkFlushReport> shutdown({Duration? timeout}) => _stopping ??= _stop(timeout);

  Future<bool> _start(String writeKey, String apiHost, TrailmarkOptions options, TrailmarkPlatform? platform) async {
    try {
      if (_stopping case final stopping?) {
        // From now on a shutdown is one of this start, which does not join what ends.
        _stopping = null;
        await stopping;
      }
      final completed = platform == null ? options : await _completed(platform, options);
      _warnOfNoDirectory(completed, platform);
      _run(openBackend(writeKey, apiHost, completed), platform);
    } on TrailmarkError catch (error) {
      _fail(error);
    } catch (error) {
      _fail(TrailmarkError(TrailmarkFault.library, '$error'));
    }
    return _isRunning;
  }

  Future<TrailmarkFlushReport> _stop(Duration? timeout) async {
    if (_starting case final starting?) await starting;
    final backend = _backend;
    if (backend == null) {
      _stopping = null;
      return TrailmarkFlushReport(pending: _kept.length);
    }
    _isRunning = false;
    _guard(null, () => _platform?.detach());
    final before = await _guardAsync(const TrailmarkStats(), backend.stats);
    final flushed = timeout == null
        ? await flush()
        : await flush().timeout(timeout, onTimeout: () => const TrailmarkFlushReport());
    final left = _guard(const TrailmarkFlushReport(), backend.shutdown);
    final after = await _guardAsync(const TrailmarkStats(), backend.stats);
    _notices.poll();
    // An install whose data was deleted counts anew; and a script of the web may have ended without counts.
    return after.captured < before.captured ? flushed.and(left) : after.since(before);
  }

  Future<TrailmarkOptions> _completed(TrailmarkPlatform platform, TrailmarkOptions options) =>
      _guardAsync(options, () => platform.complete(options));

  void _run(Backend backend, TrailmarkPlatform? platform) {
    _backend = backend;
    _platform = platform;
    _isRunning = true;
    _error = null;
    final kept = _kept.take();
    _make(kept.first, backend);
    // Before all that may be captured: that the app was opened, and perhaps installed, came before every call of it.
    _guard(null, () => platform?.attach(this));
    _make(kept.then, backend);
  }

  void _fail(TrailmarkError error) {
    _error = error;
    _log('$error');
  }

  void _make(List<Call> calls, Backend backend) {
    for (final call in calls) {
      _guard(null, () => call(backend));
    }
  }

  /// Makes a call, or keeps it, which these texts of it cost.
  void _call(List<String?> texts, Call call, [KeptKind kind = KeptKind.event]) {
    final backend = _backend;
    if (backend != null) {
      _guard(null, () => call(backend));
    } else {
      _kept.keep(kind, call, texts.fold(0, (sum, text) => sum + (text?.length ?? 0)));
    }
  }

  T? _read<T>(T? Function(Backend backend) read) {
    final backend = _backend;
    return backend == null ? null : _guard(null, () => read(backend));
  }

  T _guard<T>(T nothing, T Function() call) {
    try {
      return call();
    } catch (error, stackTrace) {
      _countFailure(error, stackTrace);
      return nothing;
    }
  }

  Future<T> _guardAsync<T>(T nothing, Future<T> Function() call) async {
    try {
      return await call();
    } catch (error, stackTrace) {
      _countFailure(error, stackTrace);
      return nothing;
    }
  }

  void _countFailure(Object error, StackTrace stackTrace) {
    _failedCalls++;
    // Neither `error` nor its text can be trusted: a `toString` of the app may be what threw.
    _log('a call failed', stackTrace);
  }
}

void _log(String message, [StackTrace? stackTrace]) => developer.log(message, name: 'trailmark', stackTrace: stackTrace);

/// Whether this runs in Flutter.
const bool _isFlutter = bool.fromEnvironment('dart.library.ui');

void _warnOfNoDirectory(TrailmarkOptions options, TrailmarkPlatform? platform) {
  if (_isFlutter && platform == null && options.directory == null) {
    _log('events end with the process: pass `platform: TrailmarkFlutter()` to init, or a directory');
  }
}
