//! Kotlin, Swift and Python: uniffi's own back ends.

use anyhow::Result;
use camino::Utf8Path;
use uniffi_bindgen::bindings::{GenerateOptions, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenLoader, BindgenPaths, BindgenPathsLayer, GlobalConfig};

pub use uniffi_bindgen::bindings::TargetLanguage;

/// Where the names are: `sdk-ffi/uniffi.toml`.
struct Config(camino::Utf8PathBuf);

impl BindgenPathsLayer for Config {
    fn get_config_path(&self, _crate_name: &str) -> Option<camino::Utf8PathBuf> {
        Some(self.0.clone())
    }
}

fn paths(config: &Utf8Path) -> BindgenPaths {
    let mut paths = BindgenPaths::default();
    paths.add_layer(Config(config.to_owned()));
    paths
}

/// Reads libraries, with what things are called.
pub(crate) fn loader(config: &Utf8Path) -> BindgenLoader {
    BindgenLoader::new(paths(config), GlobalConfig::default())
}

/// Writes a library's binding into a folder, which is made if it is not there.
///
/// # Errors
/// The library has no metadata, or a file cannot be read or written.
pub fn generate(language: TargetLanguage, library: &Utf8Path, config: &Utf8Path, out_dir: &Utf8Path) -> Result<()> {
    let options = GenerateOptions {
        languages: vec![language],
        source: library.to_owned(),
        out_dir: out_dir.to_owned(),
        ..GenerateOptions::default()
    };
    generate_with_bindgen_paths(options, paths(config))
}
