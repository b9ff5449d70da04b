// JSON as text: the vectors are about bytes, so no value is taken apart and written again.
import 'dart:convert';

/// The keys and values of an object, in their order and as they are written.
List<(String, String)> fields(String json) {
  final scanner = _Scanner(json);
  return scanner.members('{', () {
    final key = jsonDecode(scanner.value()) as String;
    scanner.expect(':');
    return (key, scanner.value());
  });
}

/// The elements of an array, as they are written.
List<String> elements(String json) {
  final scanner = _Scanner(json);
  return scanner.members('[', scanner.value);
}

/// Without the white space between tokens.
String compact(String json) {
  final out = StringBuffer();
  var inString = false;
  for (var at = 0; at < json.length; at++) {
    final char = json[at];
    if (!inString && ' \n\r\t'.contains(char)) continue;
    out.write(char);
    if (inString && char == r'\') out.write(json[++at]);
    if (char == '"') inString = !inString;
  }
  return out.toString();
}

/// Each `{"$repeat":[text, times]}` replaced by the string that it stands for, of a compact text.
String expand(String json) => json.replaceAllMapped(RegExp(r'\{"\$repeat":(\[.*?\])\}'), (match) {
  final [text as String, times as int] = jsonDecode(match[1]!) as List<Object?>;
  return jsonEncode(text * times);
});

final class _Scanner {
  _Scanner(this._json);

  final String _json;
  int _at = 0;

  /// What `member` reads, up to the bracket that closes `open`.
  List<T> members<T>(String open, T Function() member) {
    expect(open);
    final members = <T>[];
    if (_peek() != '}' && _peek() != ']') {
      do {
        members.add(member());
      } while (_take() == ',');
    }
    return members;
  }

  void expect(String char) {
    final found = _take();
    if (found != char) throw FormatException('$char expected, $found found', _json, _at);
  }

  /// The next value as it is written.
  String value() {
    final begin = _json.indexOf(_peek(), _at);
    switch (_peek()) {
      case '"':
        _skipString();
      case '{' || '[':
        _skipNested();
      default:
        while (!',]} \n\r\t'.contains(_json[_at])) _at++;
    }
    return _json.substring(begin, _at);
  }

  void _skipString() {
    for (_at++; _json[_at] != '"'; _at++) {
      if (_json[_at] == r'\') _at++;
    }
    _at++;
  }

  void _skipNested() {
    var depth = 0;
    do {
      switch (_peek()) {
        case '"':
          _skipString();
          continue;
        case '{' || '[':
          depth++;
        case '}' || ']':
          depth--;
      }
      _at++;
    } while (depth > 0);
  }

  String _peek() {
    while (' \n\r\t'.contains(_json[_at])) _at++;
    return _json[_at];
  }

  String _take() {
    final char = _peek();
    _at++;
    return char;
  }
}
