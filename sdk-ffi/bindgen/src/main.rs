//! `make ffi` runs this for each language.

use camino::Utf8PathBuf;
use clap::{Parser, ValueEnum};
use trailmark_bindgen::dart;
use trailmark_bindgen::languages::{self, TargetLanguage};

/// Generates bindings from the metadata in a built, unstripped library.
#[derive(Parser)]
struct Args {
    /// The library: libtrailmark_ffi.so.
    #[arg(long)]
    library: Utf8PathBuf,
    /// What to generate.
    #[arg(long)]
    language: Language,
    /// Where to; made if it is not there.
    #[arg(long)]
    out_dir: Utf8PathBuf,
    /// What things are called.
    #[arg(long, default_value = "sdk-ffi/uniffi.toml")]
    config: Utf8PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Dart,
    Kotlin,
    Swift,
    Python,
}

impl Args {
    fn run(&self) -> anyhow::Result<()> {
        let language = match self.language {
            Language::Dart => return dart::generate(&self.library, &self.config, &self.out_dir),
            Language::Kotlin => TargetLanguage::Kotlin,
            Language::Swift => TargetLanguage::Swift,
            Language::Python => TargetLanguage::Python,
        };
        languages::generate(language, &self.library, &self.config, &self.out_dir)
    }
}

fn main() {
    if let Err(error) = Args::parse().run() {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}
