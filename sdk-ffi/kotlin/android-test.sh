#!/bin/sh
# The Android parts, as far as a JVM goes; after test.sh. About 250 MB are downloaded once. Not part of test.sh: it is no
# device, and says nothing about ART or JNA on Android.
#   1. on Android's own framework, which Robolectric runs on a JVM
#   2. shrunk by R8 in full mode with consumer-rules.pro, the library still works, callbacks and coroutines included
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

r8=9.5.28
build=$target/kotlin-build
[ -f "$aars/r8-$r8.jar" ] || fetch "com.android.tools:r8:$r8"
(cd "$build/test-classes" && jar cf "$aars/program.jar" dev/trailmark/Threads* dev/trailmark/Support* dev/trailmark/Peer*)
cat > "$aars/program.pro" <<'EOF'
-keep class dev.trailmark.ThreadsKt { public static void main(...); }
# Optional parts of Kotlin's libraries and of JNA.
-dontwarn **
EOF
# Those of the class path that an app has, too.
libraries=$(tr ':' '\n' < "$build/dependencies.txt" | grep -E '/(kotlin-stdlib|kotlinx-coroutines-core-jvm|jna)-[^/]*jar$')
# shellcheck disable=SC2086
java -cp "$aars/r8-$r8.jar" com.android.tools.r8.R8 --classfile --release --output "$aars/shrunk.jar" \
    --pg-conf "$aars/program.pro" --pg-conf "$here/consumer-rules.pro" \
    --lib "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")" \
    "$aars/program.jar" "$build/trailmark-0.1.0.jar" $libraries > "$aars/r8.log" 2>&1
said=$(java -Djna.library.path="$lib" -cp "$aars/shrunk.jar" dev.trailmark.ThreadsKt) || true
[ "$said" = "$(printf '[trailmark, trailmark, trailmark]\n[]')" ] || { echo "shrunk, it says: $said" >&2; exit 1; }
echo "kotlin: shrunk by R8 it works"
