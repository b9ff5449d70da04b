#!/usr/bin/env bash
# Tests the border between the engine and a page in a headless browser. Installs what this machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh web-test
version=$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' Cargo.toml)
tools=$(realpath -m "${CARGO_TARGET_DIR:-target}")/wasm-bindgen-$version

# The runner must be of the very version that the tests are built with. It is compiled once: without optimisation, without
# debug information, and without what only its other programs and its way to other machines need. Then it takes 120 seconds of
# a processor to compile, not 256, and the tests take 3 seconds longer.
runner=$(command -v wasm-bindgen-test-runner || true)
if [ "$("${runner:-false}" --version 2> /dev/null)" != "wasm-bindgen-test-runner $version" ]; then
  runner=$tools/bin/wasm-bindgen-test-runner
  # Without --locked: the lock file that it comes with names versions that are not to be had everywhere.
  [ -x "$runner" ] || CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --bin wasm-bindgen-test-runner \
    --no-default-features wasm-bindgen-cli --version "$version" --root "$tools"
fi

# Seconds until it gives up on the tests and on chromedriver. Its own 20 and 5 are too short for a machine that does more.
export WASM_BINDGEN_TEST_TIMEOUT=120 WASM_BINDGEN_TEST_DRIVER_TIMEOUT=60
CHROMEDRIVER=$(command -v chromedriver) CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$runner \
  cargo test --locked -p trailmark-wasm --target wasm32-unknown-unknown --test web
