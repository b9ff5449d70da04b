//! The public API, frozen: `api.txt` has one item a line, and what changes it has to be meant.
//!
//! rustdoc describes the crate, the crate `public-api` makes a list of that. `API_ACCEPT=1` writes the list.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use public_api::PublicApi;
use serde_json::Value;

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

/// Made once: the tests of this file read the same.
static DESCRIBED: LazyLock<PathBuf> = LazyLock::new(describe);

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
    let found = list(&DESCRIBED);
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

/// What an app developer has in hands: each of these, and each function on it, has an example.
const FOR_APPS: [&str; 9] = [
    "Client",
    "ClientBuilder",
    "Context",
    "Properties",
    "Capture",
    "Draft",
    "Stats",
    "FlushReport",
    "Config",
];

/// The items of the crate by their names, as rustdoc knows them.
fn named<'a>(index: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    let items = index.as_object().unwrap().values();
    items.filter(move |item| item["crate_id"] == 0 && item["name"] == name && item["inner"]["struct"].is_object())
}

/// A type and its own public functions, with the names by which a reader finds them.
fn documented<'a>(index: &'a Value, name: &'a str) -> Vec<(String, &'a Value)> {
    let item = |id: &Value| &index[id.to_string()];
    let mut found: Vec<(String, &Value)> = named(index, name).map(|found| (name.to_owned(), found)).collect();
    let impls = found
        .iter()
        .flat_map(|(_, found)| found["inner"]["struct"]["impls"].as_array().unwrap());
    let own = impls
        .map(|id| &item(id)["inner"]["impl"])
        .filter(|it| it["trait"].is_null());
    let functions: Vec<&Value> = own.flat_map(|it| it["items"].as_array().unwrap()).map(item).collect();
    let public = functions
        .into_iter()
        .filter(|function| function["visibility"] == "public");
    found.extend(public.map(|function| (format!("{name}::{}", function["name"].as_str().unwrap()), function)));
    found
}

#[test]
fn whatever_an_app_calls_has_an_example() {
    let described: Value = serde_json::from_str(&std::fs::read_to_string(&*DESCRIBED).unwrap()).unwrap();
    let items: Vec<(String, &Value)> = FOR_APPS
        .into_iter()
        .flat_map(|name| documented(&described["index"], name))
        .collect();
    assert!(
        items.len() > 60,
        "only {} found: is the format another one?",
        items.len()
    );
    let without = items
        .iter()
        .filter(|(_, item)| !item["docs"].as_str().is_some_and(|docs| docs.contains("```")));
    let without: Vec<&String> = without.map(|(name, _)| name).collect();
    assert!(without.is_empty(), "no example: {without:?}");
}
