import 'dart:async';
import 'dart:io';

import 'package:trailmark_flutter/src/kept_calls.dart';
import 'package:trailmark_flutter/trailmark.dart';

import '../check.dart';
import 'peer.dart';
import 'support.dart';

/// A framework that takes its time, as one that asks for a directory does.
final class _Slow implements TrailmarkPlatform {
  final Completer<String> directory = Completer();
  final List<String> heard = [];

  @override
  Future<TrailmarkOptions> complete(TrailmarkOptions options) async =>
      options.within(directory: switch (await directory.future) { '' => null, final path => path }, context: {'locale': 'de-DE'});

  @override
  void attach(TrailmarkClient client) {
    heard.add('attach');
    client.appOpened('1.0');
  }

  @override
  void detach() => heard.add('detach');
}

final class _Broken implements TrailmarkPlatform {
  @override
  Future<TrailmarkOptions> complete(TrailmarkOptions options) => throw StateError('complete');

  @override
  void attach(TrailmarkClient client) => throw StateError('attach');

  @override
  void detach() => throw StateError('detach');
}

/// What an `init` without the library says. It must come before the library is loaded.
Future<void> withoutLibrary() async {
  await test('init: without the native library it says so, and throws nothing', () async {
    final client = TrailmarkClient()..track('kept');
    holds(!await client.init('tm_pk_test', apiHost: 'http://127.0.0.1:9'));
    expect([client.error!.fault.name, (await client.stats()).kept], ['library', 1]);
    expect([client.anonymousId, (await client.shutdown()).pending], [null, 1]);
  });
}

Future<void> init() async {
  await test('init: calls before it are kept in their order, with what was passed then', () async {
    final peer = await Peer.start();
    final client = TrailmarkClient();
    final properties = {'n': 1};
    client.track('first', properties: properties);
    properties['n'] = 2;
    client
      ..identify('u_7', set: {'plan': 'pro'})
      ..register({'theme': 'dark'})
      ..screen('Cart')
      ..captureException(StateError('early'), StackTrace.current)
      ..captureRequest('GET', Uri.parse('https://api.example.com/a?token=x'), status: 200)
      ..track('last');
    expect((await client.stats()).kept, 7);
    expect([client.userId, client.isOptedOut, client.takeNotices().length], [null, false, 0]);
    expect((await client.flush()).pending, 7);

    holds(await client.init('tm_pk_test', apiHost: peer.url));
    expect((await client.stats()).kept, 0);
    expect(client.userId, 'u_7');
    expect((await client.shutdown()).delivered, 6);
    expect(peer.names, ['first', r'$identify', r'$screen', r'$exception', r'$request', 'last']);
    expect(peer.propertiesOf('first'), [{'n': 1}]);
    expect(peer.propertiesOf('last'), [{'theme': 'dark'}]);
    expect(peer.sdk, 'trailmark-dart/0.1.0');
    await peer.stop();
  });

  await test('init: calls while a framework takes its time are kept; that the app was opened goes first', () async {
    final peer = await Peer.start();
    final directory = Directory.systemTemp.createTempSync();
    final (client, platform) = (TrailmarkClient()..track('before'), _Slow());
    final starting = client.init('tm_pk_test', apiHost: peer.url, platform: platform);
    client.track('meanwhile');
    holds(!client.isRunning);
    final stopping = client.shutdown();
    platform.directory.complete(directory.path);
    holds(await starting);
    await stopping;
    expect(peer.names, [r'$app_installed', r'$app_opened', 'before', 'meanwhile']);
    expect((peer.events.first['context']! as Map<String, Object?>)['locale'], 'de-DE');
    expect(platform.heard, ['attach', 'detach']);
    holds(directory.listSync().isNotEmpty);
    directory.deleteSync(recursive: true);
    await peer.stop();
  });

  await test('init: a framework that fails costs what it would have added, and nothing else', () async {
    final peer = await Peer.start();
    final client = TrailmarkClient()..track('kept');
    holds(await client.init('tm_pk_test', apiHost: peer.url, platform: _Broken()));
    expect((await client.shutdown()).delivered, 1);
    expect((await client.stats()).failedCalls, 3);
    await peer.stop();
  });

  await test('init: an opt-out before it holds, however many calls came before', () async {
    final peer = await Peer.start();
    final (client, platform) = (TrailmarkClient(), _Slow()..directory.complete(''));
    for (var n = 0; n < KeptCalls.maxEvents + 1; n++) {
      client.track('tracked');
    }
    client
      ..identify('u_7')
      ..register({'theme': 'dark'})
      ..optOut()
      ..track('later');
    expect((await client.stats()).notKept, KeptCalls.maxEvents + 1);
    holds(await client.init('tm_pk_test', apiHost: peer.url, platform: platform, options: const TrailmarkOptions(flushAt: 1)));
    holds(client.isOptedOut);
    final stats = await client.stats();
    // What came behind the opt-out, and that the app was opened: the core was asked, and did not.
    expect([stats.captured, stats.ignored > 0], [0, true]);
    await client.shutdown();
    expect([peer.names, platform.heard], [<Object>[], ['attach', 'detach']]);
    await peer.stop();
  });

  await test('init: who opted in again is captured, as who they are', () async {
    final peer = await Peer.start();
    final client = TrailmarkClient()
      ..identify('u_7')
      ..register({'theme': 'dark'})
      ..track('before')
      ..optOut()
      ..track('never')
      ..optIn()
      ..track('after');
    holds(await client.init('tm_pk_test', apiHost: peer.url));
    await client.shutdown();
    expect([peer.names.last, peer.events.last['user_id'], peer.propertiesOf('after')], ['after', 'u_7', [{'theme': 'dark'}]]);
    holds(!peer.names.contains('before') && !peer.names.contains('never'), peer.names);
    await peer.stop();
  });

  await test('init: a deletion before it is of who was there, and no opt-out makes it undone', () async {
    final peer = await Peer.start();
    final (client, platform) = (TrailmarkClient(), _Slow()..directory.complete(''));
    client
      ..track('before')
      ..identify('u_7')
      ..deleteMyData()
      ..optOut();
    holds(await client.init('tm_pk_test', apiHost: peer.url, platform: platform));
    holds(client.isOptedOut);
    await client.shutdown();
    expect([peer.names.last, peer.events.last['user_id']], [r'$erase', 'u_7']);
    holds(!peer.names.contains('before') && !peer.names.contains(r'$app_opened'), peer.names);
    await peer.stop();
  });

  await test('init: calls that change something are kept when no event is', () async {
    final client = TrailmarkClient();
    for (var n = 0; n < KeptCalls.maxEvents + 5; n++) {
      client.track('tracked');
    }
    client
      ..identify('u_7')
      ..track('too many');
    final stats = await client.stats();
    expect([stats.kept, stats.notKept], [KeptCalls.maxEvents + 1, 6]);
    holds(await client.init('tm_pk_test', apiHost: 'http://127.0.0.1:9'));
    expect(client.userId, 'u_7');
    await client.shutdown(timeout: Duration.zero);
  });

  await test('kept: without end of what changes something, only consent is kept, and it stays small', () {
    final kept = KeptCalls();
    void keep(KeptKind kind) => kept.keep(kind, (_) {}, 1);
    for (var n = 0; n < KeptCalls.maxChanges + 1; n++) {
      keep(KeptKind.change);
    }
    keep(KeptKind.event);
    expect([kept.length, kept.refused], [KeptCalls.maxChanges, 2]);
    for (var n = 0; n < 1000; n++) {
      [KeptKind.optOut, KeptKind.optIn, KeptKind.deletion].forEach(keep);
    }
    keep(KeptKind.optOut);
    expect([kept.length, kept.refused], [KeptCalls.maxChanges + 2, 2]);
    expect([kept.take().first.length, kept.length], [KeptCalls.maxChanges + 2, 0]);
  });

  await test('init: more calls than can be kept are counted, and what is kept is what came first', () async {
    final client = TrailmarkClient();
    for (var n = 0; n < KeptCalls.maxEvents + 5; n++) {
      client.track('kept');
    }
    final stats = await client.stats();
    expect([stats.kept, stats.notKept], [KeptCalls.maxEvents, 5]);

    final long = TrailmarkClient();
    final half = {'text': 'x' * (KeptCalls.maxCharacters ~/ 2)};
    long
      ..track('a', properties: half)
      ..track('b', properties: half)
      ..track('c');
    final counted = await long.stats();
    expect([counted.kept, counted.notKept], [1, 2]);
    holds(await client.init('tm_pk_test', apiHost: 'http://127.0.0.1:9'));
    expect((await client.stats()).captured, KeptCalls.maxEvents);
    await client.shutdown(timeout: Duration.zero);
  });

  await test('init: what is wrong is told by its kind, throws nothing, and another attempt may be made', () async {
    final client = TrailmarkClient()..track('kept');
    Future<String> fault(String key, String host, [TrailmarkOptions options = const TrailmarkOptions()]) async {
      holds(!await client.init(key, apiHost: host, options: options));
      return client.error!.fault.name;
    }

    expect(await fault('tm_pk_test', 'nonsense'), 'url');
    expect(await fault('', 'http://127.0.0.1:9'), 'setting');
    expect(await fault('tm_pk_test', 'http://127.0.0.1:9', const TrailmarkOptions(flushAt: -1)), 'setting');
    expect(await fault('tm_pk_test', 'https://127.0.0.1:9', const TrailmarkOptions(extraRootPem: 'no PEM')), 'transport');
    expect(await fault('tm_pk_test', 'http://127.0.0.1:9', const TrailmarkOptions(proxy: '::')), 'transport');
    holds(await client.init('tm_pk_test', apiHost: 'http://127.0.0.1:9'));
    expect([client.error, (await client.stats()).captured], [null, 1]);
    await client.shutdown(timeout: Duration.zero);
  });

  await test('init: a second one leaves the first as it is', () async {
    final client = TrailmarkClient();
    final results = await Future.wait([
      client.init('tm_pk_test', apiHost: 'http://127.0.0.1:9'),
      client.init('tm_pk_other', apiHost: 'http://127.0.0.1:9'),
    ]);
    expect([results, client.error!.fault.name], [[true, true], 'alreadyRunning']);
    await client.shutdown(timeout: Duration.zero);
    holds(!client.isRunning);
    holds(await client.init('tm_pk_other', apiHost: 'http://127.0.0.1:9'));
    holds(client.isRunning);
    await client.shutdown(timeout: Duration.zero);
  });

  await test('init: all options arrive', () async {
    final directory = Directory.systemTemp.createTempSync();
    final client = TrailmarkClient();
    final options = TrailmarkOptions(
      directory: directory.path,
      durability: const TrailmarkDurability.within(Duration(milliseconds: 250)),
      context: const {'locale': 'fr-FR'},
      anonymousId: 'device-9',
      installId: 'install-9',
      flushAt: 3,
      flushInterval: const Duration(hours: 1),
      maxBatchEvents: 10,
      maxQueueEvents: 4,
      maxQueueBytes: 1000000,
      maxAge: const Duration(days: 1),
      sessionIdle: const Duration(minutes: 1),
      sessionMax: const Duration(hours: 1),
      backoff: (base: const Duration(milliseconds: 10), cap: const Duration(milliseconds: 20)),
      requestTimeout: const Duration(seconds: 5),
    );
    holds(await client.init('tm_pk_test', apiHost: 'http://127.0.0.1:9', options: options), client.error);
    expect([client.anonymousId, client.installId], ['device-9', 'install-9']);
    for (var n = 0; n < 6; n++) {
      client.track('tracked');
    }
    final stats = await client.stats();
    expect([stats.queued, stats.dropped, stats.storage.name], [4, {'queue_full': 2}, 'saved']);
    await client.shutdown(timeout: Duration.zero);
    directory.deleteSync(recursive: true);
  });
}
