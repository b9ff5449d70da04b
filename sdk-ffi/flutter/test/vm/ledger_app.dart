// The program that the tests of `kill -9` start and kill: it captures until all are captured, in this life or an earlier
// one, and delivers until none is queued. What was captured is what the client remembers; it has no memory of its own.
import 'dart:io';

import 'package:trailmark_flutter/trailmark.dart';

import 'library.dart';

/// Events between two words, after any of which it may be killed.
const _stride = 20;

Future<void> main() async {
  loadLibrary();
  final told = Platform.environment;
  final runs = await Trailmark.init(
    told['DEVICE_KEY']!,
    apiHost: told['DEVICE_URL']!,
    options: TrailmarkOptions(
      directory: told['DEVICE_DIRECTORY'],
      flushAt: 200,
      backoff: (base: const Duration(milliseconds: 10), cap: const Duration(milliseconds: 100)),
    ),
  );
  if (!runs) throw Trailmark.error!;
  final events = int.parse(told['DEVICE_EVENTS'] ?? '10000');
  for (var n = (await Trailmark.stats()).captured; n < events; n++) {
    Trailmark.track('tracked', properties: {'n': n});
    if (n % _stride == 0) await _say('captured');
  }
  while ((await Trailmark.flush()).pending > 0) {
    await _say('delivering');
  }
  await _say('finished');
}

Future<void> _say(String word) {
  stdout.writeln(word);
  return stdout.flush();
}
