#!/usr/bin/env bash
# Builds the library that apps carry, and the bindings from it. Nothing of this is written by hand.
#   ffi.sh          the libraries as they are shipped, and the bindings of every language
#   ffi.sh test     the same with the devices of the conformance vectors in them, built fast
#   ffi.sh dart     the same for the Dart that runs here, which is a program of 32 bits
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
dart_binding=sdk-ffi/flutter/lib/src/generated

# library PROFILE OUT SELECTION...: builds it, of the packages and features that cargo is told, for the bindings
# (OUT/unstripped) and for shipping (OUT).
library() {
  local profile=$1 out=$2 built
  built=$target/${CARGO_BUILD_TARGET:-}/${profile/dev/debug}/libtrailmark_ffi.so
  shift 2
  cargo build --quiet --locked --profile "$profile" "$@"
  mkdir -p "$out/unstripped"
  cp "$built" "$out/unstripped/"
  strip --strip-unneeded -o "$out/libtrailmark_ffi.so" "$built"
}

# bindings LIBRARY LANGUAGE OUT
bindings() {
  "$target/debug/trailmark-bindgen" --library "$1/unstripped/libtrailmark_ffi.so" --language "$2" --out-dir "$3" \
    --config sdk-ffi/uniffi.toml > /dev/null
}

CARGO_TERM_QUIET=true scripts/build.sh dev trailmark-bindgen
case "${1:-ship}" in
  ship)
    out=$target/ffi/ship
    library sdk "$out/lib" -p trailmark-ffi
    library sdk "$out/dart" -p trailmark-ffi --no-default-features --features dart
    bindings "$out/dart" dart "$dart_binding"
    ;;
  test)
    out=$target/ffi/test
    # Among all packages, so that their dependencies are those of scripts/build.sh.
    library dev "$out/lib" --workspace --lib --test golden --features trailmark-ffi/vectors
    ;;
  dart)
    out=$target/ffi/dart
    export CARGO_BUILD_TARGET=i686-unknown-linux-gnu
    library dev "$out" -p trailmark-ffi --no-default-features --features dart,vectors
    bindings "$out" dart "$out"
    exit
    ;;
  *) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
for language in kotlin swift python; do
  bindings "$out/lib" "$language" "$out/$language"
done
cat <<EOF
$out/lib              the library; with symbols in unstripped/
$out/{kotlin,swift,python}   the bindings; sdk-ffi/<language>/README.md says what to do with them
EOF
[ "${1:-ship}" != ship ] || echo "$out/dart             Dart's library; its binding is $dart_binding"
