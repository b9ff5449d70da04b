/// Screens as routes.
library;

import 'package:flutter/widgets.dart';

import '../client.dart';
import '../trailmark.dart';

/// The name of a route's screen; nothing if it is none.
typedef RouteNameExtractor = String? Function(RouteSettings settings);

/// Whether a route is a screen.
typedef RouteFilter = bool Function(Route<dynamic>? route);

String? _nameOf(RouteSettings settings) => settings.name;

bool _isPage(Route<dynamic>? route) => route is PageRoute;

/// Captures `$screen` when a route comes to the top: it is pushed, takes another one's place, or the one above it goes.
///
/// Give it to `MaterialApp(navigatorObservers: [TrailmarkObserver()])` or to go_router's `observers`. Routes without a
/// name are skipped, and so are dialogs and sheets, which are no [PageRoute].
class TrailmarkObserver extends RouteObserver<ModalRoute<dynamic>> {
  /// An observer that captures with [client]; by default with [Trailmark].
  TrailmarkObserver({
    TrailmarkClient? client,
    RouteNameExtractor nameExtractor = _nameOf,
    RouteFilter routeFilter = _isPage,
  }) : _client = client ?? Trailmark.instance,
       _nameExtractor = nameExtractor,
       _routeFilter = routeFilter;

  final TrailmarkClient _client;
  final RouteNameExtractor _nameExtractor;
  final RouteFilter _routeFilter;

  @override
  void didPush(Route<dynamic> route, Route<dynamic>? previousRoute) {
    super.didPush(route, previousRoute);
    _shown(route);
  }

  @override
  void didReplace({Route<dynamic>? newRoute, Route<dynamic>? oldRoute}) {
    super.didReplace(newRoute: newRoute, oldRoute: oldRoute);
    _shown(newRoute);
  }

  @override
  void didPop(Route<dynamic> route, Route<dynamic>? previousRoute) {
    super.didPop(route, previousRoute);
    // A dialog that goes uncovers a screen that was there all the time.
    if (route is PageRoute) _shown(previousRoute);
  }

  void _shown(Route<dynamic>? route) {
    try {
      if (route == null || !_routeFilter(route)) return;
      final name = _nameExtractor(route.settings);
      if (name != null && name.isNotEmpty) _client.screen(name);
    } catch (error, stackTrace) {
      // The app's extractor or filter: no navigation fails because of it, but somebody should know.
      _client.captureException(error, stackTrace);
    }
  }
}
