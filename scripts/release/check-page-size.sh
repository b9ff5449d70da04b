#!/usr/bin/env bash
# Fails if a library does not load on an Android device with memory pages of 16 KB, which Google Play demands of apps for
# Android 15 and later: each of its segments must be aligned to 16,384 bytes. 32-bit devices have pages of 4 KB.
#
#   check-page-size.sh LIBRARY...      READELF=llvm-readelf
set -euo pipefail
[ $# -gt 0 ] || { sed -n '2,5p' "$0" >&2; exit 2; }
wanted=$((16 * 1024))
failed=0
for library; do
  segments=0
  while read -r align; do
    segments=$((segments + 1))
    if [ $((align)) -lt $wanted ]; then
      echo "$library: a segment is aligned to $((align)) bytes, less than $wanted" >&2
      failed=1
    fi
  done < <("${READELF:-readelf}" -lW "$library" | awk '$1 == "LOAD" { print $NF }')
  [ $segments -gt 0 ] || { echo "$library: no segments; is it a library?" >&2; failed=1; }
done
exit $failed
