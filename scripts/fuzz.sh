#!/usr/bin/env bash
# Fuzzes what reads strangers' bytes: builds the targets of fuzz/, runs each on its corpus, then on what libFuzzer makes of it.
#   fuzz.sh                all targets; FUZZ_SECONDS=60 each
#   fuzz.sh route ingest   only these
#   fuzz.sh path FILE...   one target on these inputs, such as one that it failed on
#   fuzz.sh --keep         what was found new goes into fuzz/corpus: for each part of the code that is new in it, the smallest
#
# Without cargo-fuzz, which takes minutes to build and is this: a few flags, all of them stable. What it adds is a
# sanitizer, and a nightly Rust for that: it finds faults of unsafe code, of which the server has none of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
all=(path route gateway_file ingest segment)

# The longest input worth trying. Longer ones take longer and say nothing new.
declare -A longest=([path]=512 [route]=256 [gateway_file]=8192 [ingest]=4096 [segment]=4096)

# Words worth trying.
declare -A words=([gateway_file]=fuzz/gateway_file.dict [ingest]=fuzz/ingest.dict)

# An input that takes longer hangs, and not because the machine is busy.
hangs=60

# With a target, these flags are not those of build scripts and macros.
build() {
  RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0" \
    cargo build --locked --release --manifest-path fuzz/Cargo.toml --target-dir "$target" --target "$triple" --bins
}

# run TARGET ARGUMENT...: with what libFuzzer says kept for the case that it fails.
run() {
  local name=$1
  shift
  mkdir -p "$target/found/$name" "$target/failed/$name"
  "$target/$triple/release/$name" -artifact_prefix="$target/failed/$name/" -max_len="${longest[$name]}" -timeout=$hangs \
    -rss_limit_mb=2048 "$@" > "$target/$name.log" 2>&1 || failed "$name"
}

failed() {
  local input
  input=$(sed -n 's/.*Test unit written to //p' "$target/$1.log")
  grep -v '^#' "$target/$1.log" | tail -n 40 >&2
  echo "== $1 fails${input:+; again: scripts/fuzz.sh $1 $input}" >&2
  exit 1
}

fuzz() {
  local name=$1 kept=fuzz/corpus/$1 seconds=${FUZZ_SECONDS:-60}
  run "$name" -runs=0 "$kept"
  run "$name" -max_total_time="$seconds" -print_final_stats=1 ${words[$name]:+-dict=${words[$name]}} \
    "$target/found/$name" "$kept"
  local made
  made=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$target/$name.log")
  echo "$name: $(find "$kept" -type f | wc -l) kept inputs pass, and $made made of them"
}
build
case "${1:-}" in
  --keep) for name in "${all[@]}"; do run "$name" -merge=1 -use_counters=0 "fuzz/corpus/$name" "$target/found/$name"; done ;;
  "") for name in "${all[@]}"; do fuzz "$name"; done ;;
  *)
    if [ -e "${2:-}" ]; then
      exec "$target/$triple/release/$1" "${@:2}"
    fi
    for name in "$@"; do fuzz "$name"; done
    ;;
esac
