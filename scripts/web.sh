#!/usr/bin/env bash
# Builds the web SDK: sdk-wasm/npm/dist/v1, which the server serves, and dist/npm, which is published. What has not changed
# is not built again.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
wasm=$CARGO_TARGET_DIR/wasm-web
npm=sdk-wasm/npm

say() { echo "web: $*" >&2; }

# digest SOURCE...: of all files below the sources, and their names.
digest() { find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }

# unless_done FOLDER COMMAND SOURCE...: runs the command, unless it has made the folder from the same sources before.
unless_done() {
  local stamp=$1/.made-from command=$2 sources
  shift 2
  sources=$(digest "$@")
  [ "$(cat "$stamp" 2>/dev/null)" != "$sources" ] || return 0
  rm -f "$stamp"
  "$command"
  echo "$sources" > "$stamp"
}

packages() { say "installing npm packages" && npm ci --silent --prefix $npm; }
engine() { say "compiling the engine to WebAssembly: a minute or two the first time" && scripts/wasm.sh; }
files() {
  say "building the files"
  (cd $npm && node build.mjs && node pack.mjs)
}

unless_done $npm/node_modules packages $npm/package-lock.json $npm/.npmrc
unless_done "$wasm" engine protocol/src protocol/Cargo.toml sdk-core/src sdk-core/Cargo.toml sdk-wasm/src sdk-wasm/Cargo.toml \
  Cargo.toml Cargo.lock scripts/wasm.sh sdk-wasm/bindgen
unless_done $npm/dist/v1 files $npm/src $npm/build.mjs $npm/pack.mjs $npm/package.json $npm/tsconfig.json \
  $npm/package-lock.json "$wasm/trailmark.js" "$wasm/trailmark_bg.wasm"
