/// The back end of the platform that this is compiled for.
library;

// JavaScript first: the web's WebAssembly compiler knows `dart:ffi`, too.
export 'backend_stub.dart'
    if (dart.library.js_interop) 'backend_web.dart'
    if (dart.library.ffi) 'backend_io.dart';
