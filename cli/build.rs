//! Rebuilds when the demo's shop has another file: the macro alone only notices changes of files it knows.

fn main() {
    // A debug build reads the shop from the source tree.
    let release = std::env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    let watched = if release { "../examples/web" } else { "build.rs" };
    println!("cargo:rerun-if-changed={watched}");
}
