// The package's own code on a real Dart VM, over the same library: scripts/dart.sh runs this.
import 'dart:io';

import '../check.dart';
import '../library.dart';
import '../vectors.dart';
import 'client.dart';
import 'errors.dart';
import 'flutter_pure.dart';
import 'hook.dart';
import 'init.dart';
import 'json.dart';
import 'public_calls.dart';
import 'stack_trace.dart';
import 'support.dart';

/// `all.dart FOLDER`: where the vectors are.
Future<void> main(List<String> arguments) async {
  await jsonText();
  await stackTraces();
  await errors();
  await flutterPure();
  await buildHook();
  await withoutLibrary();
  loadLibrary();
  await test('every vector gives its bytes through the public API', () {
    final run = runVectors(Directory(arguments.single), publicCalls, shows: publicShows);
    expect(run.skipped, <String>[]);
    holds(run.files > 60 && run.steps > 600, '${run.files} files, ${run.steps} steps');
    // Text that is no object, numbers that no Dart program writes so, and half a surrogate pair as an escape.
    expect(rawArguments.toList()..sort(), [
      '"text"',
      '7',
      '[1]',
      '[2]',
      '[3]',
      '[4]',
      '{"a":1.0,"b":12.50,"c":1e21,"d":-0,"e":9007199254740993,"f":18446744073709551615,"g":0.1,"h":1E-7,'
          '"i":123456789012345678901234567890}',
      r'{"half":"a\ud800b","nul":"a\u0000b","pair":"\ud83e\udd80"}',
    ]);
  });
  await init();
  await client();
  summary('Public API');
}
