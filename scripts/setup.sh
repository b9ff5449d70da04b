#!/usr/bin/env bash
# Installs what this machine lacks. Running it again changes nothing.
#   setup.sh       what the server, the demo and the Rust tests need
#   setup.sh ffi   also what the tests of the other languages need
#   setup.sh schemathesis   also what tests the HTTP API against its description: Python packages, below target/
#   setup.sh web   also what the web SDK is built with; `web-test`: and what tests it; `wasm-debian`: Debian's compiler for
#                  wasm, where rustup has none
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
have_postgres || install postgresql

# node_at_least MAJOR.MINOR
node_at_least() { printf '%s\n' "v$1" "$(node --version)" | sort --check=quiet --version-sort; }

web() {
  command -v node >/dev/null || install nodejs
  command -v npm >/dev/null || install npm
}

web_test() {
  web
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install chromium
  command -v chromedriver >/dev/null || install chromium-driver
  rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown >&2
  node_at_least 20.19 || { say "the tests need Node 20.19 or newer, this is $(node --version); see https://nodejs.org"; exit 2; }
}

# A virtual environment of its own for each list of versions.
schemathesis() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
  command -v curl >/dev/null || install curl
  local here venv wanted
  here=$(cd "$(dirname "$0")" && pwd)
  venv=${CARGO_TARGET_DIR:-$here/../target}/api/venv
  wanted=$here/api/requirements.txt
  cmp --silent "$wanted" "$venv/requirements.txt" && return
  say "installing $(grep -m 1 schemathesis== "$wanted")"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" --disable-pip-version-check install --quiet --no-deps -r "$wanted" >&2
  cp "$wanted" "$venv/requirements.txt"
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

case "${1:-}" in
  "") ;;
  ffi) ffi ;;
  schemathesis) schemathesis ;;
  web) web ;;
  web-test) web_test ;;
  wasm-debian) [ -x /usr/bin/wasm-ld-22 ] && [ -x /usr/bin/rustc ] || install rustc-web cargo-web rust-web-src rust-web-llvm lld-22 ;;
  *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
