#!/usr/bin/env bash
# Tests the web SDK: its types, its parts, its size, its wasm in a browser; and all of it together, in a real Chromium with a
# real server and Postgres behind it.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export TRAILMARK_BIN=$CARGO_TARGET_DIR/debug/trailmark

# The longest that the tests of one file may take, in seconds: a hang must not eat the time of all others.
patience=900

say() { echo; echo "== $*"; }

say "The web SDK: types and units"
scripts/web.sh
npm run --silent --prefix sdk-wasm/npm check
npm run --silent --prefix sdk-wasm/npm types
npm test --silent --prefix sdk-wasm/npm

say "Its size"
node sdk-wasm/size.mjs sdk-wasm/npm/dist/v1

say "Its wasm in Chromium"
scripts/test-wasm.sh

CARGO_TERM_QUIET=true scripts/build.sh dev trailmark generate-log
say "All of it in Chromium"
# Two files at a time, each with a browser and a server of its own: they wait more than they compute. What one says comes in
# one piece, and at the end once more what failed.
node --test --test-reporter=spec --test-concurrency=2 --test-timeout=$((patience * 1000)) sdk-wasm/e2e/*.test.mjs
