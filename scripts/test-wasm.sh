#!/usr/bin/env bash
# Tests the border between the engine and a page in a headless browser. Installs what this machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh web-test
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER CHROMEDRIVER
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$(scripts/wasm-bindgen.sh)/wasm-bindgen-test-runner
CHROMEDRIVER=$(command -v chromedriver)
cargo test --locked -p trailmark-wasm --target wasm32-unknown-unknown --test web
