#!/usr/bin/env bash
# Fails unless every package says the same version, and the tag, if one is given: check-version.sh [v0.1.0]
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
[ -n "$version" ] || { echo "check-version: Cargo.toml has no version" >&2; exit 1; }
failed=0

# says FILE TEXT: the file has a line with exactly this text in it, spaces at its ends aside.
says() {
  local found
  found=$(sed 's/^ *//; s/ *$//' "$1" 2> /dev/null | grep -cxF -- "$2" || true)
  [ "$found" -gt 0 ] || { echo "check-version: $1 does not say: $2" >&2; failed=1; }
}

[ -z "${1:-}" ] || [ "$1" = "v$version" ] || { echo "check-version: the tag is $1, Cargo.toml says $version" >&2; failed=1; }
says sdk-ffi/swift/Sources/Trailmark/Trailmark.swift "public static let version = \"$version\""
says sdk-ffi/python/src/trailmark/_version.py "VERSION = \"$version\""
says sdk-ffi/kotlin/pom.xml "<version>$version</version>"
says sdk-ffi/flutter/pubspec.yaml "version: $version"
says sdk-ffi/flutter/hook/libraries.dart "const String version = '$version';"
grep -q "^## \[$version\]" CHANGELOG.md || { [ -z "${1:-}" ] || { echo "check-version: CHANGELOG.md has no [$version]" >&2; failed=1; }; }
exit $failed
