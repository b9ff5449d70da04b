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
# One after another: each has a browser and a server of its own, and clocks that must not be late. All of them, so that one
# failure does not hide the next.
failed=()
for file in sdk-wasm/e2e/*.test.mjs; do
  say "In Chromium: $(basename "$file" .test.mjs)"
  timeout --kill-after=20 $patience node --test "$file" || failed+=("$file")
done
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
