/// Bytes that Rust allocated, and that whoever holds them hands back or frees.
final class _RustBuffer extends Struct {
  @Uint64()
  external int capacity;

  @Uint64()
  external int len;

  external Pointer<Uint8> data;

  Uint8List get bytes => len == 0 ? Uint8List(0) : data.asTypedList(len);
}

/// How a call ended.
final class _RustCallStatus extends Struct {
  @Int8()
  external int code;

  external _RustBuffer errorBuf;
}

typedef _Status = Pointer<_RustCallStatus>;

const _success = 0, _error = 1;

/// This isolate's, for all calls: no two are in Rust at the same time. It is Rust's memory, because not every platform
/// lets Dart find an allocator.
final _Status _status = _newStatus();

@Native<_Status Function()>(symbol: 'trailmark_dart_status', isLeaf: true)
external _Status _newStatus();

/// What `call` returns. It takes memory of Rust before it hands it over, so it must not throw in between.
T _call<T>(T Function(_Status status) call, {Object Function(_Reader from)? error}) {
  final status = _status;
  status.ref.code = _success;
  final result = call(status);
  if (status.ref.code != _success) _fail(status.ref, error);
  return result;
}

Never _fail(_RustCallStatus status, Object Function(_Reader from)? error) {
  final buffer = status.errorBuf;
  try {
    if (status.code == _error && error != null) throw _read(buffer, error);
    throw RustPanic(buffer.len == 0 ? 'without a word' : _text(buffer));
  } finally {
    buffer.len = 0;
  }
}

/// These bytes, for Rust.
_RustBuffer _buffer(Uint8List bytes) {
  final buffer = _call((status) => _rustbufferAlloc(bytes.length, status));
  buffer.bytes.setAll(0, bytes);
  return buffer;
}

String _text(_RustBuffer buffer) => _taken(buffer, utf8.decode);

T _read<T>(_RustBuffer buffer, T Function(_Reader from) read) => _taken(buffer, (bytes) {
  final from = _Reader(bytes);
  final value = read(from);
  return from.isAtEnd ? value : throw BindingMismatch.doesNotFit('something follows on $T');
});

T _taken<T>(_RustBuffer buffer, T Function(Uint8List bytes) take) {
  try {
    return take(buffer.bytes);
  } finally {
    _rustbufferFree(buffer, _status);
  }
}

final bool _library = _checked();

/// Once in an isolate: every object begins here.
void _ensureLibrary() => _library;

bool _checked() {
  try {
    _checkLibrary();
  } on ArgumentError catch (error) {
    throw BindingMismatch.notLoaded('${error.message}'.trim().replaceFirst(RegExp(r'[.]+$'), ''));
  }
  return true;
}

void _expect(int found, int expected, String symbol) {
  if (found != expected) throw BindingMismatch.doesNotFit('$symbol is $found, and not $expected');
}
