#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks. Running it again changes nothing.
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
