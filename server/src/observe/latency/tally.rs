//! What is counted of an endpoint's requests, over what time.

use trailmark_protocol::Timestamp;

use super::durations::Durations;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Requests added up. Sums stay below 2^63, so that the database can hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub requests: u64,
    /// Of these, without an answer, or with a status of 500 and more.
    pub errors: u64,
    /// Of these, with a status of 400 to 499, or given up by who asked.
    pub client_errors: u64,
    /// How long those took together that say how long they took, in microseconds.
    pub sum_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
    /// How long each took.
    pub durations: Durations,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        let sum = |one: u64, other: u64| one.saturating_add(other).min(i64::MAX.cast_unsigned());
        self.requests = sum(self.requests, other.requests);
        self.errors = sum(self.errors, other.errors);
        self.client_errors = sum(self.client_errors, other.client_errors);
        self.sum_us = sum(self.sum_us, other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
        self.durations.merge(&other.durations);
    }

    /// The duration in microseconds that `share` of those that say one do not exceed; none if none says one.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Option<u64> {
        Some(self.durations.percentile(share)?.min(self.max_us))
    }

    /// Errors of requests, from 0 to 1.
    #[must_use]
    pub fn error_rate(&self) -> f64 {
        share(self.errors, self.requests)
    }

    /// How long a request took on average, in microseconds.
    #[must_use]
    pub fn mean_us(&self) -> Option<u64> {
        self.sum_us.checked_div(self.durations.count())
    }
}

/// `part` of `whole`; of nothing, nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Over what time requests are added up; a day is one of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
}

impl Span {
    /// All, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// How it is stored.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Minute => 0,
            Self::Hour => 1,
            Self::Day => 2,
        }
    }

    /// Reads how it is stored.
    #[must_use]
    pub fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.number() == number)
    }

    /// Its length in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
            Self::Day => DAY,
        }
    }

    /// For how long the sums are kept, in microseconds. Minutes 3 days: a weekend's incident can be looked at on Monday.
    /// Hours and days 400 days: a month can be compared with the same of the year before.
    #[must_use]
    pub const fn kept_micros(self) -> i64 {
        match self {
            Self::Minute => 3 * DAY,
            Self::Hour | Self::Day => 400 * DAY,
        }
    }

    /// The span in which a moment lies, by its beginning.
    #[must_use]
    pub const fn floor(self, at: Timestamp) -> Timestamp {
        let micros = at.micros();
        Timestamp::from_micros(micros - micros.rem_euclid(self.micros()))
    }

    /// The first one that begins at this moment or later.
    #[must_use]
    pub const fn ceil(self, at: Timestamp) -> Timestamp {
        self.floor(at.plus_micros(self.micros() - 1))
    }

    /// The oldest that is still kept whole at `now`.
    #[must_use]
    pub const fn kept_since(self, now: Timestamp) -> Timestamp {
        self.ceil(now.plus_micros(-self.kept_micros()))
    }
}
