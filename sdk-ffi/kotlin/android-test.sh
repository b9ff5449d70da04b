#!/bin/sh
# Runs the Android parts on Android's own framework, on a JVM, with Robolectric. After test.sh. About 230 MB are downloaded
# once. Not part of test.sh: it is no device, and says nothing about ART, JNA on Android, or shrinking.
#   FFI_LIB     the folder of libtrailmark_ffi.so, as for test.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "${CARGO_TARGET_DIR:-$here/../../target}/ffi" && pwd)
lib=$(cd "${FFI_LIB:-$target/lib}" && pwd)
aars=$target/kotlin-aars
framework=15-robolectric-13954326-i7
export MAVEN_OPTS="${MAVEN_OPTS:--XX:TieredStopAtLevel=1 -XX:+UseSerialGC}"
maven() { mvn -q -B -f "$here/src/androidTest/pom.xml" "$@"; }

fetch() { mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy -Dartifact="$1" -DoutputDirectory="$aars"; }

# An AAR's classes are in a jar inside of it.
classes() {
    name=$(echo "$1" | cut -d: -f2)
    [ -f "$aars/$name.jar" ] && return
    fetch "$1:aar"
    (cd "$aars" && jar xf "$name-${1##*:}.aar" classes.jar && mv classes.jar "$name.jar")
}

mkdir -p "$aars"
classes androidx.lifecycle:lifecycle-process:2.8.7
classes androidx.lifecycle:lifecycle-runtime-android:2.8.7
classes androidx.arch.core:core-runtime:2.2.0
classes androidx.startup:startup-runtime:1.1.1
classes androidx.test:monitor:1.8.0
[ -f "$aars/android-all-instrumented-$framework.jar" ] || fetch "org.robolectric:android-all-instrumented:$framework"
maven test -Daars="$aars" -Dffi.build="$target/kotlin-build" -Dffi.lib="$lib"
echo "kotlin: the Android parts passed on Robolectric"
