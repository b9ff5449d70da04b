// A plain VM has no code assets: it finds symbols in the process, once the library is there.
import 'dart:convert';
import 'dart:ffi';
import 'dart:io';
import 'dart:typed_data';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

@Native<Pointer<Void> Function(Pointer<Uint8>, Int32)>(symbol: 'dlopen', isLeaf: true)
external Pointer<Void> dlopen(Pointer<Uint8> path, int flags);

const _now = 2, _global = 0x100;

/// Loads `TRAILMARK_LIBRARY`, once for all isolates of the process.
void loadLibrary() {
  final path = Platform.environment['TRAILMARK_LIBRARY'] ?? (throw StateError('TRAILMARK_LIBRARY is not set'));
  final terminated = Uint8List.fromList([...utf8.encode(path), 0]);
  if (dlopen(terminated.address, _now | _global) == nullptr) throw StateError('$path cannot be loaded');
}

/// A device with the settings that there are by themselves.
VectorDevice newDevice() => VectorDevice('{"config":{}}');
