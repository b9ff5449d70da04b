#!/usr/bin/env bash
# Builds the client's libraries for a Linux target, with zig as linker and C compiler, so that they run on old systems:
#   build-linux.sh aarch64-unknown-linux-gnu      x86_64-unknown-linux-gnu, x86_64-unknown-linux-musl, …
#
#   PROFILE=sdk      how; dev for a quick try
#   GLIBC=2.17       the oldest glibc that it must run on: that of 2012, which is manylinux2014
#
# Needs cargo-zigbuild and ziglang (pip), llvm-strip and llvm-objcopy (llvm), and the target (rustup target add). Writes
# target/ffi/release/TARGET/libtrailmark_ffi.so with its symbols, and for glibc also Dart's, in TARGET/dart.
set -euo pipefail
cd "$(dirname "$0")/../.."
rust_target=${1:?the target, as Rust calls it}
profile=${PROFILE:-sdk}
target=${CARGO_TARGET_DIR:-target}
out=$target/ffi/release/$rust_target
linked_for=$rust_target

case $rust_target in
  *-gnu) linked_for=$rust_target.${GLIBC:-2.17} ;;
  # By default musl is linked into everything, and then there are no dynamic libraries.
  *-musl) export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=-crt-static" ;;
  *) echo "build-linux: $rust_target is neither glibc nor musl" >&2; exit 2 ;;
esac

# build OUT CARGO_ARGUMENTS...
build() {
  local out=$1
  shift
  cargo zigbuild --locked --profile "$profile" --target "$linked_for" -p trailmark-ffi --lib "$@"
  mkdir -p "$out"
  scripts/release/ship-library.sh "$target/$rust_target/${profile/dev/debug}/libtrailmark_ffi.so" "$out/libtrailmark_ffi.so"
}

build "$out"
# Flutter does not run on musl.
[[ $rust_target == *-musl ]] || build "$out/dart" --no-default-features --features dart
find "$out" -name '*.so' -exec ls -l {} +
