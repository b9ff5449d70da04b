#!/usr/bin/env bash
# Makes of a built library what is shipped: a stripped copy, and its symbols in a file of their own, which turns the
# addresses in somebody's crash report into lines later.
#
#   ship-library.sh BUILT OUT/libtrailmark_ffi.so     also writes OUT/symbols/libtrailmark_ffi.so.debug (.dSYM for macOS)
#
# STRIP, OBJCOPY: those of the target; llvm-strip and llvm-objcopy know every one but Apple's. Bindings are generated from
# BUILT, never from what this writes: uniffi's metadata is in the symbols.
set -euo pipefail
built=${1:?the built library} shipped=${2:?where the stripped one goes}
symbols=$(dirname "$shipped")/symbols
mkdir -p "$symbols"
case $shipped in
  *.dylib)
    dsymutil "$built" -o "$symbols/$(basename "$shipped").dSYM"
    # -x keeps the exported functions, which are looked up by name.
    strip -x -o "$shipped" "$built"
    ;;
  *.so)
    debug=$symbols/$(basename "$shipped").debug
    "${OBJCOPY:-llvm-objcopy}" --only-keep-debug "$built" "$debug"
    "${STRIP:-llvm-strip}" --strip-unneeded -o "$shipped" "$built"
    "${OBJCOPY:-llvm-objcopy}" --add-gnu-debuglink="$debug" "$shipped"
    ;;
  *.dll)
    # Windows keeps symbols in a file of their own anyway.
    cp "$built" "$shipped"
    cp "${built%.dll}.pdb" "$symbols/"
    ;;
  *) echo "ship-library: what is $shipped?" >&2; exit 2 ;;
esac
