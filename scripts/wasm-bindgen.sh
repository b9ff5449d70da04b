#!/usr/bin/env bash
# Says where wasm-bindgen's programs are, of the version that sdk-wasm is built with: any other refuses its wasm. They are
# compiled once.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' sdk-wasm/Cargo.toml)
root=$(realpath -m "${CARGO_TARGET_DIR:-target}")/wasm-bindgen-$version
for bin in "$(dirname "$(command -v wasm-bindgen || echo none)")" "$root/bin"; do
  if [ "$("$bin/wasm-bindgen" --version 2> /dev/null)" = "wasm-bindgen $version" ]; then
    echo "$bin"
    exit
  fi
done
echo "wasm: compiling wasm-bindgen $version, once" >&2
# Without --locked: the lock file that it comes with names versions that are not to be had everywhere.
cargo install --quiet wasm-bindgen-cli --version "$version" --root "$root" >&2
echo "$root/bin"
