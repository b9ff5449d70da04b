// The Android library: the wrapper of src/main, the Android parts of src/android, the generated Kotlin and the native
// libraries, as one AAR. The JVM's jar is built by pom.xml. A recipe: it has not been run (see README.md).
plugins {
    id("com.android.library") version "8.13.2"
    id("org.jetbrains.kotlin.android") version "2.4.21"
    `maven-publish`
}

group = "dev.trailmark"
version = "0.1.0"

/** A folder that is given with `-Pname=…`, or where `make ffi` puts it. */
fun folder(name: String, usual: String) = file(providers.gradleProperty(name).getOrElse("../../target/ffi/$usual"))

android {
    namespace = "dev.trailmark.android"
    compileSdk = 36
    defaultConfig {
        // java.time, of which timestamps and durations are.
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets.getByName("main") {
        manifest.srcFile("src/android/AndroidManifest.xml")
        java.setSrcDirs(listOf("src/main/kotlin", "src/android/kotlin", folder("ffiKotlin", "ship/kotlin")))
        // arm64-v8a/libtrailmark_ffi.so, armeabi-v7a/…, x86_64/…: stripped, and aligned for pages of 16 KiB.
        jniLibs.setSrcDirs(listOf(folder("ffiJniLibs", "android")))
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    publishing { singleVariant("release") { withSourcesJar() } }
}

kotlin {
    compilerOptions {
        jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11)
        // A null from Java is a matter of the call it is given to, not an exception before it.
        freeCompilerArgs.add("-Xno-param-assertions")
    }
}

dependencies {
    // The AAR has JNA's own native library for each ABI.
    implementation("net.java.dev.jna:jna:5.19.1@aar")
    implementation("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.11.0")
    implementation("androidx.lifecycle:lifecycle-process:2.8.7")
    // For apps that have it: dev.trailmark.okhttp.
    compileOnly("com.squareup.okhttp3:okhttp:5.5.1")
}

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "trailmark-android"
        afterEvaluate { from(components["release"]) }
    }
}
