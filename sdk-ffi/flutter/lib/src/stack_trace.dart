/// Stack traces of the Dart VM, of ahead-of-time compiled apps and of browsers, as frames.
library;

/// One place of a stack trace. What is not known is nothing.
final class TraceFrame {
  /// A frame of these facts.
  const TraceFrame({this.function, this.file, this.line, this.column, this.inApp});

  /// `Cart.checkout`.
  final String? function;

  /// `package:shop/cart.dart`.
  final String? file;

  /// From 1.
  final int? line;

  /// From 1.
  final int? column;

  /// Whether it is the app's own code, and not Dart's or Flutter's.
  final bool? inApp;

  @override
  bool operator ==(Object other) =>
      other is TraceFrame &&
      (function, file, line, column, inApp) == (other.function, other.file, other.line, other.column, other.inApp);

  @override
  int get hashCode => Object.hash(function, file, line, column, inApp);

  @override
  String toString() => 'TraceFrame($function, $file, $line, $column, inApp: $inApp)';
}

/// A stack trace, the innermost frame first.
typedef ParsedTrace = ({List<TraceFrame> frames, String? unparsed});

/// Characters of a trace that are looked at: 64 Ki, far more than the 48 frames that the core keeps.
const int maxTrace = 64 * 1024;

/// The frames of a trace.
///
/// An app that was compiled with `--split-debug-info` or `--obfuscate` has only addresses. Each of them is a frame
/// without a file, and the trace is kept as it is (`unparsed`), because a symbolizer needs its head, too. The core keeps
/// its first 8,192 characters, as of every string: its head and some 80 frames.
ParsedTrace parseStackTrace(StackTrace? trace) {
  final whole = trace.toString();
  final text = whole.length > maxTrace ? whole.substring(0, maxTrace) : whole;
  final frames = trace == null ? const <TraceFrame>[] : text.split('\n').map(_frame).nonNulls.toList();
  final isReadable = frames.any((frame) => frame.file != null);
  return (frames: frames, unparsed: isReadable || text.trim().isEmpty || trace == null ? null : text);
}

TraceFrame? _frame(String line) {
  final text = line.trim();
  return _ofVm(text) ?? _ofAddress(text) ?? _ofChromium(text) ?? _ofGecko(text) ?? _ofDevCompiler(text);
}

/// `#1      Cart.checkout.<anonymous closure> (package:shop/cart.dart:12:3)`; the place may lack its column, or both.
final RegExp _vm = RegExp(r'^#\d+\s+(.+?) \((.+?)(?::(\d+))?(?::(\d+))?\)$');

/// `#00 abs 00000071779bf6d7 virt 00000000000856d7 _kDartIsolateSnapshotInstructions+0x776d7`.
final RegExp _address = RegExp(r'^#\d+\s+abs [0-9a-f]+(.*)$');

/// `at Cart.checkout (http://localhost/main.dart.js:12:3)`, or without a function, or with `[as x]` behind it.
final RegExp _chromium = RegExp(r'^at (?:(.+?)(?: \[as [^\]]+\])? \()?([^\s()]+?):(\d+):(\d+)\)?$');

/// `checkout@http://localhost/main.dart.js:12:3`, of Firefox and Safari.
final RegExp _gecko = RegExp(r'^([^@\s]*)@(\S+?):(\d+)(?::(\d+))?$');

/// `package:shop/cart.dart 12:3  checkout`, of the development compiler.
final RegExp _devCompiler = RegExp(r'^(\S+\.dart|dart:\S+) (\d+)(?::(\d+))?\s+(.+)$');

TraceFrame? _ofVm(String text) => switch (_vm.firstMatch(text)) {
  final match? => _placed(match[1], match[2]!, match[3], match[4]),
  null => null,
};

TraceFrame? _ofAddress(String text) => switch (_address.firstMatch(text)) {
  final match? => TraceFrame(function: match[1]!.trim()),
  null => null,
};

TraceFrame? _ofChromium(String text) => switch (_chromium.firstMatch(text)) {
  final match? => _placed(match[1], match[2]!, match[3], match[4]),
  null => null,
};

TraceFrame? _ofGecko(String text) => switch (_gecko.firstMatch(text)) {
  final match? => _placed(match[1], match[2]!, match[3], match[4]),
  null => null,
};

TraceFrame? _ofDevCompiler(String text) => switch (_devCompiler.firstMatch(text)) {
  final match? => _placed(match[4], match[1]!, match[2], match[3]),
  null => null,
};

TraceFrame _placed(String? function, String file, String? line, String? column) => TraceFrame(
  function: function == null || function.isEmpty ? null : function,
  file: file,
  line: _number(line),
  column: _number(column),
  inApp: isInApp(file),
);

/// A number as the core takes it: 32 bits.
int? _number(String? digits) {
  final number = digits == null ? null : int.tryParse(digits);
  return number == null || number > 0xffffffff ? null : number;
}

/// Whether a file is the app's own: neither Dart's, nor Flutter's, nor this package's. Where each of these ends up in
/// one JavaScript file, all of it is.
bool isInApp(String file) => !_foreign.any(file.startsWith);

const List<String> _foreign = [
  'dart:',
  'org-dartlang-sdk:',
  'package:flutter/',
  'packages/flutter/',
  'package:trailmark_flutter/',
  'packages/trailmark_flutter/',
];
