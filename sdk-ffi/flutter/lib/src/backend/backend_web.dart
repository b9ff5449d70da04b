/// The web: calls of the global that the script of `trailmark-web` sets. Not run by any test yet; see the README.
library;

import 'dart:js_interop';
import 'dart:js_interop_unsafe';

import '../capture.dart';
import '../client.dart' show sdkName;
import '../exception.dart';
import '../json.dart';
import '../options.dart';
import '../report.dart';
import 'backend.dart';

/// What the script of `trailmark-web` sets.
@JS('trailmark')
external JSObject? get _global;

/// Starts the script's client.
///
/// Throws a [TrailmarkError] if the page has no such script.
Backend openBackend(String writeKey, String apiHost, TrailmarkOptions options) {
  final script = _global;
  if (script == null) {
    throw const TrailmarkError(TrailmarkFault.library, 'the page has no trailmark-web script');
  }
  return WebBackend(script).._call('init', [writeKey.toJS, _settings(apiHost, options)]);
}

/// The script's client. What the script does not have throws, which the client counts as a failed call.
final class WebBackend implements Backend {
  /// What calls this script.
  WebBackend(this._script);

  final JSObject _script;

  @override
  void track(String name, String? properties) => _call('track', [name.toJS, _object(properties)]);

  @override
  void screen(String name, String? properties) => _call('screen', [name.toJS, _object(properties)]);

  @override
  void identify(String userId, String? set, String? setOnce) =>
      _call('identify', [userId.toJS, _object(set), _object(setOnce)]);

  @override
  void setPersonProperties(String? set, String? setOnce) =>
      _call('setPersonProperties', [_object(set), _object(setOnce)]);

  @override
  void alias(String otherUserId) => _call('alias', [otherUserId.toJS]);

  @override
  void group(String type, String id, String? properties) => _call('group', [type.toJS, id.toJS, _object(properties)]);

  @override
  void register(String properties) => _call('register', [_object(properties)]);

  @override
  void registerOnce(String properties) => _call('registerOnce', [_object(properties)]);

  @override
  void unregister(String key) => _call('unregister', [key.toJS]);

  @override
  void setContext(String context) => _call('setContext', [_object(context)]);

  @override
  void reset() => _call('reset', const []);

  @override
  void optOut() => _call('optOut', const []);

  @override
  void optIn() => _call('optIn', const []);

  @override
  bool get isOptedOut => _answer('isOptedOut').dartify() == true;

  @override
  void deleteMyData() => _call('deleteMyData', const []);

  @override
  void captureException(CapturedError error, String? properties) =>
      _call('captureException', [_object(encodeProperties(_exception(error))), _object(properties)]);

  @override
  void captureRequest(CapturedRequest request, String? properties) {
    final facts = {
      'method': request.method,
      'url': request.url,
      'status': request.status,
      'duration_ms': request.durationMs,
      'error': request.error,
    };
    _call('captureRequest', [_object(encodeProperties(facts)), _object(properties)]);
  }

  @override
  void capture(CapturedEvent event) => throw UnsupportedError('capture is for servers');

  @override
  void appOpened(String version, bool fromBackground) {
    // A page that is opened is a page view, which the script captures itself.
  }

  @override
  void appBackgrounded() {
    // The script hears of it itself, and earlier.
  }

  @override
  String? get installId => _answer('installId').dartify() as String?;

  @override
  String? get anonymousId => _answer('anonymousId').dartify() as String?;

  @override
  String? get userId => _answer('userId').dartify() as String?;

  @override
  String? get sessionId => _answer('sessionId').dartify() as String?;

  @override
  Future<TrailmarkFlushReport> flush() async {
    final report = _Facts(await _settled(_call('flush', const [])));
    return TrailmarkFlushReport(
      delivered: report.count('delivered'),
      dropped: report.counts('dropped'),
      pending: report.count('pending'),
    );
  }

  @override
  TrailmarkFlushReport shutdown() {
    _call('shutdown', const []);
    return const TrailmarkFlushReport();
  }

  @override
  Future<TrailmarkStats> stats() async {
    final stats = _Facts(await _settled(_call('stats', const [])));
    return TrailmarkStats(
      captured: stats.count('captured'),
      delivered: stats.count('delivered'),
      dropped: stats.counts('dropped'),
      queued: stats.count('queued'),
      queuedBytes: stats.count('queuedBytes'),
      attempts: stats.count('attempts'),
      lastError: stats.text('lastError'),
      paused: stats.flag('paused'),
      storage: TrailmarkStorage.values.asNameMap()[stats.text('storage')] ?? TrailmarkStorage.memory,
      optedOut: stats.flag('optedOut'),
      ignored: stats.count('ignored'),
      truncated: stats.count('truncated'),
    );
  }

  @override
  List<TrailmarkNotice> takeNotices() => const [];

  JSAny? _call(String name, List<JSAny?> arguments) => _script.callMethodVarArgs(name.toJS, arguments);

  JSAny? _answer(String name) => _call(name, const []);
}

/// What a promise settles to, or what is none.
Future<Object?> _settled(JSAny? value) async =>
    (value.isA<JSPromise>() ? await (value! as JSPromise).toDart : value).dartify();

@JS('JSON.parse')
external JSAny? _parse(String text);

/// What is handed over; text that is no JSON goes as it is, for the script to count.
JSAny? _object(String? json) => switch (json) {
  null => null,
  unreadable => json.toJS,
  _ => _parse(json),
};

JSAny? _settings(String apiHost, TrailmarkOptions options) => _object(
  encodeProperties({
    'apiHost': apiHost,
    'sdkName': sdkName,
    if (options.context case final context?) 'context': context,
    if (options.anonymousId case final id?) 'anonymousId': id,
    if (options.flushAt case final events?) 'flushAt': events,
    if (options.flushInterval case final interval?) 'flushIntervalMs': interval.inMilliseconds,
    if (options.maxBatchEvents case final events?) 'maxBatchEvents': events,
    if (options.maxQueueEvents case final events?) 'maxQueueEvents': events,
    if (options.maxQueueBytes case final bytes?) 'maxQueueBytes': bytes,
    if (options.maxAge case final age?) 'maxAgeMs': age.inMilliseconds,
    if (options.sessionIdle case final pause?) 'sessionIdleMs': pause.inMilliseconds,
    if (options.sessionMax case final length?) 'sessionMaxMs': length.inMilliseconds,
  }),
);

Map<String, Object?> _exception(CapturedError error) => {
  'thrown': [
    for (final thrown in error.thrown)
      {
        'kind': thrown.kind,
        'message': thrown.text,
        'frames': [
          for (final frame in thrown.frames)
            {
              'function': frame.function,
              'file': frame.file,
              'line': frame.line,
              'column': frame.column,
              'in_app': frame.inApp,
            },
        ],
      },
  ],
  'handled': error.handled,
  'level': error.level.name,
  'fingerprint': error.fingerprint,
};

/// An object of JavaScript, of which nothing is taken for granted.
final class _Facts {
  _Facts(this._object);

  final Object? _object;

  Object? _at(String key) => switch (_object) {
    final Map<Object?, Object?> map => map[key],
    _ => null,
  };

  int count(String key) => _number(_at(key));

  bool flag(String key) => _at(key) == true;

  String? text(String key) => switch (_at(key)) {
    final String text => text,
    _ => null,
  };

  Map<String, int> counts(String key) => switch (_at(key)) {
    final Map<Object?, Object?> map => {for (final entry in map.entries) '${entry.key}': _number(entry.value)},
    _ => const {},
  };

  static int _number(Object? value) => value is num && value.isFinite ? value.toInt() : 0;
}
