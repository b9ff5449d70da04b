import 'dart:async';

import 'package:flutter/material.dart';
import 'package:trailmark_flutter/trailmark_flutter.dart';

const _key = String.fromEnvironment('TRAILMARK_KEY', defaultValue: 'tm_pk_example');
const _host = String.fromEnvironment('TRAILMARK_HOST', defaultValue: 'http://127.0.0.1:7700');

Future<void> main() async {
  WidgetsFlutterBinding.ensureInitialized();
  // Before init: it is kept.
  Trailmark.track('main began');
  final runs = await Trailmark.init(
    _key,
    apiHost: _host,
    platform: TrailmarkFlutter(app: const TrailmarkApp(name: 'Example', version: '1.0.0')),
  );
  if (!runs) debugPrint('no analytics: ${Trailmark.error}');
  Trailmark.notices.listen((notice) => debugPrint('analytics: $notice'));
  runApp(const Example());
}

class Example extends StatelessWidget {
  const Example({super.key});

  @override
  Widget build(BuildContext context) => MaterialApp(
    title: 'Trailmark',
    navigatorObservers: [TrailmarkObserver()],
    routes: {'/': (_) => const Calls(), '/cart': (_) => const Cart()},
  );
}

/// A screen of its own, which the observer captures.
class Cart extends StatelessWidget {
  const Cart({super.key});

  @override
  Widget build(BuildContext context) => Scaffold(appBar: AppBar(title: const Text('Cart')));
}

/// One button for each call.
class Calls extends StatefulWidget {
  const Calls({super.key});

  @override
  State<Calls> createState() => _CallsState();
}

class _CallsState extends State<Calls> {
  final TrailmarkHttpClient _api = TrailmarkHttpClient();
  String _shown = '';

  @override
  void dispose() {
    _api.close();
    super.dispose();
  }

  late final Map<String, FutureOr<void> Function()> _calls = {
    'track': () => Trailmark.track('checkout', properties: {'total': 12.5, 'items': 3}),
    'screen': () => Trailmark.screen('Calls'),
    'screen, by the observer': () => Navigator.of(context).pushNamed('/cart'),
    'identify': () => Trailmark.identify('u_7', set: {'plan': 'pro'}, setOnce: {'first_seen': DateTime.now()}),
    'setPersonProperties': () => Trailmark.setPersonProperties(set: {'plan': 'team'}),
    'alias': () => Trailmark.alias('ada@example.com'),
    'group': () => Trailmark.group('company', 'acme', properties: {'seats': 5}),
    'register': () => Trailmark.register({'theme': 'dark'}),
    'registerOnce': () => Trailmark.registerOnce({'campaign': 'spring'}),
    'unregister': () => Trailmark.unregister('theme'),
    'setContext': () => Trailmark.setContext({'locale': 'de-DE'}),
    'captureException': _captureException,
    'an uncaught error of a widget': () => throw StateError('nobody catches this'),
    'an uncaught error of a future': () => unawaited(Future(() => throw StateError('nor this'))),
    'runGuarded': () => Trailmark.runGuarded(() => throw StateError('within'), onError: (error, _) => _show('$error')),
    'captureRequest': () => Trailmark.captureRequest('GET', Uri.parse('https://example.com/cart'), status: 200),
    'TrailmarkHttpClient': _request,
    'capture': () => Trailmark.capture('imported', userId: 'u_9', timestamp: DateTime.utc(2026, 11)),
    'appOpened': () => Trailmark.appOpened('1.0.1'),
    'appBackgrounded': Trailmark.appBackgrounded,
    'reset': Trailmark.reset,
    'optOut': Trailmark.optOut,
    'optIn': Trailmark.optIn,
    'deleteMyData': Trailmark.deleteMyData,
    'ids': () => _show(
      'install ${Trailmark.installId}\ndevice ${Trailmark.anonymousId}\nuser ${Trailmark.userId}\n'
      'session ${Trailmark.sessionId}\nopted out ${Trailmark.isOptedOut}',
    ),
    'takeNotices': () => _show(Trailmark.takeNotices().join('\n')),
    'flush': () async => _show('${await Trailmark.flush()}'),
    'stats': () async => _show('${await Trailmark.stats()}'),
    'shutdown': () async => _show('${await Trailmark.shutdown(timeout: const Duration(seconds: 5))}'),
  };

  void _captureException() {
    try {
      throw StateError('no card');
    } catch (error, stackTrace) {
      Trailmark.captureException(error, stackTrace, fingerprint: 'checkout', properties: {'cart': 7});
    }
  }

  Future<void> _request() async {
    try {
      await _api.get(Uri.parse('$_host/healthz'));
    } catch (error) {
      _show('$error');
    }
  }

  void _show(String text) {
    if (mounted) setState(() => _shown = text);
  }

  @override
  Widget build(BuildContext context) => Scaffold(
    appBar: AppBar(title: Text(Trailmark.isRunning ? 'Trailmark' : 'Trailmark: ${Trailmark.error}')),
    body: ListView(
      padding: const EdgeInsets.all(16),
      children: [
        SelectableText(_shown),
        for (final MapEntry(key: name, value: call) in _calls.entries)
          Padding(
            padding: const EdgeInsets.symmetric(vertical: 4),
            child: FilledButton(onPressed: () => call(), child: Text(name)),
          ),
      ],
    ),
  );
}
