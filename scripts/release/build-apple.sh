#!/usr/bin/env bash
# Builds the client's libraries for iOS and macOS, and the Swift package's generated parts. NOT RUN where it was written:
# it needs a Mac with Xcode 15.3 or later.
#   build-apple.sh              everything that a release has
#   build-apple.sh --vectors    only the Swift package, with the devices of the conformance vectors, for its tests
#
# Needs Rust's five targets. Writes target/ffi/release/apple: TrailmarkEngine.xcframework.zip, dylib/TARGET for wheels and
# jars, dart/TARGET for Flutter, and their symbols; and into sdk-ffi/swift what is generated there.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(uname)" = Darwin ] || { echo "build-apple: this is no Mac" >&2; exit 2; }
# iOS 13: the first with Swift's async. macOS 11: the first on Apple silicon. As Package.swift says.
export IPHONEOS_DEPLOYMENT_TARGET=13.0 MACOSX_DEPLOYMENT_TARGET=11.0
target=${CARGO_TARGET_DIR:-target}
out=$target/ffi/release/apple
package=sdk-ffi/swift
device=aarch64-apple-ios
simulators=(aarch64-apple-ios-sim x86_64-apple-ios)
macs=(aarch64-apple-darwin x86_64-apple-darwin)
# macOS has bash 3.2, for which an empty list is none at all; hence the `+` where it is used.
features=()
[ "${1:-}" != --vectors ] || features=(--features vectors)
rm -rf "$out" "$package/TrailmarkEngine.xcframework"
mkdir -p "$out"

# The library of a target: what cargo has built last for it. built TARGET EXTENSION
built() { echo "$target/$1/sdk/libtrailmark_ffi.$2"; }

# A static library does not say which system libraries it needs; this prints them. They belong into Package.swift.
static_library() {
  cargo rustc --locked --profile sdk --target "$1" -p trailmark-ffi --lib --crate-type staticlib ${features[@]+"${features[@]}"} \
    -- --print native-static-libs
  cp "$(built "$1" a)" "$out/$1.a"
}

# dynamic_library TARGET OUT CARGO_ARGUMENTS...
dynamic_library() {
  local rust_target=$1 out=$2
  shift 2
  cargo build --locked --profile sdk --target "$rust_target" -p trailmark-ffi --lib "$@"
  mkdir -p "$out"
  scripts/release/ship-library.sh "$(built "$rust_target" dylib)" "$out/libtrailmark_ffi.dylib"
}

# The XCFramework has no headers: two that have a Headers/module.modulemap cannot be in one app.
xcframework() {
  for rust_target in "$device" "${simulators[@]}" "${macs[@]}"; do static_library "$rust_target"; done
  mkdir -p "$out/simulator" "$out/mac" "$out/device"
  mv "$out/$device.a" "$out/device/libtrailmark_ffi.a"
  lipo -create "$out/${simulators[0]}.a" "$out/${simulators[1]}.a" -output "$out/simulator/libtrailmark_ffi.a"
  lipo -create "$out/${macs[0]}.a" "$out/${macs[1]}.a" -output "$out/mac/libtrailmark_ffi.a"
  xcodebuild -create-xcframework -library "$out/device/libtrailmark_ffi.a" \
    -library "$out/simulator/libtrailmark_ffi.a" -library "$out/mac/libtrailmark_ffi.a" \
    -output "$package/TrailmarkEngine.xcframework"
}

# Apple asks for a reason for each of these; PrivacyInfo.xcprivacy gives none, because the engine calls none of them.
required_reasons() {
  local undeclared='^_(mach_absolute_time|statfs|statvfs|fstatfs|fstatvfs|getattrlist|fgetattrlist|getattrlistat)$'
  if nm -u "$out/device/libtrailmark_ffi.a" 2> /dev/null | grep -E "$undeclared" | sort -u; then
    echo "build-apple: the functions above need a reason in $package/Sources/Trailmark/Resources/PrivacyInfo.xcprivacy" >&2
    return 1
  fi
}

generated_sources() {
  local generated=$out/generated host
  host=$(rustc -vV | sed -n 's/^host: //p')
  cargo build --locked --profile sdk --target "$host" -p trailmark-ffi --lib ${features[@]+"${features[@]}"}
  cargo run --quiet --locked -p trailmark-bindgen -- --library "$(built "$host" dylib)" --language swift \
    --out-dir "$generated" --config sdk-ffi/uniffi.toml
  mkdir -p "$package/Sources/TrailmarkFFI"
  cp "$generated/TrailmarkFFI.swift" "$package/Sources/TrailmarkFFI/"
  cp "$generated/TrailmarkC.h" "$package/Sources/TrailmarkC/include/"
}

xcframework
generated_sources
[ ${#features[@]} -eq 0 ] || exit 0

required_reasons
# Without times and owners, so that the same library is the same archive.
(cd "$package" && find TrailmarkEngine.xcframework -exec touch -h -t 202001010000 {} + \
  && zip -qrX - TrailmarkEngine.xcframework) > "$out/TrailmarkEngine.xcframework.zip"
for rust_target in "${macs[@]}"; do dynamic_library "$rust_target" "$out/dylib/$rust_target"; done
for rust_target in "$device" "${simulators[@]}" "${macs[@]}"; do
  dynamic_library "$rust_target" "$out/dart/$rust_target" --no-default-features --features dart
done
find "$out" \( -name '*.dylib' -o -name '*.zip' \) -exec ls -l {} +
