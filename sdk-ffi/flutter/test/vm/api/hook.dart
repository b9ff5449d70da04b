import '../../../hook/libraries.dart' as released;
import '../../../hook/targets.dart';
import '../check.dart';
import 'support.dart';

const _phone = Target('android', 'arm64');
const _simulator = Target('ios', 'arm64', isSimulator: true);
const _hashes = {'android-arm64': 'abc', 'ios-arm64': 'def'};

Plan _plan(Target target, {Wishes wishes = const Wishes(), bool hasSource = false, String? releaseUrl = 'https://e.x/r'}) =>
    plan(target, wishes, hasSource: hasSource, sha256OfLibrary: _hashes, releaseUrl: releaseUrl);

String _told(Plan plan) => switch (plan) {
  Download(:final url, :final sha256) => '$url $sha256',
  Build(:final triple) => 'build $triple',
  Refuse(:final reason) => 'refuse: $reason',
};

Future<void> buildHook() async {
  await test('hook: names of targets, of libraries, and of both in a release', () {
    expect([_phone.name, _phone.libraryName, _phone.releaseName], [
      'android-arm64',
      'libtrailmark_ffi.so',
      'libtrailmark_ffi-android-arm64.so',
    ]);
    expect(_simulator.releaseName, 'libtrailmark_ffi-ios-simulator-arm64.dylib');
    expect(const Target('windows', 'x64').releaseName, 'trailmark_ffi-windows-x64.dll');
    expect([_simulator.triple, const Target('ios', 'arm64').triple], ['aarch64-apple-ios-sim', 'aarch64-apple-ios']);
  });

  await test('hook: a release that has the library is where it comes from', () {
    expect(_told(_plan(_phone, hasSource: true)), 'https://e.x/r/libtrailmark_ffi-android-arm64.so abc');
    expect(
      _told(_plan(_phone, wishes: const Wishes(releaseUrl: 'https://own.example/t/'))),
      'https://own.example/t/libtrailmark_ffi-android-arm64.so abc',
    );
  });

  await test('hook: the simulator never gets the library of the device', () {
    holds(_told(_plan(_simulator)).startsWith('refuse: This version of trailmark_flutter has no prebuilt'));
    expect(_told(_plan(_simulator, hasSource: true)), 'build aarch64-apple-ios-sim');
  });

  await test('hook: who wants it built gets it built, or is told what is missing', () {
    const wishes = Wishes(buildFromSource: true);
    expect(_told(_plan(_phone, wishes: wishes, hasSource: true)), 'build aarch64-linux-android');
    holds(_told(_plan(_phone, wishes: wishes)).contains('source: path/to/trailmark'));
  });

  await test('hook: before the first release everything is built', () {
    expect(_told(_plan(_phone, hasSource: true, releaseUrl: null)), 'build aarch64-linux-android');
    for (final name in released.sha256OfLibrary.keys) {
      final parts = name.split('-');
      final target = Target(parts.first, parts.last, isSimulator: parts.length == 3);
      expect(target.name, name);
      holds(target.triple != null, name);
    }
    holds(released.sha256OfLibrary.values.every((hash) => hash == null) == (released.releaseUrl == null));
  });

  await test('hook: what nobody builds is refused by its name', () {
    expect(_told(_plan(const Target('linux', 'arm'), hasSource: true)), 'refuse: there is no Trailmark library for linux-arm');
  });

  await test('hook: cargo builds the library that Dart needs, and cargo-ndk does for Android', () {
    expect(
      cargoArguments(const Target('linux', 'x64'), 'x86_64-unknown-linux-gnu').join(' '),
      'build --release --locked --package trailmark-ffi --lib --no-default-features --features dart '
      '--target x86_64-unknown-linux-gnu',
    );
    expect(
      cargoArguments(_phone, 'aarch64-linux-android', androidApi: 24).join(' '),
      'ndk --target aarch64-linux-android --platform 24 build --release --locked --package trailmark-ffi --lib '
      '--no-default-features --features dart',
    );
    expect(builtPath(_phone, 'aarch64-linux-android'), 'aarch64-linux-android/release/libtrailmark_ffi.so');
  });
}
