#!/usr/bin/env bash
# Tests the dashboard: its types against the server's own description, its parts, its size; and all of it together, in a real
# Chromium with a real server and Postgres behind it. `screenshots` only writes pictures of its pages.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export TRAILMARK_BIN=$CARGO_TARGET_DIR/debug/trailmark
ui=server/ui

# The longest that the tests of one file may take, in seconds: a hang must not eat the time of all others.
patience=600

say() { echo; echo "== $*"; }

scripts/web.sh
scripts/ui.sh
CARGO_TERM_QUIET=true scripts/build.sh dev trailmark
if [ "${1:-}" = screenshots ]; then
  exec node $ui/e2e/screenshots.mjs
fi

say "The dashboard: types, style and units"
"$TRAILMARK_BIN" openapi > "$CARGO_TARGET_DIR/openapi.json"
OPENAPI=$CARGO_TARGET_DIR/openapi.json npm run --silent --prefix $ui types
npm run --silent --prefix $ui check
npm test --silent --prefix $ui

say "All of it in Chromium"
node --test --test-reporter=spec --test-concurrency=1 --test-timeout=$((patience * 1000)) $ui/e2e/*.test.mjs
