#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment, and tests what is installed.
# FFI_LIB=<folder of libtrailmark_ffi.so, built with the feature `vectors`> FFI_PYTHON=<folder of the generated trailmark.py>
#   PYTHON=python3   the interpreter that is tested with
#   MYPY=1           checks the types, too (downloads mypy)
#   MEASURE=1        prints what a call costs
# Arguments go to unittest: `test.sh -k fork -v`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work="${CARGO_TARGET_DIR:-$here/../../target}/ffi/python"
python=${PYTHON:-python3}
tag=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

export OUT="$work/test-dist"
"$here/build.sh"
rm -rf "$work/venv-$tag"
"$python" -m venv "$work/venv-$tag"
run="$work/venv-$tag/bin/python"
"$run" -m pip --disable-pip-version-check install --quiet --no-index "$OUT"/trailmark-*.whl

if [ -n "${MYPY:-}" ]; then
    [ -x "$work/mypy/bin/mypy" ] || { "$python" -m venv "$work/mypy" && "$work/mypy/bin/pip" install --quiet mypy; }
    (cd "$here" && "$work/mypy/bin/mypy" && "$work/mypy/bin/mypy" --python-executable "$run" tests/typed_app.py)
fi
cd "$here/tests" # Not where `src` is: what is installed is tested.
# Since Python 3.12 a fork of a process with threads is warned of: these tests do nothing else.
"$run" -X faulthandler -W error -W 'ignore:This process:DeprecationWarning' -m unittest "${@:-discover}"
[ -z "${MEASURE:-}" ] || "$run" measure.py
