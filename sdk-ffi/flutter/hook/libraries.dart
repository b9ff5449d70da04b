// The prebuilt libraries of the release that this package belongs to. `docs/releasing.md` says who writes them.

/// The release.
const String version = '0.1.0';

/// Where the release's files are, unless the app's pubspec says `release_url`. Nothing until the first release.
const String? releaseUrl = null;

/// The SHA-256 of each library, in hexadecimal, by the name of its target (see `targets.dart`). Nothing: not released.
const Map<String, String?> sha256OfLibrary = {
  'android-arm': null,
  'android-arm64': null,
  'android-x64': null,
  'ios-arm64': null,
  'ios-simulator-arm64': null,
  'ios-simulator-x64': null,
  'linux-arm64': null,
  'linux-x64': null,
  'macos-arm64': null,
  'macos-x64': null,
  'windows-arm64': null,
  'windows-x64': null,
};
