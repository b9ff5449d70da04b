/// Trailmark for Dart without Flutter: servers, command lines, and the shared code of an app.
///
/// A Flutter app imports `trailmark_flutter.dart`, which has all of this.
library;

export 'src/client.dart' show TrailmarkClient;
export 'src/exception.dart' show TrailmarkLevel;
export 'src/options.dart' show TrailmarkDurability, TrailmarkOptions;
export 'src/platform.dart' show TrailmarkPlatform;
export 'src/report.dart'
    show TrailmarkError, TrailmarkFault, TrailmarkFlushReport, TrailmarkNotice, TrailmarkStats, TrailmarkStorage;
export 'src/trailmark.dart' show Trailmark;
