//! Generates the bindings of `trailmark-ffi` from a built library. `make ffi` runs it; nothing it writes is edited.

use clap::{Parser, ValueEnum};
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenPaths, BindgenPathsLayer};

/// Generates bindings from the metadata in a built, unstripped library.
#[derive(Parser)]
struct Args {
    /// The library: libtrailmark_ffi.so.
    #[arg(long)]
    library: String,
    /// What to generate.
    #[arg(long)]
    language: Language,
    /// Where to; made if it is not there.
    #[arg(long)]
    out_dir: String,
    /// What things are called.
    #[arg(long, default_value = "sdk-ffi/uniffi.toml")]
    config: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Kotlin,
    Swift,
    Python,
}

struct Config(String);

impl BindgenPathsLayer for Config {
    fn get_config_path(&self, _crate_name: &str) -> Option<camino::Utf8PathBuf> {
        Some(self.0.clone().into())
    }
}

fn main() {
    let args = Args::parse();
    let language = match args.language {
        Language::Kotlin => TargetLanguage::Kotlin,
        Language::Swift => TargetLanguage::Swift,
        Language::Python => TargetLanguage::Python,
    };
    let options = GenerateOptions {
        languages: vec![language],
        source: args.library.into(),
        out_dir: args.out_dir.into(),
        ..GenerateOptions::default()
    };
    let mut paths = BindgenPaths::default();
    paths.add_layer(Config(args.config));
    if let Err(error) = generate_with_bindgen_paths(options, paths) {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}
