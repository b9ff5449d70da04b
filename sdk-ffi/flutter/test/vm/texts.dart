// Texts that no schoolbook has.
import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'library.dart';

const _tenMegabytes = 10 * 1024 * 1024;

Future<void> texts() async {
  await test('half a surrogate pair goes in as U+FFFD, and a whole one as it is', () {
    final device = VectorDevice('{"config":{"flush_at":1}}');
    final client = device.client()..track('a\ud83eb🦀c');
    final sent = device.step('{"do":"poll"}')!;
    check(sent.contains('a\ufffdb🦀c'), sent);
    client.close();
    device.close();
  });

  await test('texts of all scripts come back as they went in', () {
    final device = newDevice();
    final client = device.client();
    for (final text in ['ü@例え.jp', 'مرحبا', '👩‍👩‍👧', 'e\u0301', 'a\u2028b', '"\\/\b\f\n\r\t"']) {
      client.identify(text);
      same(client.userId(), text, 'user');
    }
    client.close();
    device.close();
  });

  await test('ten megabytes go in, and what is too large is counted', () {
    final device = newDevice();
    final client = device.client();
    final long = 'é' * (_tenMegabytes ~/ 2);
    client
      ..track('long', properties: '{"text":"$long"}')
      ..track(long)
      ..identify(long)
      ..track('no JSON', properties: long)
      ..captureException(Exception(thrown: [Thrown(kind: long, text: long, frames: const [])], handled: true, level: Level.error))
      ..register('{"text":"$long"}');
    final stats = client.stats();
    same(stats.captured, 5, 'captured');
    same(stats.panics, 0, 'panics');
    same(stats.queued + stats.dropped.values.fold(0, (a, b) => a + b), 5, 'queued or dropped');
    same('${stats.dropped.keys.toList()..sort()}', '[id_too_long, invalid_event, name_too_long]', 'reasons');
    client.close();
    device.close();
  });

  await test('ten megabytes come back', () async {
    final device = newDevice();
    final long = 'é' * (_tenMegabytes ~/ 2);
    final error = await thrown<VectorErrorFormat>(() => device.step('{"do":"$long"}'));
    check(error.detail.endsWith(long), '${error.detail.length} characters');
    device.close();
  });
}
