// The vectors' calls over the generated binding itself.
import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'vectors.dart';

Calls nativeCalls(Client client) => {
  'track': (it) => client.track(it.text('name'), properties: it.json('properties')),
  'screen': (it) => client.screen(it.text('name'), properties: it.json('properties')),
  'capture': (it) => client.capture(_capture(it)),
  'capture_exception': (it) => client.captureException(_exception(it), properties: it.json('properties')),
  'capture_request': (it) => client.captureRequest(_request(it), properties: it.json('properties')),
  'app_opened': (it) => client.appOpened(it.text('name'), it.value<bool>('from_background') ?? false),
  'app_backgrounded': (_) => client.appBackgrounded(),
  'identify': (it) => client.identify(it.text('user_id'), set: it.json('set'), setOnce: it.json('set_once')),
  'set': (it) => client.set(set: it.json('set'), setOnce: it.json('set_once')),
  'alias': (it) => client.alias(it.text('other_user_id')),
  'group': (it) => client.group(it.text('group_type'), it.text('group_id'), properties: it.json('properties')),
  'register': (it) => client.register(it.json('properties') ?? '{}'),
  'register_once': (it) => client.registerOnce(it.json('properties') ?? '{}'),
  'unregister': (it) => client.unregister(it.text('key')),
  'set_context': (it) => client.setContext(it.json('context') ?? '{}'),
  'reset': (_) => client.reset(),
  'opt_out': (_) => client.optOut(),
  'opt_in': (_) => client.optIn(),
  'delete_my_data': (_) => client.deleteMyData(),
};

Shows nativeShows(Client client) => {
  'stats': () => _stats(client.stats()),
  'identity': () => {
    'install_id': client.installId(),
    'anonymous_id': client.anonymousId(),
    'user_id': client.userId(),
    'session_id': client.sessionId(),
  },
};

Capture _capture(Arguments it) => Capture(
  name: it.text('name'),
  id: it.value('id'),
  anonymousId: it.value('anonymous_id'),
  userId: it.value('user_id'),
  otherUserId: it.value('other_user_id'),
  sessionId: it.value('session_id'),
  timestampUs: switch (it.value<String>('timestamp')) {
    null => null,
    final text => DateTime.parse(text).microsecondsSinceEpoch,
  },
  properties: it.json('properties'),
  context: it.json('context'),
  set: it.json('set'),
  setOnce: it.json('set_once'),
);

CapturedException _exception(Arguments it) => CapturedException(
  thrown: [for (final thrown in it.value<List<Object?>>('thrown') ?? const []) _thrown(thrown as Map<String, Object?>)],
  handled: it.value('handled') ?? false,
  level: Level.values.byName(it.value('level') ?? 'error'),
  fingerprint: it.value('fingerprint'),
);

Thrown _thrown(Map<String, Object?> it) => Thrown(
  kind: it['kind'] as String? ?? '',
  text: it['message'] as String? ?? '',
  frames: [for (final frame in it['frames'] as List<Object?>? ?? const []) _frame(frame as Map<String, Object?>)],
);

Frame _frame(Map<String, Object?> it) => Frame(
  function: it['function'] as String?,
  file: it['file'] as String?,
  line: it['line'] as int?,
  column: it['column'] as int?,
  inApp: it['in_app'] as bool?,
);

HttpRequest _request(Arguments it) => HttpRequest(
  method: it.text('method'),
  url: it.text('url'),
  status: it.value('status'),
  durationMs: it.value<num>('duration_ms')?.toDouble(),
  error: it.value('error'),
);

Map<String, Object?> _stats(Stats it) => {
  'captured': it.captured,
  'delivered': it.delivered,
  'queued': it.queued,
  'queued_bytes': it.queuedBytes,
  'last_error': it.lastError,
  'paused': it.paused,
  'storage': switch (it.storage) {
    StorageHealthMemory() => 'memory',
    StorageHealthSaved() => 'saved',
    StorageHealthFailing(:final detail) => 'failing: $detail',
  },
  'opted_out': it.optedOut,
  'ignored': it.ignored,
  'truncated': it.truncated,
};
