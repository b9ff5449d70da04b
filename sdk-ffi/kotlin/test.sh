#!/bin/sh
# Builds the wrapper around the generated Kotlin and runs its tests on the real library.
#   FFI_LIB     the folder of libtrailmark_ffi.so, built with the features `callbacks` and `vectors`: target/ffi/test/lib,
#   FFI_KOTLIN  the folder of the generated Kotlin: target/ffi/test/kotlin; scripts/ffi.sh test makes both
#   MEASURE     if set, what a call costs is measured, too
# Leaves the class path of the test programs (LedgerAppKt, MeasureKt) in target/ffi/kotlin-classpath.txt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
mkdir -p "$target/ffi"
target=$(cd "$target/ffi" && pwd)
lib=$(cd "${FFI_LIB:-$target/test/lib}" && pwd)
kotlin=$(cd "${FFI_KOTLIN:-$target/test/kotlin}" && pwd)
build=$target/kotlin-build

# A compiler that runs once is done before the second tier of the JVM's own pays.
export MAVEN_OPTS="${MAVEN_OPTS:--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
maven() {
    mvn -q -B "$@" -f "$here/pom.xml" \
        -Dffi.lib="$lib" -Dffi.kotlin="$kotlin" -Dffi.build="$build"
}

# Whether all that is needed was downloaded by a run before this one, with this pom.
stamp=$target/kotlin-downloaded
offline=
if cmp -s "$here/pom.xml" "$stamp"; then offline=-o; fi
maven $offline package dependency:build-classpath \
    -Dmdep.outputFile="$build/dependencies.txt" -Dmdep.includeScope=test
cp "$here/pom.xml" "$stamp"

# The library lies where JNA finds it in a jar, too: in the folder of its platform on the class path.
natives=$build/natives
case $(uname -sm) in
    "Linux x86_64") platform=linux-x86-64 ;;
    "Linux aarch64") platform=linux-aarch64 ;;
    "Darwin arm64") platform=darwin-aarch64 ;;
    *) platform=darwin-x86-64 ;;
esac
mkdir -p "$natives/$platform"
ln -sf "$lib"/libtrailmark_ffi.* "$natives/$platform/"
printf '%s:%s:%s:%s' "$build/test-classes" "$build/classes" "$natives" "$(cat "$build/dependencies.txt")" \
    > "$target/kotlin-classpath.txt"
if [ "${MEASURE:-}" ]; then
    java -Djna.library.path="$lib" -cp "$(cat "$target/kotlin-classpath.txt")" dev.trailmark.MeasureKt
fi
echo "kotlin: all tests passed"
