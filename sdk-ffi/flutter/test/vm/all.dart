// The generated binding on a real Dart VM, against a library with the vectors' devices: scripts/dart.sh runs this.
import 'dart:io';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'futures.dart';
import 'isolates.dart';
import 'library.dart';
import 'memory.dart';
import 'native_calls.dart';
import 'texts.dart';
import 'values.dart';
import 'vectors.dart';

/// `main.dart FOLDER`: where the vectors are.
Future<void> main(List<String> arguments) async {
  await test('without the library it is said what to do', () async {
    final error = await thrown<BindingMismatch>(newDevice);
    check('$error'.contains('is not loaded') && '$error'.contains('build hook'), '$error');
  });
  loadLibrary();
  await test('every vector gives its bytes', () {
    final run = runVectors(Directory(arguments.single), nativeCalls, shows: nativeShows);
    same(run.skipped.join(', '), '', 'skipped');
    check(run.files > 60 && run.steps > 600, '${run.files} files, ${run.steps} steps');
    print('        ${run.files} files, ${run.steps} steps');
  });
  await values();
  await texts();
  await futures();
  await isolates();
  await memory();
  summary('Dart VM');
}
