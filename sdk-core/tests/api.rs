//! The public API, frozen: `api.txt` has one item a line, and what changes it has to be meant.
//!
//! rustdoc describes the crate, the crate `public-api` makes a list of that. `API_ACCEPT=1` writes the list.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use public_api::PublicApi;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Cargo's own variables about this test: passed on, they would make build scripts run again, here and in the next build.
fn is_about_this_test(variable: &str) -> bool {
    let prefixes = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_CRATE_", "CARGO_BIN_"];
    prefixes.iter().any(|prefix| variable.starts_with(prefix))
}

/// rustdoc's description of this crate, made where everything else is built, so that no dependency is built twice.
fn describe() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    for (variable, _) in std::env::vars().filter(|(variable, _)| is_about_this_test(variable)) {
        cargo.env_remove(variable);
    }
    let status = cargo
        .args(["rustdoc", "--quiet", "--locked", "--offline", "--lib", "--target-dir"])
        .arg(target)
        .args(["--", "-Zunstable-options", "--output-format=json", "--cap-lints=allow"])
        .env("RUSTDOC", folder().join("../scripts/rustdoc-json"))
        .env_remove("RUSTDOCFLAGS")
        .current_dir(folder())
        .status();
    assert!(status.unwrap().success(), "cargo rustdoc failed");
    target.join("doc/trailmark_core.json")
}

/// What somebody who uses the crate can name. Left out is what every type has, and what `derive` adds.
fn list(described: &Path) -> String {
    let api = public_api::Builder::from_rustdoc_json(described)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    let api: PublicApi = api.unwrap_or_else(|error| {
        panic!("{error}\nThe toolchain writes another format than `public-api` reads: pin the version that fits it.")
    });
    api.items().map(|item| format!("{item}\n")).collect()
}

/// The lines that only one of the two has.
fn difference(accepted: &str, found: &str) -> String {
    let only = |these: &str, those: &str, sign: char, out: &mut String| {
        let known: std::collections::HashSet<&str> = those.lines().collect();
        for line in these.lines().filter(|line| !known.contains(line)) {
            let _ = writeln!(out, "{sign} {line}");
        }
    };
    let mut out = String::new();
    only(accepted, found, '-', &mut out);
    only(found, accepted, '+', &mut out);
    out
}

#[test]
fn the_public_api_is_what_was_accepted() {
    let path = folder().join("api.txt");
    let found = list(&describe());
    if std::env::var_os("API_ACCEPT").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let accepted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        accepted == found,
        "the public API has changed; if that is meant: API_ACCEPT=1 cargo test -p trailmark-core --test api\n{}",
        difference(&accepted, &found)
    );
}
