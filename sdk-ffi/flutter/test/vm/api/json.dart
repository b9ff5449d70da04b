import 'dart:convert';
import 'dart:math';

import 'package:trailmark_flutter/src/json.dart';

import '../check.dart';
import 'support.dart';

enum _Plan { pro }

final class _Broken {
  @override
  String toString() => throw StateError('no string form');
}

/// Properties that are hardly what an app passes, and that it may pass all the same.
Map<String, Object?> cycle() {
  final map = <String, Object?>{};
  map['again'] = map;
  map['and again'] = [map, map];
  return map;
}

/// So many objects within one another, the outermost included.
Map<String, Object?> nested(int levels) => {if (levels > 1) 'n': nested(levels - 1)};

Object? _random(Random random, int level) => switch (random.nextInt(level > 4 ? 6 : 8)) {
  0 => null,
  1 => random.nextBool(),
  2 => random.nextInt(1 << 31) - (1 << 30),
  3 => (random.nextDouble() - 0.5) * 1e9,
  4 => String.fromCharCodes([for (var n = random.nextInt(9); n > 0; n--) random.nextInt(0xd800)]),
  5 => String.fromCharCode(0x1f600 + random.nextInt(9)),
  6 => [for (var n = random.nextInt(5); n > 0; n--) _random(random, level + 1)],
  _ => {for (var n = random.nextInt(5); n > 0; n--) '$n"\n': _random(random, level + 1)},
};

Future<void> jsonText() async {
  await test('json: every kind of value has its form', () {
    final properties = {
      'null': null,
      'true': true,
      'int': -9223372036854775808,
      'double': 1.0,
      'not finite': [double.nan, double.infinity, double.negativeInfinity],
      'date': DateTime.utc(2026, 11, 20, 12, 30, 0, 250),
      'local date': DateTime.fromMicrosecondsSinceEpoch(1),
      'enum': _Plan.pro,
      'set': {1, 2},
      'lazy': [1, 2].map((n) => n * 2),
      'other': Uri.parse('https://example.com/a'),
      'keys': {1: 'a', null: 'b', _Plan.pro: 'c'},
    };
    expect(
      encodeProperties(properties),
      '{"null":null,"true":true,"int":-9223372036854775808,"double":1.0,"not finite":[null,null,null],'
      '"date":"2026-11-20T12:30:00.250Z","local date":"1970-01-01T00:00:00.000001Z","enum":"pro","set":[1,2],'
      '"lazy":[2,4],"other":"https://example.com/a","keys":{"1":"a","null":"b","_Plan.pro":"c"}}',
    );
    expect(encodeProperties(null), null);
  });

  await test('json: only what JSON demands is escaped, in the short form, and halves of pairs are escapes', () {
    expect(
      encodeProperties({'a': '"\\/\b\f\n\r\t\u0000\u001f\u007f é😀', 'b': '\ud800', 'c': 'x\udc00y\ud83d'}),
      r'{"a":"\"\\/\b\f\n\r\t\u0000\u001f'
      '\u007f é😀'
      r'","b":"\ud800","c":"x\udc00y\ud83d"}',
    );
  });

  await test('json: what is written is what is read, for random values', () {
    final random = Random(7);
    for (var n = 0; n < 2000; n++) {
      final value = {'v': _random(random, 0)};
      expect(jsonEncode(jsonDecode(encodeProperties(value)!)), jsonEncode(value));
    }
  });

  await test('json: 32 levels are whole, one more is written empty, and no more than that', () {
    int levels(String json) => '{'.allMatches(json).length;
    expect(levels(encodeProperties(nested(32))!), 32);
    expect(levels(encodeProperties(nested(33))!), 33);
    expect(levels(encodeProperties(nested(5000))!), 33);
    expect(encodeProperties({'a': [<Object?>[]]}), '{"a":[[]]}');
  });

  await test('json: a cycle, a wide graph and a list without end come to an end, beyond the size of an event', () {
    var wide = <Object?>[];
    for (var level = 0; level < 31; level++) {
      wide = [wide, wide];
    }
    final endless = Iterable<int>.generate(1 << 52, (_) => 1);
    for (final value in [cycle(), {'wide': wide}, {'endless': endless}]) {
      final text = encodeProperties(value)!;
      jsonDecode(text);
      holds(text.length > 64 * 1024 && text.length < 8 * 1024 * 1024, text.length);
    }
  });

  await test('json: what cannot be read is no JSON, for the core to count', () {
    expect(encodeProperties({'a': 1, 'b': _Broken()}), unreadable);
    expect(encodeProperties({'a': [1].map((_) => throw StateError('lazy'))}), unreadable);
  });
}
