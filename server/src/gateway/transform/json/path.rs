//! Places in a JSON value: `order.total`, `items[].price`, `[].id`.

use std::fmt;

/// The way to a member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// From the root to the object.
    pub(super) steps: Box<[Step]>,
    /// The member.
    pub(super) name: Box<str>,
}

/// A step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a member of an object.
    Member(Box<str>),
    /// Into every element of an array.
    Each,
}

impl Path {
    /// Reads a path.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no path such as `order.total` or `items[].price`");
        let mut steps = Vec::new();
        for (index, segment) in text.split('.').enumerate() {
            let name = segment.trim_end_matches("[]");
            let arrays = (segment.len() - name.len()) / 2;
            // Only a body that is an array itself has elements without a name before them.
            let is_root = index == 0 && arrays > 0;
            if name.contains(['[', ']']) || (name.is_empty() && !is_root) {
                return Err(wrong());
            }
            steps.extend((!name.is_empty()).then(|| Step::Member(name.into())));
            steps.extend((0..arrays).map(|_| Step::Each));
        }
        match steps.pop() {
            Some(Step::Member(name)) => Ok(Self {
                steps: steps.into(),
                name,
            }),
            _ => Err(wrong()),
        }
    }

    /// Whether it leads to one place at most.
    pub(super) fn is_single(&self) -> bool {
        !self.steps.contains(&Step::Each)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Member(name) if index > 0 => write!(f, ".{name}")?,
                Step::Member(name) => f.write_str(name)?,
                Step::Each => f.write_str("[]")?,
            }
        }
        f.write_str(if self.steps.is_empty() { "" } else { "." })?;
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_print_as_people_write_them() {
        for text in ["a", "a.b", "items[].price", "[].id", "[][].id", "a[][].b[].c", "a b.ö"] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert!(Path::parse("a.b").unwrap().is_single() && !Path::parse("a[].b").unwrap().is_single());
    }

    #[test]
    fn what_leads_to_no_member_is_no_path() {
        for text in [
            "", ".", "a.", ".a", "a..b", "a[]", "[]", "a[0].b", "a.[].b", "a[b", "a]b[].c", "a[] .b",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
