//! What the tests read.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use trailmark_bindgen::dart;
use trailmark_bindgen::languages::{self, TargetLanguage};

/// The configuration of the real bindings.
pub(crate) fn config() -> &'static Utf8Path {
    Utf8Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../uniffi.toml"))
}

/// The library that cargo built beside this test: trailmark-ffi with its callbacks.
pub(crate) fn library() -> Utf8PathBuf {
    let name = format!("{DLL_PREFIX}trailmark_ffi{DLL_SUFFIX}");
    let beside = std::env::current_exe().unwrap().with_file_name(name);
    Utf8PathBuf::from_path_buf(beside).unwrap()
}

/// The Dart binding of a library, or of a UDL file.
pub(crate) fn dart_of(source: &Utf8Path) -> anyhow::Result<String> {
    let out = TempDir::new()?;
    dart::generate(source, config(), Utf8Path::from_path(out.path()).unwrap())?;
    Ok(std::fs::read_to_string(out.path().join("trailmark.g.dart"))?)
}

/// The Dart binding of the crate `shop` with this interface, beyond what is in its namespace.
pub(crate) fn dart_of_udl(namespace: &str, udl: &str) -> anyhow::Result<String> {
    let krate = TempDir::new()?;
    std::fs::write(krate.path().join("Cargo.toml"), "[package]\nname = \"shop\"\n")?;
    std::fs::create_dir(krate.path().join("src"))?;
    let source = krate.path().join("src/shop.udl");
    std::fs::write(&source, format!("namespace shop {{ {namespace} }};\n{udl}"))?;
    dart_of(Utf8Path::from_path(&source).unwrap())
}

/// uniffi's C header of a library.
pub(crate) fn header_of(library: &Utf8Path) -> String {
    let out = TempDir::new().unwrap();
    let folder = Utf8Path::from_path(out.path()).unwrap();
    languages::generate(TargetLanguage::Swift, library, config(), folder).unwrap();
    std::fs::read_to_string(folder.join("TrailmarkC.h")).unwrap()
}
