//! What an issue is at a moment, and how it becomes something else.
//!
//! An issue is born `new`. After `SETTLED_AFTER` it is `ongoing`; while it happens far more often than usual, an ongoing one
//! is `escalating`. A person resolves, ignores or reopens it (`ongoing`). A resolved one that happens again is `regressed`,
//! and `ongoing` after the same time as a new one. An ignored one stays so.
//!
//! "Again" is by the time at which the event happened: an event from before the resolution that arrives late, from a phone
//! that was offline, makes nothing regressed. Resolved in a release, only an event of that release or of one that the issue
//! had not been seen in when it was resolved is one too many: the releases of before go on failing until everybody has
//! updated. An event that does not name its release is taken for one of before.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

/// How long an issue is new or regressed: 7 days, as Sentry has it.
pub const SETTLED_AFTER_MICROS: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// What an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IssueState)]
pub enum State {
    /// Never seen before.
    New,
    /// Known, and going on.
    Ongoing,
    /// Far more often than usual.
    Escalating,
    /// Back after it was resolved.
    Regressed,
    /// Somebody says that it will not happen again.
    Resolved,
    /// Somebody does not want to hear of it.
    Ignored,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Ongoing,
        Self::Escalating,
        Self::Regressed,
        Self::Resolved,
        Self::Ignored,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Escalating => "escalating",
            Self::Regressed => "regressed",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether somebody should still do something about it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Ignored)
    }

    /// What it is at `now`, of an issue that is so since `since` and is, or is not, far more frequent than usual.
    #[must_use]
    pub fn after(self, since: Timestamp, is_spiking: bool, now: Timestamp) -> Self {
        let is_settled = since.plus_micros(SETTLED_AFTER_MICROS) <= now;
        match self {
            Self::New | Self::Regressed if is_settled => Self::Ongoing,
            Self::Ongoing if is_spiking => Self::Escalating,
            Self::Escalating if !is_spiking => Self::Ongoing,
            same => same,
        }
    }
}

/// That an issue was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// When.
    pub at: Timestamp,
    /// In which release, if in one.
    pub in_release: Option<String>,
    /// The releases in which the issue was seen until then.
    pub seen_in: BTreeSet<String>,
}

impl Resolution {
    /// Whether an event contradicts it.
    #[must_use]
    pub fn is_contradicted_by(&self, timestamp: Timestamp, release: Option<&str>) -> bool {
        let is_fixed = |fixed: &str| release.is_some_and(|release| release == fixed || !self.seen_in.contains(release));
        timestamp > self.at && self.in_release.as_deref().is_none_or(is_fixed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1_000_000;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_micros(1_795_176_000_000_000 + days * DAY)
    }

    #[test]
    fn time_settles_what_is_new_and_what_came_back() {
        for state in [State::New, State::Regressed] {
            assert_eq!(state.after(at(0), true, at(7).plus_micros(-1)), state);
            assert_eq!(state.after(at(0), true, at(7)), State::Ongoing);
        }
    }

    #[test]
    fn what_goes_on_escalates_and_calms_down() {
        assert_eq!(State::Ongoing.after(at(0), true, at(1)), State::Escalating);
        assert_eq!(State::Ongoing.after(at(0), false, at(1)), State::Ongoing);
        assert_eq!(State::Escalating.after(at(0), false, at(1)), State::Ongoing);
        assert_eq!(State::Escalating.after(at(0), true, at(1)), State::Escalating);
    }

    #[test]
    fn only_what_happened_after_a_resolution_contradicts_it() {
        let resolution = Resolution {
            at: at(3),
            in_release: None,
            seen_in: BTreeSet::new(),
        };
        assert!(resolution.is_contradicted_by(at(3).plus_micros(1), None));
        assert!(
            !resolution.is_contradicted_by(at(3), None),
            "at that moment it was known"
        );
        assert!(
            !resolution.is_contradicted_by(at(1), Some("2.0")),
            "late from an offline phone"
        );
    }

    #[test]
    fn resolved_in_a_release_the_older_ones_may_go_on() {
        let seen_in = ["1.0", "1.1"].map(str::to_owned).into();
        let resolution = Resolution {
            at: at(3),
            in_release: Some("1.2".to_owned()),
            seen_in,
        };
        for (release, expected) in [
            (Some("1.0"), false),
            (Some("1.1"), false),
            (None, false),
            (Some("1.2"), true),
            (Some("1.3"), true),
        ] {
            assert_eq!(resolution.is_contradicted_by(at(4), release), expected, "{release:?}");
        }
        let same = Resolution {
            in_release: Some("1.1".to_owned()),
            ..resolution
        };
        assert!(
            same.is_contradicted_by(at(4), Some("1.1")),
            "in the very release that it was resolved in"
        );
        assert!(!same.is_contradicted_by(at(2), Some("1.3")));
    }

    proptest! {
        #[test]
        fn nobody_but_a_person_resolves_ignores_or_reopens(state in prop::sample::select(State::ALL.to_vec()), spiking: bool, days in 0..99_i64) {
            let after = state.after(at(0), spiking, at(days));
            prop_assert_eq!(after.is_open(), state.is_open());
            prop_assert!(after != State::New || state == State::New);
            prop_assert_eq!(State::parse(after.as_str()), Some(after));
        }
    }
}
