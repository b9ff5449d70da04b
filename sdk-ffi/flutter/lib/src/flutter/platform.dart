/// What Flutter adds to a client.
library;

import 'dart:async';

import 'package:flutter/foundation.dart';
import 'package:flutter/widgets.dart';
import 'package:path_provider/path_provider.dart';

import '../client.dart';
import '../options.dart';
import '../platform.dart';
import 'context.dart';
import 'device.dart';
import 'errors.dart';
import 'lifecycle.dart';

/// The app, as its developer calls it.
///
/// Flutter does not tell them to an app. A plugin such as `package_info_plus` does, or a `--dart-define`.
final class TrailmarkApp {
  /// An app of this [name] and [version].
  const TrailmarkApp({this.name, this.version});

  /// `Shop`.
  final String? name;

  /// `1.4.2`. With it, `$app_installed` and `$app_updated` mean something, and errors are told apart by it.
  final String? version;
}

/// Makes a client an app's: a place for its events, what is known of the device, when the app comes and goes, and the
/// errors that nobody caught. Give it to `Trailmark.init(platform: TrailmarkFlutter())`.
final class TrailmarkFlutter implements TrailmarkPlatform {
  /// All of it, unless something is turned off.
  ///
  /// - [lifecycle]: `$app_opened`, `$app_installed`, `$app_updated` and `$app_backgrounded`, and a flush on the way to
  ///   the background.
  /// - [errors]: `$exception` for what reaches `FlutterError.onError`, `PlatformDispatcher.onError` or the isolate. The
  ///   handlers that were there are still called.
  /// - [deviceContext]: app, system, kind of device, screen and locale in every event.
  TrailmarkFlutter({
    this.app = const TrailmarkApp(),
    this.lifecycle = true,
    this.errors = true,
    this.deviceContext = true,
  });

  /// The app's name and version.
  final TrailmarkApp app;

  /// Whether the app's coming and going is captured.
  final bool lifecycle;

  /// Whether uncaught errors are captured.
  final bool errors;

  /// Whether events have what is known of the device.
  final bool deviceContext;

  AppLifecycleListener? _listener;
  FlutterErrors? _errors;

  @override
  Future<TrailmarkOptions> complete(TrailmarkOptions options) async {
    WidgetsFlutterBinding.ensureInitialized();
    return options.within(
      directory: options.directory ?? await _supportDirectory(),
      context: {if (deviceContext) ..._context(), ...?options.context},
    );
  }

  @override
  void attach(TrailmarkClient client) {
    if (errors) _errors = FlutterErrors(client)..install();
    if (lifecycle) _follow(client);
  }

  @override
  void detach() {
    _errors?.remove();
    _listener?.dispose();
    _errors = null;
    _listener = null;
  }

  void _follow(TrailmarkClient client) {
    final version = app.version ?? '';
    final tracker = LifecycleTracker();
    client.appOpened(version);
    _listener = AppLifecycleListener(
      onStateChange: (state) {
        switch (tracker.changedTo(state.name)) {
          case AppMove.backgrounded:
            client.appBackgrounded();
            unawaited(client.flush());
          case AppMove.opened:
            client.appOpened(version, fromBackground: true);
          case null:
        }
      },
    );
  }

  Map<String, Object?> _context() {
    final view = WidgetsBinding.instance.platformDispatcher.implicitView;
    final system = operatingSystem();
    return deviceContextOf(
      appName: app.name,
      appVersion: app.version,
      os: system?.name,
      osVersion: system?.version,
      locale: WidgetsBinding.instance.platformDispatcher.locale.toLanguageTag(),
      width: view?.physicalSize.width,
      height: view?.physicalSize.height,
      scale: view?.devicePixelRatio,
    );
  }
}

/// A place that the system neither empties nor shows to the user. The web has its own.
///
/// Where there is none, events are kept in memory, and `stats().storage` says so.
Future<String?> _supportDirectory() async {
  if (kIsWeb) return null;
  try {
    return '${(await getApplicationSupportDirectory()).path}/trailmark';
  } catch (_) {
    return null;
  }
}
