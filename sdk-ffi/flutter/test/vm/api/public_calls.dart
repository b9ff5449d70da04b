// The vectors' calls over the public API.
import 'dart:convert';

import 'package:trailmark_flutter/src/backend/backend_io.dart';
import 'package:trailmark_flutter/src/capture.dart';
import 'package:trailmark_flutter/src/client.dart';
import 'package:trailmark_flutter/src/exception.dart';
import 'package:trailmark_flutter/src/generated/trailmark.g.dart' as native;
import 'package:trailmark_flutter/src/stack_trace.dart';

import '../vectors.dart';

/// What went past the public API, because no map of Dart is written so.
final List<String> rawArguments = [];

/// The calls of an app: through the public API, if an app can pass the step's properties so that the same text comes out,
/// and otherwise to the back end below it. That is text that is no object, a number as it is written, half a surrogate
/// pair as an escape; and an error with causes, which Dart's errors have not.
Calls publicCalls(native.Client client) {
  final raw = NativeBackend(client);
  final api = clientOver(raw);
  return {
    'track': _either(
      ['properties'],
      (it) => api.track(it.text('name'), properties: _map(it, 'properties')),
      (it) => raw.track(it.text('name'), it.json('properties')),
    ),
    'screen': _either(
      ['properties'],
      (it) => api.screen(it.text('name'), properties: _map(it, 'properties')),
      (it) => raw.screen(it.text('name'), it.json('properties')),
    ),
    'capture': _either(
      ['properties', 'context', 'set', 'set_once'],
      (it) => _capture(api, it),
      (it) => raw.capture(_event(it)),
    ),
    'capture_exception': (it) => raw.captureException(_exception(it), it.json('properties')),
    'capture_request': (it) => _request(api, it),
    'app_opened': (it) => api.appOpened(it.text('name'), fromBackground: it.value<bool>('from_background') ?? false),
    'app_backgrounded': (_) => api.appBackgrounded(),
    'identify': _either(
      ['set', 'set_once'],
      (it) => api.identify(it.text('user_id'), set: _map(it, 'set'), setOnce: _map(it, 'set_once')),
      (it) => raw.identify(it.text('user_id'), it.json('set'), it.json('set_once')),
    ),
    'set': _either(
      ['set', 'set_once'],
      (it) => api.setPersonProperties(set: _map(it, 'set'), setOnce: _map(it, 'set_once')),
      (it) => raw.setPersonProperties(it.json('set'), it.json('set_once')),
    ),
    'alias': (it) => api.alias(it.text('other_user_id')),
    'group': _either(
      ['properties'],
      (it) => api.group(it.text('group_type'), it.text('group_id'), properties: _map(it, 'properties')),
      (it) => raw.group(it.text('group_type'), it.text('group_id'), it.json('properties')),
    ),
    'register': _either(
      ['properties'],
      (it) => api.register(_map(it, 'properties') ?? const {}),
      (it) => raw.register(it.json('properties')!),
    ),
    'register_once': _either(
      ['properties'],
      (it) => api.registerOnce(_map(it, 'properties') ?? const {}),
      (it) => raw.registerOnce(it.json('properties')!),
    ),
    'unregister': (it) => api.unregister(it.text('key')),
    'set_context': _either(
      ['context'],
      (it) => api.setContext(_map(it, 'context') ?? const {}),
      (it) => raw.setContext(it.json('context')!),
    ),
    'reset': (_) => api.reset(),
    'opt_out': (_) => api.optOut(),
    'opt_in': (_) => api.optIn(),
    'delete_my_data': (_) => api.deleteMyData(),
  };
}

/// What the public API shows.
Shows publicShows(native.Client client) {
  final api = clientOver(NativeBackend(client));
  return {
    'identity': () => {
      'install_id': api.installId,
      'anonymous_id': api.anonymousId,
      'user_id': api.userId,
      'session_id': api.sessionId,
    },
  };
}

void Function(Arguments it) _either(
  List<String> keys,
  void Function(Arguments it) throughApi,
  void Function(Arguments it) pastIt,
) => (it) {
  final unsayable = keys.map(it.json).nonNulls.where((json) => !_isSayable(json));
  if (unsayable.isEmpty) return throughApi(it);
  rawArguments.addAll(unsayable);
  pastIt(it);
};

/// Whether an app can pass this as a map, in these bytes.
bool _isSayable(String json) {
  try {
    final value = jsonDecode(json);
    return value is Map<String, Object?> && jsonEncode(value) == json;
  } on FormatException {
    return false;
  }
}

Map<String, Object?>? _map(Arguments it, String key) => it.value<Map<String, Object?>>(key);

void _capture(TrailmarkClient api, Arguments it) {
  final event = _event(it);
  api.capture(
    event.name,
    id: event.id,
    anonymousId: event.anonymousId,
    userId: event.userId,
    otherUserId: event.otherUserId,
    sessionId: event.sessionId,
    timestamp: event.timestamp,
    properties: _map(it, 'properties'),
    context: _map(it, 'context'),
    set: _map(it, 'set'),
    setOnce: _map(it, 'set_once'),
  );
}

CapturedEvent _event(Arguments it) => CapturedEvent(
  name: it.text('name'),
  id: it.value('id'),
  anonymousId: it.value('anonymous_id'),
  userId: it.value('user_id'),
  otherUserId: it.value('other_user_id'),
  sessionId: it.value('session_id'),
  timestamp: switch (it.value<String>('timestamp')) {
    null => null,
    final text => DateTime.parse(text),
  },
  properties: it.json('properties'),
  context: it.json('context'),
  set: it.json('set'),
  setOnce: it.json('set_once'),
);

void _request(TrailmarkClient api, Arguments it) => api.captureRequest(
  it.text('method'),
  Uri.parse(it.text('url')),
  status: it.value('status'),
  duration: switch (it.value<num>('duration_ms')) {
    null => null,
    final ms => Duration(microseconds: (ms * Duration.microsecondsPerMillisecond).round()),
  },
  error: it.value<String>('error'),
  properties: _map(it, 'properties'),
);

CapturedError _exception(Arguments it) => CapturedError(
  thrown: [for (final thrown in it.value<List<Object?>>('thrown') ?? const []) _thrown(thrown as Map<String, Object?>)],
  handled: it.value('handled') ?? false,
  level: TrailmarkLevel.values.byName(it.value('level') ?? 'error'),
  fingerprint: it.value('fingerprint'),
);

ThrownError _thrown(Map<String, Object?> it) => ThrownError(
  kind: it['kind'] as String? ?? '',
  text: it['message'] as String? ?? '',
  frames: [for (final frame in it['frames'] as List<Object?>? ?? const []) _frame(frame as Map<String, Object?>)],
);

TraceFrame _frame(Map<String, Object?> it) => TraceFrame(
  function: it['function'] as String?,
  file: it['file'] as String?,
  line: it['line'] as int?,
  column: it['column'] as int?,
  inApp: it['in_app'] as bool?,
);
