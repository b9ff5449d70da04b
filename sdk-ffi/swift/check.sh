#!/usr/bin/env bash
# What can be checked of the Swift package without a Swift compiler, which this does not replace:
#   1. the generated C header compiles, and a C program links the library through it and runs (c_check/abi.c);
#   2. every function that the generated Swift names is in the header and is exported by the library;
#   3. the hand-written Swift calls the generated one with the labels and the fields that are there (check_calls.py).
#
#   FFI_LIB=…/lib FFI_SWIFT=…/swift sdk-ffi/swift/check.sh
#
# FFI_LIB is the folder of libtrailmark_ffi.so, or the file itself; FFI_SWIFT that of TrailmarkFFI.swift and TrailmarkC.h.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${FFI_LIB:?the library or its folder}" "${FFI_SWIFT:?the folder with TrailmarkFFI.swift and TrailmarkC.h}"
[ ! -d "$FFI_LIB" ] || FFI_LIB=$FFI_LIB/libtrailmark_ffi.so
FFI_LIB=$(realpath "$FFI_LIB")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Clang knows these two words; gcc is told that they mean nothing.
${CC:-cc} -std=c11 -Wall -Wextra -Werror '-D_Nonnull=' '-D_Nullable=' -I "$FFI_SWIFT" -o "$work/abi" "$here/c_check/abi.c" \
  "$FFI_LIB" -pthread
LD_LIBRARY_PATH="$(dirname "$FFI_LIB")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH

# The order of a record's fields is not in the header, so it is compared with the one in the generated Swift.
sed -n '/^public struct FfiConverterTypeConfig:/,/^}/s/.*\.write(value\.\([A-Za-z]*\),.*/\1/p' "$FFI_SWIFT/TrailmarkFFI.swift" \
  > "$work/config.swift"
"$work/abi" --config | diff "$work/config.swift" - || { echo "check: the fields of Config differ (< Swift, > abi.c)" >&2; exit 1; }
timeout 60 "$work/abi" "$work/directory"

grep -oE '\b(uniffi|ffi)_trailmark_ffi_[a-z0-9_]+' "$FFI_SWIFT/TrailmarkFFI.swift" | sort -u > "$work/named"
grep -oE '\b(uniffi|ffi)_trailmark_ffi_[a-z0-9_]+\(' "$FFI_SWIFT/TrailmarkC.h" | tr -d '(' | sort -u > "$work/declared"
nm -D --defined-only "$FFI_LIB" | awk '{ print $3 }' | sort -u > "$work/exported"
[ "$(wc -l < "$work/named")" -gt 50 ] || { echo "check: the generated Swift names hardly any function" >&2; exit 1; }
for where in declared exported; do
  missing=$(comm -23 "$work/named" "$work/$where")
  [ -z "$missing" ] || { printf 'check: named in Swift, but not %s:\n%s\n' "$where" "$missing" >&2; exit 1; }
done
echo "check: $(wc -l < "$work/named") functions that Swift names are declared and exported"

python3 "$here/check_calls.py" "$FFI_SWIFT/TrailmarkFFI.swift" "$here"
