#!/usr/bin/env bash
# Tests the HTTP API against its own description: a real server with a Postgres of its own and some data in it, and
# schemathesis, which makes requests of /openapi.json and compares the answers with it. A run is the same each time.
#   SEED=6         another seed makes other requests
#   EXAMPLES=50    most requests for each operation and phase
#   FAST=1         takes the binary as it is built
#   PHASES=…       of examples, coverage, fuzzing
# Arguments go to schemathesis: `test-api.sh --include-operation-id query`.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/scripts/api
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
st=$target/api/venv/bin/st
trailmark=$target/debug/trailmark

[ -n "${FAST:-}" ] || CARGO_TERM_QUIET=true scripts/build.sh dev trailmark

# As root, Postgres runs as another user, who must be able to reach it; see the Makefile.
home=$(mktemp -d /var/tmp/trailmark-api.XXXXXX)
chmod 755 "$home"
server=
finish() {
  local code=$?
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" || true; fi
  [ $code = 0 ] || { echo "== The end of the server's log"; tail -n 40 "$home/server.log"; } >&2
  rm -rf "$home"
  exit $code
}
trap finish EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
export TRAILMARK__DATA_DIR=$home/data
# One client that asks all the time is what this is about.
TRAILMARK__RATE_LIMIT__PER_IP_PER_SECOND=0 TRAILMARK__RATE_LIMIT__PER_KEY_PER_SECOND=0 \
  "$trailmark" serve --listen "127.0.0.1:$port" > "$home/server.log" 2>&1 &
server=$!
for _ in $(seq 600); do
  curl -fsS "$url/readyz" > /dev/null 2>&1 && break
  kill -0 "$server" || exit 1
  sleep 0.1
done

project=$("$trailmark" project create api --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
key() { "$trailmark" key create --project "$project" --kind "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])'; }
API_WRITE_KEY=$(key write)
API_SECRET_KEY=$(key secret)
API_SEEDED=$(TRAILMARK_WRITE_KEY=$API_WRITE_KEY python3 "$here/seed.py" "$url")
export API_WRITE_KEY API_SECRET_KEY API_SEEDED

cd "$home" # What it remembers of a run goes with it.
# /api/v1/live and /api/v1/now/live never end, and a key that is revoked by chance would end the run.
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here SCHEMATHESIS_HOOKS=hooks "$st" --config-file "$here/schemathesis.toml" \
  run "$url/openapi.json" --seed "${SEED:-6}" --max-examples "${EXAMPLES:-50}" --exclude-operation-id live --exclude-operation-id now_live --exclude-operation-id revoke_key \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases "${PHASES:-examples,coverage,fuzzing}" --generation-database none --request-timeout 30 --continue-on-failure \
  --warnings off "$@"
