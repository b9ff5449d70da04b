#!/usr/bin/env bash
# What a `track` costs in each language, and in Rust, with the library as it is shipped (and the vectors' devices in it, which
# the test programs are linked to). Run make test-ffi before: it builds the programs.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/ffi/measure
wide=i686-unknown-linux-gnu

cargo build --quiet --locked --profile sdk -p trailmark-core --example track
cargo build --quiet --locked --profile sdk -p trailmark-ffi --features vectors
mkdir -p "$out/i686"
strip --strip-unneeded -o "$out/libtrailmark_ffi.so" "$target/sdk/libtrailmark_ffi.so"
cargo build --quiet --locked --profile sdk -p trailmark-ffi --no-default-features --features dart,vectors --target $wide
strip --strip-unneeded -o "$out/i686/libtrailmark_ffi.so" "$target/$wide/sdk/libtrailmark_ffi.so"

echo "== Rust"
"$target/sdk/examples/track"
echo "== Python"
OUT=$out/wheel FFI_LIB=$out FFI_PYTHON=$target/ffi/test/python sdk-ffi/python/build.sh > /dev/null
[ -x "$out/venv/bin/python" ] || python3 -m venv "$out/venv"
"$out/venv/bin/pip" --quiet --disable-pip-version-check install --force-reinstall --no-index "$out"/wheel/*.whl
(cd sdk-ffi/python/tests && "$out/venv/bin/python" measure.py)
echo "== Kotlin"
java -Djna.library.path="$out" -cp "$(cat "$target/ffi/kotlin-classpath.txt")" dev.trailmark.MeasureKt
echo "== Dart, 32 bits"
export TRAILMARK_LIBRARY=$out/i686/libtrailmark_ffi.so
scripts/dart.sh run sdk-ffi/flutter/test/vm/measure.dart
