#!/usr/bin/env bash
# Builds the engine for web pages: target/wasm-web/{trailmark.js,trailmark.d.ts,trailmark_bg.wasm}. Installs what it needs
# beside the sources, and says in one line which way it took.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/wasm-web
triple=wasm32-unknown-unknown
# What every browser of the last years understands. With --all-features, Chromium refuses what wasm-opt writes.
features=(--enable-bulk-memory --enable-reference-types --enable-multivalue --enable-sign-ext --enable-mutable-globals
  --enable-nontrapping-float-to-int)

build() { cargo build --quiet --locked --profile wasm -p trailmark-wasm --target $triple "$@"; }

# With a standard library that is made for it: small, and without the texts and places of panics, which nobody would read.
# More optimisation of Rust's own, and loops that LLVM does not rewrite for speed: 3 % less to load.
build_std() {
  RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zmir-opt-level=3 \
    -Cllvm-args=-disable-lsr" build -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
}

rustup_target() {
  command -v rustup > /dev/null || return 1
  rustup target list --installed | grep -qx $triple || rustup target add $triple >&2
}

# The sources of the standard library.
rust_src() { [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ] || rustup component add rust-src >&2; }

if rustup_target; then
  if rust_src; then
    way="rustup's compiler, a standard library built for size"
    build_std
  else
    way="rustup's compiler and its standard library, because its sources cannot be had: about a fifth larger"
    build
  fi
else
  way="Debian's compiler for the web, because rustup cannot add $triple"
  scripts/setup.sh wasm-debian
  export PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/bin/wasm-ld-22
  build_std
fi

CARGO_TERM_QUIET=true scripts/build.sh dev trailmark-wasm-bindgen
[ -d sdk-wasm/npm/node_modules/binaryen ] || npm ci --prefix sdk-wasm/npm --no-audit --no-fund >&2
mkdir -p "$out"
"$target/debug/trailmark-wasm-bindgen" "$target/$triple/wasm/trailmark_wasm.wasm" "$out"
sdk-wasm/npm/node_modules/binaryen/bin/wasm-opt -Oz "${features[@]}" --strip-debug --strip-producers \
  "$out/trailmark_bg.wasm" -o "$out/trailmark_bg.wasm"
echo "wasm: $way; $(stat -c %s "$out/trailmark_bg.wasm") bytes in $out" >&2
