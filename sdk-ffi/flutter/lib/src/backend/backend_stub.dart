/// A platform with neither `dart:ffi` nor JavaScript: there is none today.
library;

import '../options.dart';
import '../report.dart';
import 'backend.dart';

/// Always fails, with [TrailmarkFault.library].
Backend openBackend(String writeKey, String apiHost, TrailmarkOptions options) =>
    throw const TrailmarkError(TrailmarkFault.library, 'Trailmark has no library for this platform');
