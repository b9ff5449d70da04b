#!/usr/bin/env bash
# Builds the dashboard: server/ui/dist, which the server serves at `/`. What has not changed is not built again.
set -euo pipefail
cd "$(dirname "$0")/.."
ui=server/ui

say() { echo "ui: $*" >&2; }

# unless_done STAMP COMMAND SOURCE...: runs the command, unless it has run with the same sources before.
unless_done() {
  local stamp=$1 command=$2 sources
  shift 2
  sources=$(find "$@" -type f ! -name schema.d.ts -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$sources" ] || return 0
  rm -f "$stamp"
  "$command"
  echo "$sources" > "$stamp"
}

packages() { say "installing npm packages" && npm ci --silent --prefix $ui; }
files() { say "building the files" && npm run --silent --prefix $ui build -- --logLevel warn; }

unless_done $ui/node_modules/.made-from packages $ui/package-lock.json $ui/.npmrc
unless_done $ui/dist/.made-from files $ui/src $ui/public $ui/index.html $ui/vite.config.ts $ui/pack.ts $ui/tsconfig.json \
  $ui/package.json $ui/package-lock.json
