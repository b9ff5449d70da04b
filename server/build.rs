//! Rebuilds when what is built into the server grows: the macros alone only notice changes of files they know.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
    // A debug build reads the web SDK and the dashboard from the source tree.
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../sdk-wasm/npm/dist/v1");
        println!("cargo:rerun-if-changed=ui/dist");
    }
}
