//! How a question is answered, for who wants to know what it costs.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Answered, How};

/// How a question was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExplainedQuery)]
pub struct Explained {
    /// `segments`, or `rows`.
    pub answered_from: &'static str,
    /// Why rows answered; none, if segments did.
    pub rows_because: Option<String>,
    /// Properties of events that it looks at: each wants a column to be answered from segments.
    pub properties: Vec<String>,
    /// Segments that were in memory.
    pub segments_in_memory: u64,
    /// Segments that were read from Postgres.
    pub segments_read: u64,
    /// Bytes of all these.
    pub segment_bytes: u64,
    /// Events in them.
    pub segment_events: u64,
    /// Events beside them that were read as rows: not sealed yet, late, or of stale weeks.
    pub tail_events: u64,
    /// Weeks of an event name whose segments cannot be used at present; they are being made anew.
    pub stale_weeks: u64,
    /// What took how long.
    pub took: Took,
}

/// What took how long, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExplainedTook)]
pub struct Took {
    /// Bringing up to date who is whom.
    pub people_ms: u64,
    /// Listing, reading and opening segments.
    pub segments_ms: u64,
    /// Reading what is in none.
    pub tail_ms: u64,
    /// Counting.
    pub counting_ms: u64,
    /// The whole answer, also from rows.
    pub answer_ms: u64,
}

impl Explained {
    /// Of an answer.
    #[must_use]
    pub fn of(answered: &Answered, how: How) -> Self {
        let ms = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self {
            answered_from: if how.rows_because.is_none() { "segments" } else { "rows" },
            rows_because: how.rows_because.map(String::from),
            properties: how.properties,
            segments_in_memory: how.reads.from_memory,
            segments_read: how.reads.from_postgres,
            segment_bytes: how.reads.bytes,
            segment_events: how.reads.events,
            tail_events: how.reads.rows,
            stale_weeks: how.reads.stale,
            took: Took {
                people_ms: ms(how.reads.people),
                segments_ms: ms(how.reads.segments),
                tail_ms: ms(how.reads.tail),
                counting_ms: ms(how.counting),
                answer_ms: answered.meta.took_ms,
            },
        }
    }
}
