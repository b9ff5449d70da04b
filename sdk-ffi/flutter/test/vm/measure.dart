// What a call costs. Printed, not judged: a machine that others use as well is no bench. scripts/bench.sh ffi runs it.
import 'package:trailmark_flutter/src/generated/trailmark.g.dart' as native;
import 'package:trailmark_flutter/trailmark.dart';

import 'library.dart';

const _calls = 200000, _warmUp = 20000;

/// Nobody listens there.
const _host = 'http://127.0.0.1:9', _key = 'tm_pk_example';

Future<void> main() async {
  final loading = Stopwatch()..start();
  loadLibrary();
  final loaded = loading.elapsedMicroseconds;
  await Trailmark.init(_key, apiHost: _host, options: const TrailmarkOptions(flushInterval: Duration(hours: 1)));
  Trailmark.track('first');
  print('library to the first track returned: ${_ms(loading.elapsedMicroseconds)} ms, ${_ms(loaded)} of them to load it');

  final generated = native.Client.open(const native.Config(url: _host, writeKey: _key, flushIntervalMs: 3600000));
  const json = '{"total":12.5,"currency":"EUR","items":3}';
  const cart = {'total': 12.5, 'currency': 'EUR', 'items': 3};
  _time('track of the package', () => Trailmark.track('checkout', properties: cart));
  _time('track of the generated layer, with JSON text', () => generated.track('checkout', properties: json));
  generated.shutdown(0);
  await Trailmark.shutdown(timeout: Duration.zero);
}

void _time(String what, void Function() call) {
  for (var n = 0; n < _warmUp; n++) call();
  final watch = Stopwatch()..start();
  for (var n = 0; n < _calls; n++) call();
  print('$what: ${(watch.elapsedMicroseconds / _calls).toStringAsFixed(1)} µs');
}

String _ms(int micros) => (micros / 1000).toStringAsFixed(1);
