// The native layer of Trailmark: internal to its package.
//
// - Integers are checked when they go in: a negative or too large one is a [RangeError]. A u64 goes up to 2^63 - 1 in
//   Dart; one from Rust beyond that reads as a negative number.
// - Half a surrogate pair in a text goes in as U+FFFD.
// - An error of Rust is one of the sealed classes here; a panic is a [RustPanic].
// - A call on a closed object throws a [StateError]; an asynchronous one ends in it.
// - An object belongs to its isolate, and cannot be sent to another one. What an isolate that was killed had open stays
//   open: only the end of the process is sure.

import 'dart:async';
import 'dart:convert';
import 'dart:ffi';
import 'dart:isolate';
import 'dart:typed_data';

/// The library is missing, or is not the one that this binding was generated from.
final class BindingMismatch extends Error {
  /// It is not there.
  BindingMismatch.notLoaded(String why)
    : detail = 'The native library of Trailmark is not loaded: $why. '
          'From Dart 3.10 and Flutter 3.38 on, a build hook brings it into the app.';

  /// It is there, and is another one.
  BindingMismatch.doesNotFit(String why)
    : detail = 'The native library of Trailmark does not fit: $why. Regenerate with make ffi.';

  /// For people.
  final String detail;

  @override
  String toString() => detail;
}

/// Rust panicked, which is a bug worth reporting.
final class RustPanic implements Exception {
  RustPanic(this.detail);

  /// For people.
  final String detail;

  @override
  String toString() => 'RustPanic: $detail';
}

/// What has fields, compared by them.
abstract base class _Data {
  const _Data();

  String get _name;

  Map<String, Object?> get _fields;

  @override
  bool operator ==(Object other) => other is _Data && other._name == _name && _same(other._fields, _fields);

  @override
  int get hashCode => Object.hash(_name, _hash(_fields));

  @override
  String toString() => '$_name(${_fields.entries.map((field) => '${field.key}: ${field.value}').join(', ')})';
}

bool _same(Object? a, Object? b) => switch ((a, b)) {
  (final List<Object?> a, final List<Object?> b) =>
    a.length == b.length && Iterable<int>.generate(a.length).every((at) => _same(a[at], b[at])),
  (final Map<Object?, Object?> a, final Map<Object?, Object?> b) =>
    a.length == b.length && a.keys.every((key) => b.containsKey(key) && _same(a[key], b[key])),
  _ => a == b,
};

int _hash(Object? it) => switch (it) {
  final List<Object?> list => Object.hashAll(list.map(_hash)),
  final Map<Object?, Object?> map => Object.hashAllUnordered(map.entries.map((it) => Object.hash(it.key, _hash(it.value)))),
  _ => it.hashCode,
};

/// What holds something of Rust. [Finalizable], so that it cannot be sent: two isolates would both free it.
abstract base class _Object implements Finalizable {
  _Object(this._handle);

  /// 0 once it is closed; Rust has no such handle.
  int _handle;

  /// Whether [close] was called.
  bool get isClosed => _handle == 0;

  /// Lets go of Rust's object. Whatever is called after it throws a [StateError] that says which object is closed, but
  /// for this, which does nothing then. Futures that were handed out before still end.
  void close() {
    if (isClosed) return;
    final handle = _handle;
    _handle = 0;
    _release(handle);
  }

  void _release(int handle);

  int _open(String name) => isClosed ? throw StateError('$name is closed') : _handle;
}
