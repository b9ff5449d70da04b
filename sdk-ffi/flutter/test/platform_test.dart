import 'package:flutter/foundation.dart';
import 'package:flutter/widgets.dart';
import 'package:flutter_test/flutter_test.dart';
import 'package:trailmark_flutter/src/flutter/errors.dart';
import 'package:trailmark_flutter/trailmark_flutter.dart';

import 'support/recorder.dart';

final class _Mute implements Exception {
  @override
  String toString() => throw StateError('no string form');
}

void main() {
  testWidgets('the app that comes and goes is told, with a flush on the way out', (tester) async {
    final recorder = Recorder();
    final platform = TrailmarkFlutter(app: const TrailmarkApp(version: '1.4.2'), errors: false)..attach(recorder.client);
    const states = [
      AppLifecycleState.inactive,
      AppLifecycleState.hidden,
      AppLifecycleState.paused,
      AppLifecycleState.hidden,
      AppLifecycleState.inactive,
      AppLifecycleState.resumed,
    ];
    states.forEach(tester.binding.handleAppLifecycleStateChanged);
    platform.detach();
    tester.binding
      ..handleAppLifecycleStateChanged(AppLifecycleState.inactive)
      ..handleAppLifecycleStateChanged(AppLifecycleState.hidden)
      ..handleAppLifecycleStateChanged(AppLifecycleState.inactive)
      ..handleAppLifecycleStateChanged(AppLifecycleState.resumed);
    expect(recorder.calls, ['appOpened 1.4.2 false', 'appBackgrounded', 'flush', 'appOpened 1.4.2 true']);
  });

  testWidgets('events know the device, and what the app says wins', (tester) async {
    tester.view
      ..physicalSize = const Size(1080, 2400)
      ..devicePixelRatio = 2.75;
    addTearDown(tester.view.reset);
    final completed = await TrailmarkFlutter(app: const TrailmarkApp(name: 'Shop', version: '1.4.2')).complete(
      const TrailmarkOptions(directory: 'somewhere', context: {'locale': 'fr-FR', 'tenant': 'acme'}),
    );
    expect(completed.directory, 'somewhere');
    expect(completed.context, containsPair('app', {'name': 'Shop', 'version': '1.4.2'}));
    expect(completed.context, containsPair('locale', 'fr-FR'));
    expect(completed.context, containsPair('tenant', 'acme'));
    expect(completed.context, containsPair('screen', {'width': 1080, 'height': 2400, 'scale': 2.75}));
  });

  test('an error without a string form reaches the handlers that were there', () {
    final (recorder, told) = (Recorder(), <Object>[]);
    final (ofFlutter, ofEngine) = (FlutterError.onError, PlatformDispatcher.instance.onError);
    FlutterError.onError = (details) => told.add(details.exception);
    PlatformDispatcher.instance.onError = (error, _) {
      told.add(error);
      return true;
    };
    final errors = FlutterErrors(recorder.client)..install();
    final error = _Mute();
    FlutterError.onError!(FlutterErrorDetails(exception: error));
    expect(PlatformDispatcher.instance.onError!(error, StackTrace.empty), isTrue);
    errors.remove();
    FlutterError.onError = ofFlutter;
    PlatformDispatcher.instance.onError = ofEngine;
    expect(told.length, 2);
    expect(recorder.calls, ['captureException  false']);
  });

  test('errors of Flutter and of the engine are captured, and told to whom they were told before', () {
    final (recorder, told) = (Recorder(), <String>[]);
    final (ofFlutter, ofEngine) = (FlutterError.onError, PlatformDispatcher.instance.onError);
    FlutterError.onError = (details) => told.add('flutter ${details.exception}');
    PlatformDispatcher.instance.onError = (error, _) {
      told.add('engine $error');
      return true;
    };
    final errors = FlutterErrors(recorder.client)..install();
    FlutterError.onError!(FlutterErrorDetails(exception: StateError('a')));
    FlutterError.onError!(FlutterErrorDetails(exception: StateError('silent'), silent: true));
    expect(PlatformDispatcher.instance.onError!(StateError('b'), StackTrace.empty), isTrue);
    errors.remove();
    FlutterError.onError!(FlutterErrorDetails(exception: StateError('c')));
    FlutterError.onError = ofFlutter;
    PlatformDispatcher.instance.onError = ofEngine;
    expect(recorder.calls, ['captureException Bad state: a false', 'captureException Bad state: b false']);
    expect(told, [
      'flutter Bad state: a',
      'flutter Bad state: silent',
      'engine Bad state: b',
      'flutter Bad state: c',
    ]);
  });
}
