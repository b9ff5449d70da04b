import 'dart:async';

import 'package:trailmark_flutter/src/exception.dart';
import 'package:trailmark_flutter/src/stack_trace.dart';

import '../check.dart';
import 'support.dart';

List<TraceFrame> _frames(String text) => parseStackTrace(StackTrace.fromString(text)).frames;

const String _aot = '''
Warning: This VM has been configured to produce stack traces that violate the Dart standard.
*** *** *** *** *** *** *** *** *** *** *** *** *** *** *** ***
pid: 30930, tid: 30990, name 1.ui
os: android arch: arm64 comp: yes sim: no
build_id: '5deb2d5f8d3b6b0e'
isolate_dso_base: 7178f3a000, vm_dso_base: 7178f3a000
    #00 abs 00000071779bf6d7 virt 00000000000856d7 _kDartIsolateSnapshotInstructions+0x776d7
    #01 abs 00000071779bf1b3 virt 00000000000851b3 _kDartIsolateSnapshotInstructions+0x771b3
''';

final class _Broken implements Exception {
  @override
  String toString() => throw StateError('no string form');
}

Future<void> stackTraces() async {
  await test('traces: of the VM, with closures, constructors, gaps, and places without a column or a line', () {
    expect(
      _frames('''
#0      Cart.checkout.<anonymous closure> (package:shop/cart.dart:12:3)
#1      new Cart (file:///home/me/shop/lib/cart.dart:7)
<asynchronous suspension>
#2      _rootRun (dart:async/zone.dart:1399:13)
#10     State.setState (package:flutter/src/widgets/framework.dart:1203:30)
#11     Thing.run (package:other/a b.dart)
#12     main (org-dartlang-sdk:///lib/core.dart:1:2)
'''),
      [
        const TraceFrame(
          function: 'Cart.checkout.<anonymous closure>',
          file: 'package:shop/cart.dart',
          line: 12,
          column: 3,
          inApp: true,
        ),
        const TraceFrame(function: 'new Cart', file: 'file:///home/me/shop/lib/cart.dart', line: 7, inApp: true),
        const TraceFrame(function: '_rootRun', file: 'dart:async/zone.dart', line: 1399, column: 13, inApp: false),
        const TraceFrame(
          function: 'State.setState',
          file: 'package:flutter/src/widgets/framework.dart',
          line: 1203,
          column: 30,
          inApp: false,
        ),
        const TraceFrame(function: 'Thing.run', file: 'package:other/a b.dart', inApp: true),
        const TraceFrame(function: 'main', file: 'org-dartlang-sdk:///lib/core.dart', line: 1, column: 2, inApp: false),
      ],
    );
  });

  await test('traces: of a real error, the innermost frame first, and no text is left over', () {
    try {
      throw StateError('on purpose');
    } catch (_, stackTrace) {
      final (:frames, :unparsed) = parseStackTrace(stackTrace);
      holds(frames.first.file!.endsWith('stack_trace.dart'), frames.first);
      holds(frames.first.inApp! && frames.first.line! > 0 && frames.first.column! > 0);
      holds(frames.any((frame) => frame.inApp == false), frames);
      expect(unparsed, null);
    }
  });

  await test('traces: of addresses alone, each a frame, and the whole kept for a symbolizer', () {
    final (:frames, :unparsed) = parseStackTrace(StackTrace.fromString(_aot));
    expect(frames.length, 2);
    expect(frames.first.function, 'virt 00000000000856d7 _kDartIsolateSnapshotInstructions+0x776d7');
    expect([frames.first.file, frames.first.inApp], [null, null]);
    expect(unparsed, _aot);
  });

  await test('traces: of browsers and of the development compiler', () {
    expect(
      _frames('''
StateError: Bad state: no card
    at Object.throw_ [as throw] (http://localhost:8080/main.dart.js:4217:11)
    at http://localhost:8080/main.dart.js:12:3
checkout@http://localhost:8080/main.dart.js:40:5
@http://localhost:8080/main.dart.js:41:6
package:shop/cart.dart 12:3                            checkout
dart:sdk_internal 5348:11                              throw_
'''),
      [
        const TraceFrame(
          function: 'Object.throw_',
          file: 'http://localhost:8080/main.dart.js',
          line: 4217,
          column: 11,
          inApp: true,
        ),
        const TraceFrame(file: 'http://localhost:8080/main.dart.js', line: 12, column: 3, inApp: true),
        const TraceFrame(
          function: 'checkout',
          file: 'http://localhost:8080/main.dart.js',
          line: 40,
          column: 5,
          inApp: true,
        ),
        const TraceFrame(file: 'http://localhost:8080/main.dart.js', line: 41, column: 6, inApp: true),
        const TraceFrame(function: 'checkout', file: 'package:shop/cart.dart', line: 12, column: 3, inApp: true),
        const TraceFrame(function: 'throw_', file: 'dart:sdk_internal', line: 5348, column: 11, inApp: false),
      ],
    );
  });

  await test('traces: nothing, nonsense and numbers beyond 32 bits', () {
    expect(parseStackTrace(null), (frames: <TraceFrame>[], unparsed: null));
    expect(parseStackTrace(StackTrace.empty), (frames: <TraceFrame>[], unparsed: null));
    expect(_frames('what is this\n#x y'), <TraceFrame>[]);
    expect(_frames('#0 a (b.dart:99999999999:1)').single.line, null);
    final long = List.filled(100000, '#0      f (package:a/b.dart:1:1)').join('\n');
    holds(_frames(long).length < 3000);
  });

  await test('errors: their class and text, their own trace, what is within an AsyncError, and one that cannot be read', () {
    final (state, _) = describe(StateError('no card'), null);
    expect([state.kind, state.text, state.frames], ['StateError', 'Bad state: no card', <TraceFrame>[]]);
    try {
      throw ArgumentError('thrown');
    } catch (error) {
      holds(describe(error, null).$1.frames.isNotEmpty, 'an Error carries its trace');
    }
    expect(describe(AsyncError(const FormatException('in it'), null), null).$1.kind, 'FormatException');
    expect(describe(_Broken(), null).$1.text, '');
  });
}
