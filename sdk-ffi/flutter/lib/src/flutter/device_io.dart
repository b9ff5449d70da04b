/// The operating system.
library;

import 'dart:io';

/// Its name as Dart has it (`android`, `ios`, …), and its version as it says it itself.
({String name, String version})? operatingSystem() =>
    (name: Platform.operatingSystem, version: Platform.operatingSystemVersion);
