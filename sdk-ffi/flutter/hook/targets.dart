// What the build hook decides. No packages and no I/O, so that it is tested where there is no Flutter.

/// What a library is built for. The names are those of `package:code_assets`.
final class Target {
  /// A target of this system and processor; on iOS it may be the simulator.
  const Target(this.os, this.architecture, {this.isSimulator = false});

  /// `android`, `ios`, `linux`, `macos` or `windows`.
  final String os;

  /// `arm`, `arm64`, `ia32`, `riscv64` or `x64`.
  final String architecture;

  /// Whether it is the simulator of iOS.
  final bool isSimulator;

  /// The name in the table of prebuilt libraries.
  String get name => [os, if (isSimulator) 'simulator', architecture].join('-');

  /// The name of the library's file. Flutter names the bundled library by it, so it is the same for all processors.
  String get libraryName => switch (os) {
    'windows' => 'trailmark_ffi.dll',
    'ios' || 'macos' => 'libtrailmark_ffi.dylib',
    _ => 'libtrailmark_ffi.so',
  };

  /// The name of the library's file in a release, where all are in one place.
  String get releaseName => libraryName.replaceFirst('trailmark_ffi', 'trailmark_ffi-$name');

  /// What Rust calls the target; nothing if Rust, or Flutter, has none.
  String? get triple => _triples[name];
}

const Map<String, String> _triples = {
  'android-arm': 'armv7-linux-androideabi',
  'android-arm64': 'aarch64-linux-android',
  'android-ia32': 'i686-linux-android',
  'android-x64': 'x86_64-linux-android',
  'ios-arm64': 'aarch64-apple-ios',
  'ios-simulator-arm64': 'aarch64-apple-ios-sim',
  'ios-simulator-x64': 'x86_64-apple-ios',
  'linux-arm64': 'aarch64-unknown-linux-gnu',
  'linux-riscv64': 'riscv64gc-unknown-linux-gnu',
  'linux-x64': 'x86_64-unknown-linux-gnu',
  'macos-arm64': 'aarch64-apple-darwin',
  'macos-x64': 'x86_64-apple-darwin',
  'windows-arm64': 'aarch64-pc-windows-msvc',
  'windows-x64': 'x86_64-pc-windows-msvc',
};

/// What the app's pubspec says under `hooks: user_defines: trailmark_flutter:`.
final class Wishes {
  /// Wishes; all of them may be left out.
  const Wishes({this.buildFromSource = false, this.releaseUrl});

  /// `build_from_source: true`: not the prebuilt library.
  final bool buildFromSource;

  /// `release_url: https://…`: another place with the release's files, such as a company's own.
  final String? releaseUrl;
}

/// Where the library comes from.
sealed class Plan {
  const Plan();
}

/// From a release.
final class Download extends Plan {
  /// The file at [url], which must have this [sha256].
  const Download(this.url, this.sha256);

  /// Where it is.
  final Uri url;

  /// In hexadecimal.
  final String sha256;
}

/// From source, with cargo.
final class Build extends Plan {
  /// For the target that Rust calls [triple].
  const Build(this.triple);

  /// Rust's name of the target.
  final String triple;
}

/// From nowhere.
final class Refuse extends Plan {
  /// With this reason.
  const Refuse(this.reason);

  /// For people.
  final String reason;
}

/// Where the library for a target comes from: the release, if it has one and nobody wants otherwise; else the source, if
/// it is there.
Plan plan(
  Target target,
  Wishes wishes, {
  required bool hasSource,
  required Map<String, String?> sha256OfLibrary,
  required String? releaseUrl,
}) {
  final (triple, sha256, place) = (target.triple, sha256OfLibrary[target.name], wishes.releaseUrl ?? releaseUrl);
  if (triple == null) return Refuse('there is no Trailmark library for ${target.name}');
  if (sha256 != null && place != null && !wishes.buildFromSource) {
    return Download(Uri.parse(place.endsWith('/') ? place : '$place/').resolve(target.releaseName), sha256);
  }
  if (hasSource) return Build(triple);
  return Refuse(wishes.buildFromSource ? _noSource : '${_notReleased(target)} $_noSource');
}

String _notReleased(Target target) => 'This version of trailmark_flutter has no prebuilt library for ${target.name}.';

const String _noSource =
    'To build it from source, get the Trailmark repository and say where it is in the pubspec of the app:\n'
    'hooks:\n'
    '  user_defines:\n'
    '    trailmark_flutter:\n'
    '      source: path/to/trailmark';

/// The arguments of cargo that build the library. For Android it is cargo-ndk that knows the linker; [androidApi] is the
/// lowest version of Android.
List<String> cargoArguments(Target target, String triple, {int? androidApi}) => [
  if (target.os == 'android') ...['ndk', '--target', triple, if (androidApi != null) ...['--platform', '$androidApi']],
  'build',
  '--release',
  '--locked',
  '--package',
  'trailmark-ffi',
  '--lib',
  // Without callbacks, which Dart must not be called by, and with what wakes it instead.
  '--no-default-features',
  '--features',
  'dart',
  if (target.os != 'android') ...['--target', triple],
];

/// Where cargo leaves the library, below its target directory.
String builtPath(Target target, String triple) => '$triple/release/${target.libraryName}';
