#!/usr/bin/env bash
# The shop of examples/gateway: starts its services and the gateway, calls through it, and shows what comes back.
#   demo-gateway.sh PROGRAMS DIR    PROGRAMS holds trailmark and shop; DIR is for the server's data and the logs
# Then it serves until Ctrl-C; with DEMO_EXIT=1 it ends. An answer that is not as announced fails it.
set -euo pipefail

programs=$(cd "$1" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
example=$(cd "$(dirname "$0")/../examples/gateway" && pwd)
url=http://127.0.0.1:7700
admin=http://127.0.0.1:7701
JWT_SECRET=$(openssl rand -hex 32)
export JWT_SECRET TRAILMARK__GATEWAY__FILE=$example/gateway.toml

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

running=()
stop() {
  trap - EXIT
  [ ${#running[@]} = 0 ] || kill "${running[@]}" 2>/dev/null || true
  wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die() { echo "error: $*" >&2; exit 1; }

# run NAME PROGRAM...: in the background, with its output in $dir/NAME.log; its process is then in $started.
run() {
  local name=$1
  shift
  "$@" >"$dir/$name.log" 2>&1 &
  started=$!
  running+=("$started")
}

# until_answers URL NAME TEXT: waits until TEXT is in the answer; 60 s is for a first start, which makes a database.
until_answers() {
  local deadline=$((SECONDS + 60))
  until curl --silent --fail "$1" | grep --quiet --fixed-strings "$3"; do
    kill -0 "$started" 2>/dev/null || die "$2 has ended: $(tail -n 3 "$dir/$2.log")"
    [ $SECONDS -lt $deadline ] || die "$2 is not ready after 60 s; its log is $dir/$2.log"
    sleep 0.1
  done
}

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# The command as one would type it.
typed() {
  local word line='$ curl'
  for word in "$@"; do
    word=${word//"$token"/\$TOKEN}
    word=${word//"$write_key"/\$WRITE_KEY}
    if [[ $word == *\$* ]]; then word="\"$word\""; elif [[ $word == *[\ \"]* ]]; then word="'$word'"; fi
    line+=" $word"
  done
  printf '  %s%s%s\n' "$dim" "$line" "$plain"
}

# What is worth showing of an answer: its status, some headers, its body.
answer() {
  tr -d '\r' <"$dir/answer" | awk '
    NR == 1 { sub(/^HTTP\/[0-9.]+ /, ""); print "  " $0; in_head = 1; next }
    in_head && /^$/ { in_head = 0; next }
    in_head && tolower($0) !~ /^(ratelimit|retry-after|cache-status|age|x-served-by|www-authenticate|access-control-allow-origin)/ { next }
    { print "  " $0 }' | sed 's/\("token":"[^"]\{16\}\)[^"]*/\1…/'
}

# The body of a request that sends JSON.
sends() { body=(-H 'Content-Type: application/json' -d "$1"); }

# ask STATUS ARGUMENTS...: calls, and shows both; another status is an error.
ask() {
  local status=$1
  shift
  echo
  typed "$@"
  curl --silent --show-error --include --max-time 30 "$@" >"$dir/answer"
  echo >>"$dir/answer"
  answer
  grep --quiet "^HTTP/[0-9.]* $status " "$dir/answer" || die "that was to be answered with $status"
}

json() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^,\"}]*\).*/\1/p" | head -n 1; }

trailmark() { "$programs/trailmark" --data-dir "$dir/data" --json "$@" 2>>"$dir/trailmark.log"; }

token=none write_key=none

say "Starting the shop and its gateway"
run users "$programs/shop" users --port 4001
until_answers http://127.0.0.1:4001/health users healthy
run orders-1 "$programs/shop" orders --port 4002
until_answers http://127.0.0.1:4002/health orders-1 healthy
run orders-2 "$programs/shop" orders --port 4012
orders_2=$started
until_answers http://127.0.0.1:4012/health orders-2 healthy
run notifications "$programs/shop" notifications --port 4003
until_answers http://127.0.0.1:4003/health notifications healthy
run gateway "$programs/trailmark" serve --data-dir "$dir/data" --listen "${url#http://}"
until_answers "$url/readyz" gateway '"database":"ok"'
echo "  users :4001, orders :4002 and :4012, notifications :4003; the only door is $url"

say "The catalog is public, and the gateway keeps it for a minute"
ask 200 "$url/api/catalog"
ask 200 "$url/api/catalog"

say "Orders are not public"
ask 401 "$url/api/orders"

say "A login: the gateway asks the users service, and makes a token"
sends '{"email":"ann@shop.example","password":"a guess"}'
ask 401 "$url/api/auth/login" "${body[@]}"
sends '{"email":"ann@shop.example","password":"green tea, no sugar"}'
ask 200 "$url/api/auth/login" "${body[@]}"
token=$(json token <"$dir/answer")

say "With it, orders answer: their service reads X-User-Id and verifies nothing"
ask 200 "$url/api/orders/o_1" -H "Authorization: Bearer $token"
ask 200 "$url/api/orders/o_1" -H "X-Api-Key: demo-key-of-the-warehouse"

say "What a client says of itself under such names does not arrive, in no spelling"
ask 200 "$url/api/users/me" -H "Authorization: Bearer $token" -H "X-User-Id: u_999" -H "x_user_role: root" \
  -H "X-Forwarded-For: 1.2.3.4" -H "Connection: close, X-User-Id"
ask 401 "$url/api/catalog/../users/me" --path-as-is -H "X-User-Id: u_999"

say "An event for the analytics, which are in the gateway's own process"
project=$(trailmark project create shop | json id)
write_key=$(trailmark key create --project "$project" --kind write | json key)
sends '{"anonymous_id":"visitor-1","name":"checkout","properties":{"total":8.90}}'
ask 202 "$url/api/events" -H "Authorization: Bearer $write_key" "${body[@]}"

say "One of two orders services is killed; whoever calls does not notice"
# Or the shell would tell of its end.
disown "$orders_2"
kill -KILL "$orders_2"
for _ in {1..20}; do
  curl --silent --head --request GET "$url/api/orders" -H "X-Api-Key: demo-key-of-the-warehouse" |
    tr -d '\r' | awk 'NR == 1 { status = $2 } tolower($1) == "x-served-by:" { by = $2 } END { print status, "from", by }'
done | sort | uniq --count | sed 's/^ */  /' | tee "$dir/served"
grep --quiet '^  20 200 from orders-4002$' "$dir/served" || die "20 answers of orders-4002 were to come"

say "What is public takes 100 calls in 15 minutes from one address"
for _ in {1..100}; do curl --silent --output /dev/null "$url/api/catalog"; done
ask 429 "$url/api/catalog"

say "Try it"
cat <<TEXT
  TOKEN=$token
  curl -H "Authorization: Bearer \$TOKEN" $url/api/users/me

  the routes    $example/gateway.toml
                change it while this runs: the gateway reads it again
  the access    tail -f $dir/gateway.log
  the operator  curl $admin/gateway
                curl $admin/metrics
TEXT
[ "${DEMO_EXIT:-}" != 1 ] || exit 0
say "Serving until Ctrl-C"
wait
