// Numbers at their edges, every option, errors, panics, and what records are to Dart.
import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'library.dart';

const _u32 = 0xffffffff, _i64 = 0x7fffffffffffffff;
const _server = 'http://127.0.0.1:9', _key = 'tm_pk_example';

Future<void> values() async {
  await test('numbers go in up to their edges, and no further', () async {
    const backoff = Backoff(baseMs: _i64, capMs: _i64);
    final widest = Config(url: _server, writeKey: _key, flushAt: _u32, flushIntervalMs: _i64, backoff: backoff);
    Client.open(widest).close();
    await thrown<RangeError>(() => Client.open(const Config(url: _server, writeKey: _key, flushAt: _u32 + 1)));
    await thrown<RangeError>(() => Client.open(const Config(url: _server, writeKey: _key, flushAt: -1)));
    final negative = await thrown<RangeError>(
      () => Client.open(const Config(url: _server, writeKey: _key, flushIntervalMs: -1)),
    );
    same(negative.name, 'flushIntervalMs', 'what the error names');
    final client = Client.open(widest);
    same(client.flushBlocking(0).pending, 0, 'pending');
    await thrown<RangeError>(() => client.flushBlocking(-1));
    await thrown<RangeError>(() => client.ready(-1));
    await thrown<RangeError>(() => client.captureRequest(const HttpRequest(method: '', url: '', status: 0x10000)));
    await thrown<RangeError>(() => client.captureException(_exception(line: _u32 + 1)));
    client.close();
  });

  await test('64 bits with a sign go in as they are', () {
    final device = newDevice();
    final client = device.client();
    device.setClock(-_i64 - 1);
    device.setClock(_i64);
    device.setClock(0);
    for (final at in [-_i64 - 1, -1, 0, 1, _i64]) client.capture(Capture(name: 'a', userId: 'u', timestampUs: at));
    final stats = client.stats();
    final dropped = stats.dropped.values.fold(0, (a, b) => a + b);
    same(stats.captured, 5, 'captured');
    same(stats.queued + dropped, 5, 'queued or dropped');
    check(_polled(() => client.capture(const Capture(name: 'b', userId: 'u', timestampUs: 1763725500123000)), device)
        .contains('"timestamp":"2025-11-21T11:45:00.123Z"'), 'the time is what was given');
    client.close();
    device.close();
  });

  await test('doubles arrive as they are, and those that JSON has not are left out', () {
    final durations = {0.1: '"duration_ms":0.1', 5e-324: '"duration_ms":5e-324', double.nan: null, double.infinity: null};
    durations.forEach((duration, written) {
      final sent = _sent((client) {
        client.captureRequest(HttpRequest(method: 'GET', url: '/a', durationMs: duration));
      });
      check(sent.contains(written ?? '"path":"/a"'), '$duration: $sent');
      check(written != null || !sent.contains(RegExp('nan|inf', caseSensitive: false)), '$duration: $sent');
    });
  });

  await test('every option of an event is told, and left out where it is null', () {
    const id = '01a1f8d3-ea00-7627-9e1f-202122232425';
    const given = Capture(
      name: 'a', id: id, anonymousId: 'an', userId: 'us', sessionId: 'se', timestampUs: 1763725500123000,
      properties: '{"p":1}', context: '{"c":2}', set: '{"s":3}', setOnce: '{"o":4}',
    );
    final whole = _sent((client) => client.capture(given));
    for (final part in [id, '"anonymous_id":"an"', '"user_id":"us"', '"session_id":"se"', '{"p":1}', '"c":2', '{"s":3}', '{"o":4}']) {
      check(whole.contains(part), '$part is not in $whole');
    }
    final bare = _sent((client) => client.capture(const Capture(name: 'a', userId: 'us')));
    for (final key in ['session_id', 'properties', '"set"', 'set_once', 'anonymous_id']) {
      check(!bare.contains(key), '$key is in $bare');
    }
    check(_sent((client) => client.capture(const Capture(name: r'$alias', userId: 'u_1', otherUserId: 'u_2'))).contains('u_2'), 'alias');
  });

  await test('every option of an error and of a request is told, and left out where it is null', () {
    const frame = Frame(function: 'fu', file: 'fi', line: _u32, column: 0, inApp: true);
    final whole = _sent((client) => client.captureException(_exception(frame: frame, fingerprint: 'fp'), properties: '{"p":1}'));
    final parts = ['"function":"fu"', '"filename":"fi"', '"lineno":$_u32', '"colno":0', '"in_app":true', '"fp"', '"p":1', '"warning"'];
    for (final part in parts) check(whole.contains(part), '$part is not in $whole');
    final bare = _sent((client) => client.captureException(_exception(frame: const Frame())));
    for (final key in ['function', 'filename', 'lineno', 'colno', 'in_app', 'fingerprint']) {
      check(!bare.contains('"$key"'), '$key is in $bare');
    }
    const request = HttpRequest(method: 'GET', url: '/a', status: 0xffff, durationMs: 1.5, error: 'er');
    final answered = _sent((client) => client.captureRequest(request));
    for (final part in ['65535', '1.5', '"er"']) check(answered.contains(part), '$part is not in $answered');
    final lost = _sent((client) => client.captureRequest(const HttpRequest(method: 'GET', url: '/a')));
    for (final key in ['status', 'duration_ms', '"error"']) check(!lost.contains(key), '$key is in $lost');
  });

  await test('every option of a client and of its calls can be given', () {
    final client = Client.open(_every);
    client
      ..track('a', properties: '{}')
      ..track('a')
      ..identify('us', set: '{"s":1}', setOnce: '{"o":1}')
      ..set(set: '{"s":2}', setOnce: '{}')
      ..set()
      ..group('company', 'acme', properties: '{}')
      ..alias('other')
      ..reset();
    final stats = client.stats();
    check(stats.dropped.isEmpty && stats.captured > 0, '$stats');
    same(stats.storage, const StorageHealthMemory(), 'storage');
    same(client.userId(), null, 'user after a reset');
    same(client.installId(), '01a1f8d3-ea00-7001-8203-040506070809', 'install');
    client.close();
    for (final durability in const [DurabilityProcess(), DurabilityEveryEvent()]) {
      Client.open(Config(url: _server, writeKey: _key, durability: durability)).close();
    }
  });

  await test('errors of Rust are classes of Dart', () async {
    Future<ConfigError> refused(Config config) => thrown<ConfigError>(() => Client.open(config));
    check(await refused(const Config(url: 'nowhere', writeKey: _key)) is ConfigErrorUrl, 'a wrong address');
    check(await refused(const Config(url: _server, writeKey: '')) is ConfigErrorSetting, 'a wrong key');
    final pem = await refused(const Config(url: 'https://127.0.0.1:9', writeKey: _key, extraRootPem: 'no pem'));
    check(pem is ConfigErrorTransport && pem.detail.isNotEmpty, 'wrong certificates');
    final word = switch (pem) {
      ConfigErrorUrl() || ConfigErrorSetting() => 'other',
      ConfigErrorTransport() => 'transport',
      ConfigErrorDirectoryInUse() || ConfigErrorThread() => 'other',
    };
    same(word, 'transport', 'a switch over all');
    check((await thrown<VectorError>(() => VectorDevice('no JSON'))).toString().startsWith('VectorErrorFormat('), 'text');
  });

  await test('a panic in a call is counted, and one beyond is an exception; neither ends anything', () async {
    final device = newDevice();
    final client = device.client();
    device.panicInside();
    device.panicInside();
    same(client.stats().panics, 2, 'panics');
    // Twice as many bytes as 32 bits can count: Rust cannot make such a text.
    const tooLong = r'{"do":"track","with":{"name":{"$repeat":["xx",4294967295]}}}';
    final panic = await thrown<RustPanic>(() => device.step(tooLong));
    same(panic.toString(), 'RustPanic: capacity overflow', 'text');
    client.track('after');
    same(client.stats().captured, 1, 'captured after it');
    client.close();
    device.close();
  });

  await test('records are equal by their fields, deeply, and say them', () {
    same(_exception(), _exception(), 'the same fields');
    same(_exception().hashCode, _exception().hashCode, 'hash');
    check(_exception() != _exception(line: 1), 'a field deep inside');
    check(const DurabilityWithin(ms: 1) != const DurabilityWithin(ms: 2), 'a variant');
    FlushReport report(int lost) => FlushReport(delivered: 1, dropped: {'a': 1, 'b': lost}, pending: 0);
    same(report(2), FlushReport(delivered: 1, dropped: {'b': 2, 'a': 1}, pending: 0), 'maps in another order');
    same(report(2).hashCode, FlushReport(delivered: 1, dropped: {'b': 2, 'a': 1}, pending: 0).hashCode, 'their hash');
    check(report(2) != report(3), 'maps with another value');
    same('${const Backoff(baseMs: 1, capMs: 2)}', 'Backoff(baseMs: 1, capMs: 2)', 'text');
  });
}

Exception _exception({int? line, Frame? frame, String? fingerprint}) => Exception(
  thrown: [
    Thrown(kind: 'StateError', text: 'no card', frames: [frame ?? Frame(line: line)]),
  ],
  handled: true,
  level: Level.warning,
  fingerprint: fingerprint,
);

/// What a new device sends of a call.
String _sent(void Function(Client client) call) {
  final device = VectorDevice('{"config":{"flush_at":1}}');
  final client = device.client();
  call(client);
  final sent = device.step('{"do":"poll"}')!;
  client.close();
  device.close();
  return sent.replaceAll(r'\"', '"');
}

/// What a device sends in the end.
String _polled(void Function() call, VectorDevice device) {
  call();
  return device.step('{"at":999999999,"do":"poll"}')!.replaceAll(r'\"', '"');
}

const _every = Config(
  url: _server,
  writeKey: _key,
  durability: DurabilityWithin(ms: 50),
  join: true,
  sdkName: 'trailmark-dart/0.1.0',
  context: '{"locale":"de-DE"}',
  anonymousId: '01a1f8d3-ea00-7a0b-8c0d-0e0f10111213',
  installId: '01a1f8d3-ea00-7001-8203-040506070809',
  flushAt: 1000,
  flushIntervalMs: 60000,
  maxBatchEvents: 100,
  maxQueueEvents: 1000,
  maxQueueBytes: 1000000,
  maxAgeMs: 3600000,
  sessionIdleMs: 1000,
  sessionMaxMs: 2000,
  backoff: Backoff(baseMs: 1000, capMs: 2000),
  requestTimeoutMs: 1000,
  proxy: 'http://127.0.0.1:9',
);
