/// Uncaught errors of isolates, where there are isolates.
library;

export 'isolate_stub.dart' if (dart.library.isolate) 'isolate_io.dart';
