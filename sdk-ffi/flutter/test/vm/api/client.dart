import 'dart:async';
import 'dart:io';
import 'dart:isolate';
import 'dart:math';
import 'dart:typed_data';

import 'package:trailmark_flutter/src/client.dart' show captureUncaught;
import 'package:trailmark_flutter/src/errors/seen.dart';
import 'package:trailmark_flutter/src/http/timing.dart';
import 'package:trailmark_flutter/trailmark.dart';

import '../check.dart';
import '../library.dart';
import 'json.dart' show cycle, nested;
import 'peer.dart';
import 'support.dart';

Future<(TrailmarkClient, Peer)> _running([TrailmarkOptions options = const TrailmarkOptions()]) async {
  final (client, peer) = (TrailmarkClient(), await Peer.start());
  holds(await client.init('tm_pk_test', apiHost: peer.url, options: options), client.error);
  return (client, peer);
}

Future<void> _ended(TrailmarkClient client, Peer peer) async {
  await client.shutdown(timeout: Duration.zero);
  await peer.stop();
}

final class _Broken implements Exception {
  @override
  String toString() => throw StateError('no string form');
}

/// What an app should not pass, and does.
final List<Object?> _hostile = [
  null,
  double.nan,
  -0.0,
  1 << 62,
  '\ud800',
  '\u0000',
  'x' * 100000,
  Uint8List(100000),
  cycle(),
  nested(100),
  _Broken(),
  DateTime(0),
  Iterable<int>.generate(1 << 52),
  {_Broken(): 1},
  Object(),
  () {},
  #symbol,
];

String _name(Random random) => switch (random.nextInt(6)) {
  0 => '',
  1 => 'x' * random.nextInt(300),
  2 => '\ud83d',
  3 => r'$identify',
  4 => 'null',
  _ => 'name',
};

void _anything(TrailmarkClient client, Random random, Object? value) {
  final (name, properties) = (_name(random), {'v': value, _name(random): value});
  switch (random.nextInt(16)) {
    case 0:
      client.track(name, properties: properties);
    case 1:
      client.screen(name, properties: properties);
    case 2:
      client.identify(name, set: properties, setOnce: properties);
    case 3:
      client.setPersonProperties(set: properties);
    case 4:
      client.alias(name);
    case 5:
      client.group(name, name, properties: properties);
    case 6:
      client.register(properties);
    case 7:
      client.registerOnce(properties);
    case 8:
      client.unregister(name);
    case 9:
      client.setContext(properties);
    case 10:
      client.captureException(value ?? _Broken(), StackTrace.fromString(name), fingerprint: name, properties: properties);
    case 11:
      client.captureRequest(name, Uri(path: 'a b'), status: random.nextInt(1 << 32) - 9, error: value);
    case 12:
      client.capture(name, id: name, userId: name, timestamp: DateTime(-200000), properties: properties);
    case 13:
      client.appOpened(name, fromBackground: true);
    case 14:
      client.appBackgrounded();
    case 15:
      client.reset();
  }
}

/// An isolate of its own that joins the client of a directory. What it can say is what it captured.
Future<void> _joining((SendPort, String, String) given) async {
  final (to, url, directory) = given;
  loadLibrary();
  await Trailmark.init('tm_pk_test', apiHost: url, options: TrailmarkOptions(directory: directory));
  Trailmark.track('from the second isolate');
  final report = await Trailmark.flush();
  to.send('${Trailmark.installId} ${report.pending}');
}

Future<void> client() async {
  await test('calls: every one arrives as what it is', () async {
    final (client, peer) = await _running();
    client
      ..appOpened('1.4.2')
      ..track('tracked', properties: {'total': 12.5})
      ..identify('u_7', set: {'plan': 'pro'}, setOnce: {'first': 1})
      ..setPersonProperties(set: {'plan': 'team'})
      ..alias('ada@example.com')
      ..group('company', 'acme', properties: {'seats': 5})
      ..registerOnce({'campaign': 'spring'})
      ..registerOnce({'campaign': 'autumn'})
      ..setContext({'locale': 'de-DE'})
      ..screen('Cart')
      ..unregister('campaign')
      ..capture('imported', userId: 'u_9', timestamp: DateTime.utc(2026, 11, 1), properties: {'n': 1})
      ..appBackgrounded();
    await client.shutdown();
    expect(peer.names, [
      r'$app_installed', r'$app_opened', 'tracked', r'$identify', r'$set', r'$alias', r'$group', //
      r'$screen', 'imported', r'$app_backgrounded',
    ]);
    final screen = peer.events[7];
    expect(screen['properties'], {
      'campaign': 'spring',
      r'$screen_name': 'Cart',
      r'$groups': {'company': 'acme'},
    });
    expect(screen['context'], {
      'locale': 'de-DE',
      'library': {'name': 'trailmark-dart', 'version': '0.1.0'},
      'session': {'seq': 1},
    });
    expect([peer.events[8]['user_id'], peer.events[8]['timestamp']], ['u_9', '2026-11-01T00:00:00.000Z']);
    await peer.stop();
  });

  await test('calls: an error arrives with its frames, its level and whether it was handled', () async {
    final (client, peer) = await _running();
    try {
      throw StateError('no card');
    } catch (error, stackTrace) {
      client.captureException(error, stackTrace, level: TrailmarkLevel.fatal, handled: false, fingerprint: 'checkout');
    }
    client.captureException('only an address', StackTrace.fromString('#00 abs 0000 virt 0001 _kDart+0x1'));
    await client.shutdown();
    final [first, second] = peer.propertiesOf(r'$exception');
    final thrown = (first[r'$exception_list']! as List<Object?>).single! as Map<String, Object?>;
    expect([thrown['type'], thrown['value'], thrown['mechanism']], ['StateError', 'Bad state: no card', {'handled': false}]);
    final frames = (thrown['stacktrace']! as Map<String, Object?>)['frames']! as List<Object?>;
    holds('${frames.first}'.contains('client.dart') && '${frames.first}'.contains('in_app: true'), frames.first);
    expect([first[r'$exception_level'], first[r'$exception_fingerprint']], ['fatal', 'checkout']);
    expect(second[r'$stack_trace'], '#00 abs 0000 virt 0001 _kDart+0x1');
    await peer.stop();
  });

  await test('calls: an uncaught error of a guarded body is captured', () async {
    final (client, peer) = await _running();
    final gone = <Object>[];
    client.runGuarded(() => Future<void>(() => throw StateError('late')), onError: (error, _) => gone.add(error));
    await until(() => gone.isNotEmpty);
    await client.shutdown();
    expect(peer.names, [r'$exception']);
    await peer.stop();
  });

  await test('calls: an uncaught error that leaves a zone and reaches the engine is captured once, and each time', () async {
    final (client, peer) = await _running();
    for (var n = 0; n < 2; n++) {
      runZonedGuarded(
        () => client.runGuarded<void>(() => throw _Broken()),
        (error, stackTrace) => captureUncaught(client, ErrorWay.engine, error, stackTrace),
      );
    }
    await client.shutdown();
    expect([peer.names, (await client.stats()).failedCalls], [[r'$exception', r'$exception'], 0]);
    await peer.stop();
  });

  await test('calls: a request arrives without its secrets, with its time to the head of the answer', () async {
    final (client, peer) = await _running();
    RequestTiming(client, 'GET', Uri.parse('https://me:pw@api.example.com/cart?token=x')).answered(200);
    RequestTiming(client, 'POST', Uri.parse('https://api.example.com/cart')).failed(const SocketException('refused'));
    client.captureRequest('GET', Uri.parse('/'), status: 70000, duration: const Duration(microseconds: 1500));
    await client.shutdown();
    final [got, failed, odd] = peer.propertiesOf(r'$request');
    holds(!'$got'.contains('token') && !'$got'.contains('pw') && got['duration_ms']! is num, got);
    expect([got['status'], failed['status']], [200, null]);
    holds('${failed['error']}'.contains('refused'), failed);
    expect([odd['status'], odd['duration_ms']], [null, 1.5]);
    await peer.stop();
  });

  await test('calls: none throws, whatever is passed; the numbers add up afterwards', () async {
    final (client, peer) = await _running();
    final random = Random(11);
    for (var n = 0; n < 800; n++) {
      _anything(client, random, _hostile[n % _hostile.length]);
    }
    final stats = await client.stats();
    final dropped = stats.dropped.values.fold(0, (sum, count) => sum + count);
    expect(stats.captured, stats.delivered + dropped + stats.queued);
    holds(stats.captured > 300 && dropped > 0 && stats.delivered + stats.queued > 0, stats);
    expect([stats.panics, stats.failedCalls], [0, 0]);
    await _ended(client, peer);
  });

  await test('calls: ten megabytes are cut where the core cuts, and counted', () async {
    final (client, peer) = await _running();
    client.track('long', properties: {'text': 'x' * (10 * 1024 * 1024)});
    client.track('x' * (10 * 1024 * 1024));
    final stats = await client.stats();
    expect([stats.queued, stats.truncated, stats.dropped], [1, 1, {'name_too_long': 1}]);
    await _ended(client, peer);
  });

  await test('calls: what is refused has the documented reason', () async {
    final (client, peer) = await _running();
    Future<Map<String, int>> dropped(void Function() call) async {
      final before = (await client.stats()).dropped;
      call();
      final after = (await client.stats()).dropped;
      return {
        for (final MapEntry(key: reason, value: count) in after.entries)
          if (count != (before[reason] ?? 0)) reason: count - (before[reason] ?? 0),
      };
    }

    expect(await dropped(() => client.track('deep', properties: nested(33))), {'too_deep': 1});
    expect(await dropped(() => client.track('not deep', properties: nested(32))), <String, int>{});
    expect(await dropped(() => client.track('cycle', properties: cycle()..remove('and again'))), {'too_deep': 1});
    expect(await dropped(() => client.track('endless', properties: {'n': Iterable<int>.generate(1 << 52)})), {
      'too_large': 1,
    });
    expect(await dropped(() => client.track('broken', properties: {'b': _Broken()})), {'invalid_event': 1});
    expect(await dropped(() => client.identify('null')), {'junk_user_id': 1});
    expect(await dropped(() => client.track('')), {'missing_name': 1});
    await _ended(client, peer);
  });

  await test('flush: 200 at the same time all report, and the event loop goes on meanwhile', () async {
    final (client, peer) = await _running();
    final gate = Completer<void>();
    peer.gate = gate.future;
    final flushes = [
      for (var n = 0; n < 200; n++)
        () {
          client.track('tracked', properties: {'n': n});
          return client.flush();
        }(),
    ];
    var ticks = 0;
    final timer = Timer.periodic(const Duration(milliseconds: 1), (_) => ticks++);
    await until(() => peer.requests > 0 && ticks > 20);
    gate.complete();
    final reports = await Future.wait(flushes);
    timer.cancel();
    expect(reports.last.pending, 0);
    expect([for (final properties in peer.propertiesOf('tracked')) properties['n']], List.generate(200, (n) => n));
    await _ended(client, peer);
  });

  await test('flush: a server that fails is reported, and nothing is lost', () async {
    final (client, peer) = await _running();
    peer.fault = HttpStatus.serviceUnavailable;
    client.track('tracked');
    expect((await client.flush()).pending, 1);
    holds((await client.stats()).lastError != null);
    peer.fault = null;
    expect((await client.flush()).delivered, 1);
    expect(peer.names, ['tracked']);
    await _ended(client, peer);
  });

  await test('shutdown: delivers, and later calls are counted; a second one says the same', () async {
    final (client, peer) = await _running();
    client.track('tracked');
    final report = await client.shutdown();
    expect([report.delivered, report.pending, client.isRunning], [1, 0, false]);
    client
      ..track('late')
      ..screen('late')
      ..captureException(StateError('late'), null);
    final stats = await client.stats();
    expect([stats.dropped, stats.captured, stats.failedCalls], [{'shut_down': 3}, 4, 0]);
    expect((await client.shutdown()).delivered, 1);
    expect((await client.flush()).pending, 0);
    expect(peer.names, ['tracked']);
    await peer.stop();
  });

  await test('shutdown: waits no longer than it is told, and what is left is delivered by the next start', () async {
    final directory = Directory.systemTemp.createTempSync();
    final (client, peer) = await _running(TrailmarkOptions(directory: directory.path));
    final gate = Completer<void>();
    peer.gate = gate.future;
    client.track('tracked');
    final watch = Stopwatch()..start();
    final report = await client.shutdown(timeout: const Duration(milliseconds: 50));
    holds(watch.elapsed < const Duration(seconds: 5), watch.elapsed);
    expect([report.delivered, report.pending], [0, 1]);
    gate.complete();
    holds(await client.init('tm_pk_test', apiHost: peer.url, options: TrailmarkOptions(directory: directory.path)));
    await client.shutdown();
    holds(peer.names.contains('tracked'));
    await peer.stop();
    directory.deleteSync(recursive: true);
  });

  await test('shutdown: what was delivered before the time was over is in the report', () async {
    final directory = Directory.systemTemp.createTempSync();
    final (client, peer) = await _running(TrailmarkOptions(directory: directory.path, maxBatchEvents: 1));
    final gate = Completer<void>();
    peer
      ..gate = gate.future
      ..gatedFrom = 2;
    client
      ..track('')
      ..track('one')
      ..track('two')
      ..track('three');
    final report = await client.shutdown(timeout: const Duration(milliseconds: 500));
    expect([report.delivered, report.dropped, report.pending], [1, <String, int>{}, 2]);
    gate.complete();
    await peer.stop();
    directory.deleteSync(recursive: true);
  });

  await test('shutdown: an init after one never joins the client that ends', () async {
    final peer = await Peer.start();
    final client = TrailmarkClient();
    for (final isHeardFirst in [true, false]) {
      final first = client.init('tm_pk_test', apiHost: peer.url);
      final Future<bool> second;
      final Future<void> ended;
      if (isHeardFirst) {
        second = first.then((_) => client.init('tm_pk_test', apiHost: peer.url));
        ended = client.shutdown();
      } else {
        ended = client.shutdown();
        second = first.then((_) => client.init('tm_pk_test', apiHost: peer.url));
      }
      await ended;
      holds(await second);
      holds(client.isRunning && client.error == null, client.error);
      client.track('after $isHeardFirst');
      expect([(await client.shutdown()).delivered, client.isRunning], [1, false]);
      expect((await client.stats()).dropped, <String, int>{});
    }
    expect(peer.names, ['after true', 'after false']);
    await peer.stop();
  });

  await test('shutdown: one during the start after another ends that start', () async {
    final (client, peer) = await _running();
    final ended = client.shutdown();
    final starting = client.init('tm_pk_test', apiHost: peer.url);
    final endedAgain = client.shutdown();
    await ended;
    holds(await starting);
    await endedAgain;
    holds(!client.isRunning);
    await peer.stop();
  });

  await test('isolates: a second one joins the client of the directory; a hot restart does, too', () async {
    final directory = Directory.systemTemp.createTempSync();
    final (client, peer) = await _running(TrailmarkOptions(directory: directory.path));
    final port = ReceivePort();
    await Isolate.spawn(_joining, (port.sendPort, peer.url, directory.path), onError: port.sendPort);
    expect(await port.first, '${client.installId} 0');
    final restarted = TrailmarkClient();
    holds(await restarted.init('tm_pk_test', apiHost: peer.url, options: TrailmarkOptions(directory: directory.path)));
    restarted.track('after the hot restart');
    await client.shutdown();
    expect(peer.names, ['from the second isolate', 'after the hot restart']);
    await peer.stop();
    directory.deleteSync(recursive: true);
  });

  await test('consent: opted out nothing is captured, over a restart; opted in it goes on', () async {
    final directory = Directory.systemTemp.createTempSync();
    final options = TrailmarkOptions(directory: directory.path);
    final (client, peer) = await _running(options);
    client
      ..track('before')
      ..optOut()
      ..track('never');
    await client.shutdown();
    holds(await client.init('tm_pk_test', apiHost: peer.url, options: options));
    holds(client.isOptedOut);
    client
      ..track('never')
      ..optIn()
      ..track('after')
      ..deleteMyData();
    holds(client.isOptedOut);
    await client.shutdown();
    expect(peer.names, [r'$erase']);
    await peer.stop();
    directory.deleteSync(recursive: true);
  });

  await test('notices: are taken once, and a stream of them asks only while somebody listens', () async {
    final (client, peer) = await _running();
    client.track('');
    expect(client.takeNotices().single.text, 'an event was dropped: missing_name');
    expect(client.takeNotices(), <Object>[]);
    client.identify('undefined');
    final heard = <TrailmarkNotice>[];
    final subscription = client.notices.listen(heard.add);
    await until(() => heard.length == 1);
    client.track('');
    await client.flush();
    await until(() => heard.length == 2);
    await subscription.cancel();
    client.track('');
    await client.flush();
    expect([for (final notice in heard) notice.detail], ['junk_user_id', 'missing_name']);
    expect(client.takeNotices().length, 1);
    await _ended(client, peer);
  });

  await test('statics: are one client', () async {
    final peer = await Peer.start();
    Trailmark.track('before');
    holds(await Trailmark.init('tm_pk_test', apiHost: peer.url));
    holds(Trailmark.isRunning && Trailmark.anonymousId != null && Trailmark.sessionId != null);
    Trailmark.identify('u_7');
    expect([Trailmark.userId, Trailmark.isOptedOut, Trailmark.error], ['u_7', false, null]);
    expect((await Trailmark.flush()).delivered, 2);
    expect((await Trailmark.stats()).delivered, 2);
    await Trailmark.shutdown();
    await peer.stop();
  });
}
