#!/usr/bin/env bash
# Builds the wheel: FFI_LIB=<folder of libtrailmark_ffi.so|.dylib|.dll> FFI_PYTHON=<folder of the generated trailmark.py>
#   PYTHON=python3                        the interpreter that builds
#   PLATFORM=manylinux_2_28_x86_64        the platform that the library was built for; this machine's without it
#   OUT=target/ffi/python/dist            where the wheel goes
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${FFI_LIB:?the folder of the library}" "${FFI_PYTHON:?the folder of the generated trailmark.py}"
work="${CARGO_TARGET_DIR:-$here/../../target}/ffi/python"
out=${OUT:-$work/dist}
python=${PYTHON:-python3}

# The generated part, also for mypy and editors.
ffi="$here/src/trailmark/_ffi"
rm -rf "$ffi"
mkdir -p "$ffi" "$out"
cp "$FFI_PYTHON/trailmark.py" "$ffi/__init__.py"
for library in "$FFI_LIB"/libtrailmark_ffi.so "$FFI_LIB"/libtrailmark_ffi.dylib "$FFI_LIB"/trailmark_ffi.dll; do
    # As it is: make ffi has stripped it, and this machine may not know the platform that it was built for.
    [ ! -e "$library" ] || cp "$library" "$ffi/"
done

# Built from a copy, because setuptools writes beside the sources.
rm -rf "$work/source"
mkdir -p "$work/source"
cp -R "$here"/../../LICENSE-* "$here/pyproject.toml" "$here/setup.py" "$here/README.md" "$here/src" "$work/source/"
isolated=()
if "$python" -c 'import setuptools as s; exit(tuple(map(int, s.__version__.split(".")[:1])) < (77,))' 2>/dev/null; then
    isolated=(--no-build-isolation) # What it takes is here: nothing is downloaded.
fi
platform=()
[ -z "${PLATFORM:-}" ] || platform=("--config-settings=--build-option=--plat-name=$PLATFORM")
rm -f "$out"/trailmark-*.whl
"$python" -m pip --disable-pip-version-check wheel --quiet --no-deps "${isolated[@]}" "${platform[@]}" \
    --wheel-dir "$out" "$work/source"
ls -l "$out"/trailmark-*.whl
