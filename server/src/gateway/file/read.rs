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

/// A file whose shapes are right.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaped {
    /// What it says.
    pub file: GatewayFile,
    /// What can be seen to be wrong with it without making anything of it.
    pub problems: Problems,
}

/// What is wrong with a file, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// Where a variable is not set: what else is wrong there comes of that.
    unset: Vec<String>,
    all: Vec<String>,
}

/// The file, if nothing is wrong with it that can be seen without making anything of it.
///
/// # Errors
/// [`BadFile`] with everything that is wrong, as far as it can be seen at once.
pub fn read(text: &str, lookup: Lookup<'_>) -> Result<GatewayFile, BadFile> {
    let Shaped { file, problems } = shaped(text, lookup)?;
    match problems.is_empty() {
        true => Ok(file),
        false => Err(BadFile(problems.into())),
    }
}

/// The file, if its shapes are right, with what else is wrong.
///
/// # Errors
/// [`BadFile`] with the first shape that is wrong, behind which nothing can be seen, and the variables that are not set.
pub fn shaped(text: &str, lookup: Lookup<'_>) -> Result<Shaped, BadFile> {
    let mut value: Value = toml::from_str(text).map_err(|error| BadFile(vec![error.to_string()]))?;
    let mut problems = Problems::of_unset(environment::expand(&mut value, lookup));
    match shape(value) {
        Ok(file) => {
            problems.extend(check::problems(&file));
            Ok(Shaped { file, problems })
        }
        Err(problem) => {
            problems.extend([problem]);
            Err(BadFile(problems.all))
        }
    }
}

impl Problems {
    fn of_unset(all: Vec<String>) -> Self {
        let places = all.iter().filter_map(|problem| problem.split_once(": "));
        Self {
            unset: places.map(|(place, _)| place.to_owned()).collect(),
            all,
        }
    }

    /// Adds what is not there yet, and does not come of a variable that is not set.
    pub fn extend(&mut self, found: impl IntoIterator<Item = String>) {
        for problem in found {
            // `upstreams.users: endpoints[0].url: …` is about the place `upstreams.users.endpoints[0].url`.
            let place = problem.replace(": ", ".") + ".";
            let comes_of = |unset: &String| place.strip_prefix(unset).is_some_and(|rest| rest.starts_with('.'));
            let is_known = self.all.contains(&problem) || self.unset.iter().any(comes_of);
            if !is_known {
                self.all.push(problem);
            }
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl From<Problems> for Vec<String> {
    fn from(problems: Problems) -> Self {
        problems.all
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_a_variable_that_is_not_set_is_not_said_beside_it() {
        let text = "version = 1\n[auth.login.token]\nissuer = \"t\"\nsecret = \"${SECRET}\"\n[log]\nsample = 2.0\n";
        let bad = read(text, &|_| None).unwrap_err().0;
        assert_eq!(
            bad,
            [
                "auth.login.token.secret: the environment has no SECRET",
                "log: sample: 2 is not between 0 and 1"
            ]
        );
        let weak = read(text, &|_| Some("short".to_owned())).unwrap_err().0;
        assert!(weak[0].starts_with("auth.login: token.secret: "), "{weak:?}");
        assert_eq!(weak.len(), 2, "{weak:?}");
    }
}
