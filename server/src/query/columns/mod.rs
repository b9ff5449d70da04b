//! What questions read beside rows: segments and who is whom, kept in memory (DESIGN §5).
//!
//! A [`Look`] is one question's view of one project: it asks which segments there are ([`plan`]), opens those that are not in
//! the [`cache`], and makes a segment of the rows that are in none ([`tail`]), so that whoever counts knows segments alone. Persons
//! are looked up in the [`mirror`]. All of it is read in the question's own snapshot, so an event counts exactly once whatever the
//! sealing job does meanwhile.

mod cache;
mod mirror;
mod plan;
mod tail;
mod look;

pub use cache::{CACHE_BYTES, Columns, WORK_BYTES};
pub use look::{Held, Look, Reads};
pub use plan::{Plan, Want};

/// Weeks are counted from the Monday before 1970, in UTC; see `segments.week`.
fn week_of(micros: i64) -> i32 {
    const DAY: i64 = 86_400_000_000;
    let weeks = micros.saturating_add(3 * DAY).div_euclid(7 * DAY);
    i32::try_from(weeks).unwrap_or(if weeks < 0 { i32::MIN } else { i32::MAX })
}

/// Its first moment, microseconds since 1970.
fn week_begins(week: i32) -> i64 {
    const DAY: i64 = 86_400_000_000;
    i64::from(week).saturating_mul(7 * DAY).saturating_sub(3 * DAY)
}
