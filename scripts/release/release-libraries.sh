#!/usr/bin/env bash
# Gives Flutter's libraries the names by which the build hook asks for them, and writes their SHA-256 into its table.
#
#   release-libraries.sh names FROM TO           FROM/TARGET/libtrailmark_ffi.so … becomes TO/libtrailmark_ffi-….so …
#   release-libraries.sh table DIRECTORY URL     the checksums of DIRECTORY into sdk-ffi/flutter/hook/libraries.dart
#
# TARGET is as Rust calls it. Every library of the table must be there: a release is for all platforms or none.
set -euo pipefail
cd "$(dirname "$0")/../.."
table=${TABLE:-sdk-ffi/flutter/hook/libraries.dart}

# The hook's name of a target (sdk-ffi/flutter/hook/targets.dart), Rust's, and the name of the file in a release.
libraries() {
  local name rust_target
  while read -r name rust_target; do
    case $name in
      windows-*) echo "$name $rust_target trailmark_ffi-$name.dll" ;;
      ios-* | macos-*) echo "$name $rust_target libtrailmark_ffi-$name.dylib" ;;
      *) echo "$name $rust_target libtrailmark_ffi-$name.so" ;;
    esac
  done << 'TARGETS'
android-arm armv7-linux-androideabi
android-arm64 aarch64-linux-android
android-x64 x86_64-linux-android
ios-arm64 aarch64-apple-ios
ios-simulator-arm64 aarch64-apple-ios-sim
ios-simulator-x64 x86_64-apple-ios
linux-arm64 aarch64-unknown-linux-gnu
linux-x64 x86_64-unknown-linux-gnu
macos-arm64 aarch64-apple-darwin
macos-x64 x86_64-apple-darwin
windows-arm64 aarch64-pc-windows-msvc
windows-x64 x86_64-pc-windows-msvc
TARGETS
}

names() {
  local from=$1 to=$2 rust_target file found
  mkdir -p "$to"
  while read -r _ rust_target file; do
    found=$(find "$from/$rust_target" -maxdepth 1 -type f -name "*trailmark_ffi.${file##*.}")
    [ -n "$found" ] || { echo "release-libraries: $from/$rust_target has no library" >&2; exit 1; }
    cp "$found" "$to/$file"
  done < <(libraries)
}

fill_table() {
  local directory=$1 url=$2 name file sum filled
  while read -r name _ file; do
    sum=$(sha256sum "$directory/$file" | cut -d ' ' -f 1)
    sed -i "s|^  '$name': .*,\$|  '$name': '$sum',|" "$table"
  done < <(libraries)
  sed -i "s|^const String? releaseUrl = .*|const String? releaseUrl = '$url';|" "$table"
  # A target of the table that is not one of ours would stay without a library.
  filled=$(grep -cE "^  '[a-z0-9-]+': '[0-9a-f]{64}',\$" "$table")
  if grep -nE ': null,|releaseUrl = null' "$table" || [ "$filled" -ne "$(libraries | wc -l)" ]; then
    echo "release-libraries: $table is not filled" >&2
    exit 1
  fi
}

case ${1:-} in
  names) names "${2:?FROM}" "${3:?TO}" ;;
  table) fill_table "${2:?DIRECTORY}" "${3:?URL}" ;;
  *) sed -n '2,8p' "$0" >&2; exit 2 ;;
esac
