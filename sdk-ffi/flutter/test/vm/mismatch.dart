// Runs with a binding in which a checksum is another one: the first object must not come to be.
import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'library.dart';

Future<void> main() async {
  loadLibrary();
  await test('a binding that was generated from another library refuses this one', () async {
    final error = await thrown<BindingMismatch>(() => Client.open(const Config(url: 'http://a.b', writeKey: 'k')));
    check('$error'.contains('checksum_method_client_track'), '$error');
    check('$error'.endsWith('Regenerate with make ffi.'), '$error');
  });
  summary('Dart VM, mismatch');
}
