/// JSON of whatever an app passes. It never throws and it always ends.
library;

/// Levels of containers that are written, the outermost being 1. The core refuses more than 32 as `too_deep`; the one
/// below is written, empty, for the core to see. A cycle ends there, too.
const int maxLevels = 32;

/// Values that are written: 65,536. Each takes two characters at least, so what is cut has more than the 64 KiB that
/// an event may have, and the core refuses it as `too_large`.
const int maxValues = 65536;

/// What an object that cannot be read becomes: no JSON, which the core counts as `invalid_event`.
const String unreadable = '?';

/// The JSON of `properties`, or nothing if there are none.
///
/// What JSON does not know: a number that is not finite is `null`, a [DateTime] is RFC 3339 text in UTC, an enum is its
/// name, an [Iterable] is an array, a key is its string form, and anything else is its string form, too.
String? encodeProperties(Map<Object?, Object?>? properties) {
  if (properties == null) return null;
  try {
    return (_Writer()..object(properties, 1)).text;
  } catch (_) {
    // Its iteration, or a `toString` of the app, threw.
    return unreadable;
  }
}

final class _Writer {
  final StringBuffer _out = StringBuffer();
  int _values = 0;

  String get text => _out.toString();

  bool get _isFull => _values >= maxValues;

  void value(Object? value, int level) {
    _values++;
    switch (value) {
      case null || bool() || int():
        _out.write(value);
      case double():
        _out.write(value.isFinite ? value : null);
      case String():
        string(value);
      case DateTime():
        string(value.toUtc().toIso8601String());
      case Enum():
        string(value.name);
      case Map():
        object(value, level);
      case Iterable():
        array(value, level);
      default:
        string(value.toString());
    }
  }

  void object(Map<Object?, Object?> map, int level) {
    _out.write('{');
    if (level <= maxLevels) {
      var separator = '';
      for (final entry in map.entries) {
        if (_isFull) break;
        _out.write(separator);
        string(entry.key.toString());
        _out.write(':');
        value(entry.value, level + 1);
        separator = ',';
      }
    }
    _out.write('}');
  }

  void array(Iterable<Object?> elements, int level) {
    _out.write('[');
    if (level <= maxLevels) {
      var separator = '';
      for (final element in elements) {
        if (_isFull) break;
        _out.write(separator);
        value(element, level + 1);
        separator = ',';
      }
    }
    _out.write(']');
  }

  void string(String text) {
    _out.write('"');
    var written = 0;
    for (var at = 0; at < text.length; at++) {
      final escape = _escape(text, at);
      if (escape == null) continue;
      _out.write(text.substring(written, at));
      _out.write(escape);
      written = at + 1;
    }
    _out.write(written == 0 ? text : text.substring(written));
    _out.write('"');
  }
}

/// What stands for the code unit there, if it may not stand for itself.
String? _escape(String text, int at) {
  final unit = text.codeUnitAt(at);
  if (unit >= 0x20 && unit < 0xd800) return unit == 0x22 || unit == 0x5c ? '\\${text[at]}' : null;
  if (unit < 0x20) return _short[unit] ?? _hex(unit);
  return unit < 0xe000 && !_isPaired(text, at) ? _hex(unit) : null;
}

const Map<int, String> _short = {0x08: r'\b', 0x09: r'\t', 0x0a: r'\n', 0x0c: r'\f', 0x0d: r'\r'};

String _hex(int unit) => '\\u${unit.toRadixString(16).padLeft(4, '0')}';

bool _isPaired(String text, int at) => switch (text.codeUnitAt(at)) {
  < 0xdc00 => at + 1 < text.length && text.codeUnitAt(at + 1) & 0xfc00 == 0xdc00,
  _ => at > 0 && text.codeUnitAt(at - 1) & 0xfc00 == 0xd800,
};
