//! The stretch of time that a question is about.

use trailmark_protocol::Timestamp;

use super::{Funnel, Invalid, Lifecycle, Path, Paths, Retention, Sessions, Stickiness, Trends, Within};
use crate::query::ask::calendar::{Periods, Span};

/// For what has `date_from`, `date_to` and `timezone`.
macro_rules! with_span {
    ($($question:ty),+) => {$(
        impl $question {
            /// The stretch that is meant when it is `now`.
            ///
            /// # Errors
            /// It is none, and which field is wrong.
            pub fn span(&self, now: Timestamp) -> Result<Span, Invalid> {
                Span::resolve(&self.date_from, self.date_to.as_deref(), &self.timezone, now, &Path::root())
            }

            pub(super) fn check_span(&self, path: &Path<'_>) -> Result<(), Invalid> {
                Span::check(&self.date_from, self.date_to.as_deref(), &self.timezone, path)
            }
        }
    )+};
}

/// For what has an `interval`, too.
macro_rules! with_periods {
    ($($question:ty),+) => {$(
        impl $question {
            /// The periods of the stretch that is meant when it is `now`.
            ///
            /// # Errors
            /// There are none, or too many, and which field is wrong.
            pub fn periods(&self, now: Timestamp) -> Result<Periods, Invalid> {
                self.span(now)?.periods(self.interval, &Path::root())
            }
        }
    )+};
}

with_span!(Trends, Funnel, Paths, Lifecycle, Stickiness, Sessions, Within);
with_periods!(Trends, Lifecycle, Stickiness, Sessions);

impl Retention {
    /// The periods in which persons can begin when it is `now`.
    ///
    /// # Errors
    /// There are none, or too many, and which field is wrong.
    pub fn periods(&self, now: Timestamp) -> Result<Periods, Invalid> {
        let root = Path::root();
        let resolve = |from| Span::resolve(from, self.date_to.as_deref(), &self.timezone, now, &root);
        let span = match &self.date_from {
            Some(from) => resolve(from)?,
            // Any beginning will do: it is moved at once.
            None => resolve("-19y")?.back(self.period, self.intervals),
        };
        span.periods(self.period, &root)
    }
}
