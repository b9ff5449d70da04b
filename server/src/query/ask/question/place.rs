//! Where in a question something is wrong.

use std::fmt::{self, Display};

/// What is wrong with a question, and where: "`series[0].math_property` is missing".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {problem}")]
pub struct Invalid {
    /// The JSON path; `.` for the whole.
    pub path: String,
    /// What is wrong, continuing a sentence that the path starts.
    pub problem: String,
}

impl Invalid {
    /// "`path` problem", of a path that is written already.
    pub fn at(path: &str, problem: impl Display) -> Self {
        Self {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }

    /// The same, of something that is itself in a field.
    #[must_use]
    pub fn below(mut self, field: &str) -> Self {
        self.path = match self.path.as_str() {
            "." => field.to_owned(),
            path => format!("{field}.{path}"),
        };
        self
    }

    /// "`path` problem".
    pub fn new(path: &Path<'_>, problem: impl Into<String>) -> Self {
        Self {
            path: path.to_string(),
            problem: problem.into(),
        }
    }
}

/// A JSON path, as a list that grows towards the root: no allocation until something is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    step: Step,
    parent: Option<&'a Path<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Root,
    Field(&'static str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole question.
    #[must_use]
    pub const fn root() -> Self {
        Self {
            step: Step::Root,
            parent: None,
        }
    }

    /// A field of what is here.
    #[must_use]
    pub const fn field(&'a self, name: &'static str) -> Self {
        Self {
            step: Step::Field(name),
            parent: Some(self),
        }
    }

    /// An element of the list that is here.
    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        Self {
            step: Step::Index(index),
            parent: Some(self),
        }
    }

    /// Each element of a list that is here, with its path.
    ///
    /// # Errors
    /// The first that `check` finds.
    pub fn each<T>(&self, items: &[T], check: impl Fn(&T, &Path<'_>) -> Result<(), Invalid>) -> Result<(), Invalid> {
        items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(item, &self.index(index)))
    }

    /// Refuses what is here unless it is so.
    ///
    /// # Errors
    /// It is not so.
    pub fn require(&self, so: bool, problem: &str) -> Result<(), Invalid> {
        if so { Ok(()) } else { Err(Invalid::new(self, problem)) }
    }
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let above = self.parent.filter(|parent| !matches!(parent.step, Step::Root));
        if let Some(parent) = above {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => f.write_str("."),
            Step::Field(name) if above.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_json_people_write_it() {
        let root = Path::root();
        let series = root.field("series");
        let second = series.index(1);
        assert_eq!(root.to_string(), ".");
        assert_eq!(series.to_string(), "series");
        assert_eq!(second.field("math").to_string(), "series[1].math");
    }
}
