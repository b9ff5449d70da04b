//! From the file's text to its shapes.

use std::fmt;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Value;

use super::environment::{self, Lookup};
use super::{GatewayFile, check};

/// Everything that is wrong with a file, each with its place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFile(pub Vec<String>);

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for BadFile {}

/// The file, if nothing is wrong with it.
///
/// # Errors
/// [`BadFile`] with everything that is wrong, as far as it can be seen at once.
pub fn read(text: &str, lookup: Lookup<'_>) -> Result<GatewayFile, BadFile> {
    let mut value: Value = toml::from_str(text).map_err(|error| BadFile(vec![error.to_string()]))?;
    let mut problems = environment::expand(&mut value, lookup);
    match shape(value) {
        Ok(file) => {
            problems.extend(check::problems(&file));
            if problems.is_empty() {
                Ok(file)
            } else {
                Err(BadFile(problems))
            }
        }
        Err(problem) => {
            problems.push(problem);
            Err(BadFile(problems))
        }
    }
}

fn shape(value: Value) -> Result<GatewayFile, String> {
    let mut track = serde_path_to_error::Track::new();
    let reader = serde_path_to_error::Deserializer::new(value.into_deserializer(), &mut track);
    GatewayFile::deserialize(reader).map_err(|error: toml::de::Error| {
        let (path, error) = (track.path().to_string(), error.message().to_owned());
        if path == "." { error } else { format!("{path}: {error}") }
    })
}
