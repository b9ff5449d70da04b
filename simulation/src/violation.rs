//! A rule that did not hold.

/// Which rule, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as a sentence.
    pub rule: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "broken: {}\n  {}", self.rule, self.seen)
    }
}

pub(crate) type Checked<T = ()> = Result<T, Violation>;

/// `Ok` if the rule holds.
pub(crate) fn hold(rule: &'static str, holds: bool, seen: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(Violation { rule, seen: seen() })
    }
}
