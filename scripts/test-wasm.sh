#!/usr/bin/env bash
# Tests the border between the engine and a page in a headless browser. Installs what this machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh web-test
version=$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' Cargo.toml)
tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/wasm-bindgen-$version

# The runner must be of the very version that the tests are built with. It is compiled once, in about four minutes.
runner=$(command -v wasm-bindgen-test-runner || true)
if [ "$("${runner:-false}" --version 2> /dev/null)" != "wasm-bindgen-test-runner $version" ]; then
  runner=$tools/bin/wasm-bindgen-test-runner
  # Without --locked: the lock file that it comes with names versions that are not to be had everywhere.
  [ -x "$runner" ] || cargo install --quiet wasm-bindgen-cli --version "$version" --root "$tools"
fi

CHROMEDRIVER=$(command -v chromedriver) CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$runner \
  cargo test --locked -p trailmark-wasm --target wasm32-unknown-unknown --test web
