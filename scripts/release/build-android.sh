#!/usr/bin/env bash
# Builds the client's libraries for Android. NOT RUN where it was written: there was no NDK.
#   build-android.sh
#
#   ANDROID_NDK_HOME   an NDK, r28 or later: the first that aligns to pages of 16 KB by itself
#   ANDROID_API=21     the oldest Android: 5.0, the oldest that Rust's targets and this NDK know
#
# Needs cargo-ndk 4 and Rust's four targets. Writes target/ffi/release/android: jniLibs/ABI/libtrailmark_ffi.so for the
# AAR, dart/ABI/libtrailmark_ffi.so for Flutter, and their symbols.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${ANDROID_NDK_HOME:?the NDK}"
command -v cargo-ndk > /dev/null || { echo "build-android: cargo install cargo-ndk --locked" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-target}
out=$target/ffi/release/android
tools=$(echo "$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*/bin)
export STRIP=$tools/llvm-strip OBJCOPY=$tools/llvm-objcopy READELF=$tools/llvm-readelf

# Also with an older NDK. It is checked below, because it is only found on a device otherwise.
for rust_target in AARCH64 X86_64; do
  export "CARGO_TARGET_${rust_target}_LINUX_ANDROID_RUSTFLAGS=-C link-arg=-Wl,-z,max-page-size=16384"
done

# build ABI RUST_TARGET OUT CARGO_ARGUMENTS...
build() {
  local abi=$1 rust_target=$2 out=$3/$1
  shift 3
  cargo ndk --target "$abi" --platform "${ANDROID_API:-21}" build --locked --profile sdk -p trailmark-ffi --lib "$@"
  mkdir -p "$out"
  scripts/release/ship-library.sh "$target/$rust_target/sdk/libtrailmark_ffi.so" "$out/libtrailmark_ffi.so"
}

while read -r abi rust_target; do
  build "$abi" "$rust_target" "$out/jniLibs"
  # Flutter has no release builds for 32-bit x86.
  [ "$abi" = x86 ] || build "$abi" "$rust_target" "$out/dart" --no-default-features --features dart
done << 'ABIS'
arm64-v8a aarch64-linux-android
armeabi-v7a armv7-linux-androideabi
x86_64 x86_64-linux-android
x86 i686-linux-android
ABIS
scripts/release/check-page-size.sh "$out"/{jniLibs,dart}/{arm64-v8a,x86_64}/libtrailmark_ffi.so
find "$out" -name '*.so' -exec ls -l {} +
