/// The system that this runs on.
library;

export 'device_stub.dart' if (dart.library.io) 'device_io.dart';
