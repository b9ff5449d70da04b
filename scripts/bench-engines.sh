#!/usr/bin/env bash
# Asks ClickHouse's engine and DuckDB the questions of `make bench-query`, of the same EVENTS=10000000 events; bench/engines/
# has what is asked and how. Files and the engines' storage stay in DIR=/var/tmp/trailmark-bench-engines for the next time:
# some 40 bytes an event. Arguments go to engines.py: `--engine duckdb`, `--only funnel`,
# `--ours FILE`, the answers of `trailmark-bench query --answers FILE`, to compare with.
#   PROFILE=dev    takes a generator that is not optimised
set -euo pipefail
cd "$(dirname "$0")/.."
events=${EVENTS:-10000000}
dir=${DIR:-/var/tmp/trailmark-bench-engines}
profile=${PROFILE:-release}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"

scripts/setup.sh engines
files=$dir/files
made="$events events of $(sha256sum < bench/src/query/history.rs)"
if [ "$(cat "$files/made" 2>/dev/null)" != "$made" ]; then
  cargo build --quiet --locked --profile "$profile" -p trailmark-bench
  rm -rf "$files" "$dir/chdb" "$dir/duckdb"
  "$target/${profile/dev/debug}/trailmark-bench" history --events "$events" --dir "$files"
  echo "$made" > "$files/made"
fi
exec "$target/engines/venv/bin/python" bench/engines/engines.py --files "$files" --data "$dir" --events "$events" "$@"
