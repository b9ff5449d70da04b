//! Rebuilds when a migration is added: the `migrate!` macro alone only notices changes of known files.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
