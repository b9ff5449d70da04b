#!/usr/bin/env bash
# Writes the Swift package as its own repository has it: a package manager reads a Package.swift only from the root of
# one. The sources are copied, the generated ones too, and the XCFramework is told by its address and SHA-256.
#
#   swift-package.sh OUT URL XCFRAMEWORK_ZIP      SOURCE=sdk-ffi/swift
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?where the package goes} url=${2:?where the XCFramework is} archive=${3:?the XCFramework}
source=${SOURCE:-sdk-ffi/swift}
for generated in Sources/TrailmarkFFI/TrailmarkFFI.swift Sources/TrailmarkC/include/TrailmarkC.h; do
  [ -f "$source/$generated" ] || { echo "swift-package: $source/$generated is missing: scripts/release/build-apple.sh" >&2; exit 1; }
done
# The package manager's checksum is a SHA-256 (`swift package compute-checksum` says the same).
checksum=$( (sha256sum "$archive" 2> /dev/null || shasum -a 256 "$archive") | cut -d ' ' -f 1)

mkdir -p "$out"
cp -R "$source/Sources" "$source/Tests" "$source/README.md" LICENSE-MIT LICENSE-APACHE "$out/"
local_target='.binaryTarget(name: "TrailmarkEngine", path: "TrailmarkEngine.xcframework")'
released_target=".binaryTarget(name: \"TrailmarkEngine\", url: \"$url\", checksum: \"$checksum\")"
awk -v from="$local_target" -v to="$released_target" '
  (at = index($0, from)) { $0 = substr($0, 1, at - 1) to substr($0, at + length(from)); replaced++ }
  { print }
  END { exit replaced != 1 }' "$source/Package.swift" > "$out/Package.swift" \
  || { echo "swift-package: Package.swift has no line for the local XCFramework" >&2; exit 1; }
printf '/.build/\n/.swiftpm/\n' > "$out/.gitignore"
