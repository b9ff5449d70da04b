/// Trailmark for Flutter: product analytics that you host yourself.
///
/// ```dart
/// Future<void> main() async {
///   WidgetsFlutterBinding.ensureInitialized();
///   await Trailmark.init('tm_pk_…', apiHost: 'https://analytics.example.com', platform: TrailmarkFlutter());
///   runApp(MaterialApp(navigatorObservers: [TrailmarkObserver()], home: const Shop()));
/// }
/// ```
library;

export 'http.dart';
export 'src/flutter/observer.dart' show RouteNameExtractor, RouteFilter, TrailmarkObserver;
export 'src/flutter/platform.dart' show TrailmarkApp, TrailmarkFlutter;
export 'trailmark.dart';
