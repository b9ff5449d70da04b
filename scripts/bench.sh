#!/bin/sh
# Builds in release mode, measures the server on this machine (loopback only) and prints the tables of bench/RESULTS.md.
# Arguments go to `trailmark-bench run`, see its --help; behind `sdk` as the first one, to `trailmark-bench sdk`, which
# measures the client; `query` measures answers to questions about EVENTS=10000000 events, which it keeps for the next time;
# `ffi` measures the client in other languages, `gateway` the gateway beside nginx, haproxy and Express. The measuring itself is stopped after 15 minutes; what it starts it stops, and
# its data is a temporary directory that it removes.
set -eu
cd "$(dirname "$0")/.."
command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"

[ "${1:-}" != ffi ] || exec scripts/bench-ffi.sh
if [ "${1:-}" = gateway ]; then
  shift
  scripts/setup.sh bench-gateway
  cargo build --release --locked -p trailmark-cli
  exec python3 bench/gateway/run.py "${CARGO_TARGET_DIR:-target}/release/trailmark" "$@"
fi
cargo build --release --locked -p trailmark-cli -p trailmark-bench
target=${CARGO_TARGET_DIR:-target}/release

echo "Machine: $(nproc) × $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), \
$(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), $(. /etc/os-release && echo "$PRETTY_NAME"), \
$(uname -sr)"
echo "Date: $(date -u +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD -- 2>/dev/null || echo ', changed')"
# 20 s after the signal nothing can be left: the server drains for at most 10 s, then stops its Postgres.
bounded="timeout --signal=TERM --kill-after=40 900"
if [ "${1:-}" = query ]; then
  shift
  exec $bounded "$target/trailmark-bench" query "$@"
fi
if [ "${1:-}" = sdk ]; then
  shift
  $bounded "$target/trailmark-bench" sdk "$@"
  exec $bounded "$target/sdk-allocations"
fi
exec $bounded "$target/trailmark-bench" run "$@"
