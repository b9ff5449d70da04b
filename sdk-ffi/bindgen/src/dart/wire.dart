int _inRange(int value, int lowest, int highest, String name) =>
    value < lowest || value > highest ? throw RangeError.range(value, lowest, highest, name) : value;

int _u8(int value, String name) => _inRange(value, 0, 0xff, name);
int _i8(int value, String name) => _inRange(value, -0x80, 0x7f, name);
int _u16(int value, String name) => _inRange(value, 0, 0xffff, name);
int _i16(int value, String name) => _inRange(value, -0x8000, 0x7fff, name);
int _u32(int value, String name) => _inRange(value, 0, 0xffffffff, name);
int _i32(int value, String name) => _inRange(value, -0x80000000, 0x7fffffff, name);
int _u64(int value, String name) => _inRange(value, 0, 0x7fffffffffffffff, name);
int _i64(int value, String name) => value;

Uint8List _written(void Function(_Writer to) write) {
  final to = _Writer();
  write(to);
  return Uint8List.sublistView(to._bytes, 0, to._length);
}

/// uniffi's serialisation: big-endian, lengths and variants as i32, variants from 1.
final class _Writer {
  Uint8List _bytes = Uint8List(256);
  late ByteData _data = ByteData.sublistView(_bytes);
  int _length = 0;

  /// The data, with room for `size` bytes more, which end at [_length].
  ByteData _grown(int size) {
    _length += size;
    if (_length > _bytes.length) {
      _bytes = Uint8List(_length * 2)..setAll(0, _bytes);
      _data = ByteData.sublistView(_bytes);
    }
    return _data;
  }

  void u8(int value, String name) => _grown(1).setUint8(_length - 1, _u8(value, name));
  void i8(int value, String name) => _grown(1).setInt8(_length - 1, _i8(value, name));
  void u16(int value, String name) => _grown(2).setUint16(_length - 2, _u16(value, name));
  void i16(int value, String name) => _grown(2).setInt16(_length - 2, _i16(value, name));
  void u32(int value, String name) => _grown(4).setUint32(_length - 4, _u32(value, name));
  void i32(int value, String name) => _grown(4).setInt32(_length - 4, _i32(value, name));
  void u64(int value, String name) => _grown(8).setUint64(_length - 8, _u64(value, name));
  void i64(int value, String name) => _grown(8).setInt64(_length - 8, value);
  void f64(double value) => _grown(8).setFloat64(_length - 8, value);
  void boolean(bool value) => u8(value ? 1 : 0, '');

  void string(String value) {
    final bytes = utf8.encode(value);
    i32(bytes.length, 'length');
    _grown(bytes.length);
    _bytes.setAll(_length - bytes.length, bytes);
  }

  void option<T extends Object>(T? value, void Function(T it) write) {
    boolean(value != null);
    if (value != null) write(value);
  }

  void list<T>(List<T> values, void Function(T it) write) {
    i32(values.length, 'length');
    values.forEach(write);
  }

  void map<T>(Map<String, T> values, void Function(T it) write) {
    i32(values.length, 'length');
    values.forEach((key, value) {
      string(key);
      write(value);
    });
  }
}

/// Reads what a [_Writer] of Rust wrote.
final class _Reader {
  _Reader(this._bytes) : _data = ByteData.sublistView(_bytes);

  final Uint8List _bytes;
  final ByteData _data;
  int _at = 0;

  bool get isAtEnd => _at == _bytes.length;

  int _next(int size) {
    final at = _at;
    _at += size;
    return at;
  }

  int u8() => _data.getUint8(_next(1));
  int i8() => _data.getInt8(_next(1));
  int u16() => _data.getUint16(_next(2));
  int i16() => _data.getInt16(_next(2));
  int u32() => _data.getUint32(_next(4));
  int i32() => _data.getInt32(_next(4));
  int u64() => _data.getUint64(_next(8));
  int i64() => _data.getInt64(_next(8));
  double f64() => _data.getFloat64(_next(8));
  bool boolean() => u8() != 0;

  String string() {
    final length = i32();
    final at = _next(length);
    return utf8.decode(Uint8List.sublistView(_bytes, at, at + length));
  }

  T? option<T extends Object>(T Function() read) => boolean() ? read() : null;

  List<T> list<T>(T Function() read) => List.generate(i32(), (_) => read());

  Map<String, T> map<T>(T Function() read) => {for (var left = i32(); left > 0; left--) string(): read()};
}
