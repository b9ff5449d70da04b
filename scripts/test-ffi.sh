#!/usr/bin/env bash
# Tests the client in other languages, each on the real library: their own tests, and the app that is killed at random
# moments beside a real server.
#   test-ffi.sh [LANGUAGE...]   of: ship, python, kotlin, dart, swift; all without one
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export FFI_LIB=$target/ffi/test/lib FFI_KOTLIN=$target/ffi/test/kotlin FFI_PYTHON=$target/ffi/test/python \
  FFI_SWIFT=$target/ffi/test/swift

# The largest library that may be shipped, stripped: 3 MB.
budget=$((3 * 1024 * 1024))

say() { echo; echo "== $*"; }

# killed APP: each of its events is stored exactly once, whenever it dies. APP is a command of the shell.
killed() {
  DEVICE_APP=$1 cargo test --quiet --locked --workspace --test e2e -- --ignored --exact --nocapture \
    device_kills::an_app_in_another_language_killed_at_random_moments_delivers_each_of_its_events_exactly_once
}

ship() {
  say "The libraries as they are shipped, and the committed binding"
  local binding=sdk-ffi/flutter/lib/src/generated/trailmark.g.dart before
  before=$(mktemp)
  cp "$binding" "$before"
  scripts/ffi.sh
  diff -u "$before" "$binding" || { echo "$binding was not what make ffi generates; now it is"; exit 1; }
  local library size
  for library in "$target"/ffi/ship/{lib,dart}/libtrailmark_ffi.so; do
    size=$(stat -c %s "$library")
    echo "${library#"$target"/}: $size bytes, $(gzip -9 -c "$library" | wc -c) compressed; at most $budget"
    [ "$size" -le "$budget" ]
  done
}

python() {
  say "Python"
  MYPY=1 sdk-ffi/python/test.sh
  killed "$(echo "$target"/ffi/python/venv-*/bin/python) $PWD/sdk-ffi/python/tests/ledger_app.py"
}

kotlin() {
  say "Kotlin on the JVM"
  sdk-ffi/kotlin/test.sh
  killed "java -cp $(cat "$target/ffi/kotlin-classpath.txt") -Djna.library.path=$FFI_LIB dev.trailmark.LedgerAppKt"
}

dart() {
  say "Dart"
  scripts/dart.sh test
  # What needs Flutter cannot run here.
  python3 sdk-ffi/flutter/tool/parse_check.py
  killed "$(scripts/dart.sh compile sdk-ffi/flutter/test/vm/ledger_app.dart)"
}

swift() {
  say "Swift: the C header"
  sdk-ffi/swift/check.sh
}

scripts/ffi.sh test
[ $# -gt 0 ] || set -- ship python kotlin dart swift
for language; do "$language"; done
