// Brings the native library into the app: from a release, or built from source. See the README, "The native library".

import 'dart:io';

import 'package:code_assets/code_assets.dart';
import 'package:crypto/crypto.dart';
import 'package:hooks/hooks.dart';

import 'libraries.dart';
import 'targets.dart';

/// The library of the package that looks the functions up: `@DefaultAsset` there has the same id.
const _assetName = 'src/generated/trailmark.g.dart';

/// Bytes that a library may have: 64 MiB, twenty times what it has.
const _maxBytes = 64 * 1024 * 1024;

void main(List<String> arguments) => build(arguments, (input, output) async {
  // The web has none.
  if (!input.config.buildCodeAssets) return;
  final code = input.config.code;
  if (code.linkModePreference == LinkModePreference.static) {
    throw BuildError(message: 'Trailmark has no static library');
  }
  output.assets.code.add(
    CodeAsset(
      package: input.packageName,
      name: _assetName,
      linkMode: DynamicLoadingBundled(),
      file: await _library(input, output, _target(code)),
    ),
  );
});

Target _target(CodeConfig code) => Target(
  code.targetOS.name,
  code.targetArchitecture.name,
  isSimulator: code.targetOS == OS.iOS && code.iOS.targetSdk == IOSSdk.iPhoneSimulator,
);

Future<Uri> _library(BuildInput input, BuildOutputBuilder output, Target target) async {
  final source = _source(input);
  final decided = plan(
    target,
    _wishes(input),
    hasSource: source != null,
    sha256OfLibrary: sha256OfLibrary,
    releaseUrl: releaseUrl,
  );
  return switch (decided) {
    Download() => await _downloaded(decided, input.outputDirectoryShared, target),
    Build(:final triple) => await _built(input, output, source!, target, triple),
    Refuse(:final reason) => throw BuildError(message: reason),
  };
}

Wishes _wishes(BuildInput input) => Wishes(
  buildFromSource: input.userDefines['build_from_source'] == true,
  releaseUrl: switch (input.userDefines['release_url']) {
    final String url => url,
    _ => null,
  },
);

/// The repository, if it is where the pubspec says, or around this package (a path or git dependency).
Uri? _source(BuildInput input) {
  final said = input.userDefines.path('source');
  final root = said == null ? input.packageRoot.resolve('../../') : Uri.directory(said.toFilePath());
  return File.fromUri(root.resolve('sdk-ffi/Cargo.toml')).existsSync() ? root : null;
}

Future<Uri> _downloaded(Download download, Uri shared, Target target) async {
  // By its hash, so that another version never finds this one's.
  final file = File.fromUri(shared.resolve('${download.sha256.substring(0, 16)}/${target.libraryName}'));
  if (file.existsSync() && _sha256(file.readAsBytesSync()) == download.sha256) return file.uri;
  final bytes = await _get(download.url);
  final sha256 = _sha256(bytes);
  if (sha256 != download.sha256) {
    throw BuildError(message: '${download.url} has SHA-256 $sha256, and should have ${download.sha256}');
  }
  // Whole or not at all: a build that is killed leaves nothing that looks like a library.
  final part = File('${file.path}.part')
    ..createSync(recursive: true)
    ..writeAsBytesSync(bytes, flush: true);
  return part.renameSync(file.path).uri;
}

String _sha256(List<int> bytes) => '${sha256.convert(bytes)}';

Future<List<int>> _get(Uri url) async {
  final client = HttpClient()..findProxy = HttpClient.findProxyFromEnvironment;
  try {
    final response = await (await client.getUrl(url)).close();
    if (response.statusCode != HttpStatus.ok) throw HttpException('it answers ${response.statusCode}');
    final bytes = BytesBuilder(copy: false);
    await for (final chunk in response) {
      bytes.add(chunk);
      if (bytes.length > _maxBytes) throw const HttpException('it is too large');
    }
    return bytes.takeBytes();
  } on IOException catch (error, stackTrace) {
    throw InfraError(message: 'Cannot get $url: $error', wrappedException: error, wrappedTrace: stackTrace);
  } finally {
    client.close(force: true);
  }
}

Future<Uri> _built(BuildInput input, BuildOutputBuilder output, Uri source, Target target, String triple) async {
  final targetDirectory = input.outputDirectoryShared.resolve('cargo/');
  final api = target.os == 'android' ? input.config.code.android.targetNdkApi : null;
  final arguments = cargoArguments(target, triple, androidApi: api);
  final cargo = await Process.run(
    'cargo',
    arguments,
    workingDirectory: source.toFilePath(),
    environment: {'CARGO_TARGET_DIR': targetDirectory.toFilePath()},
  ).onError<ProcessException>((error, _) => throw BuildError(message: 'Cannot run cargo, which Rust brings: $error'));
  if (cargo.exitCode != 0) {
    throw BuildError(message: 'cargo ${arguments.join(' ')} failed:\n${cargo.stderr}');
  }
  output.dependencies.addAll(_sources(source));
  return targetDirectory.resolve(builtPath(target, triple));
}

/// What the library is made of. A change of any of it builds it again.
Iterable<Uri> _sources(Uri source) sync* {
  yield source.resolve('Cargo.toml');
  yield source.resolve('Cargo.lock');
  for (final crate in const ['protocol/', 'sdk-core/', 'sdk-ffi/']) {
    yield source.resolve('${crate}Cargo.toml');
    final files = Directory.fromUri(source.resolve('${crate}src/')).listSync(recursive: true);
    yield* files.whereType<File>().map((file) => file.uri);
  }
}
