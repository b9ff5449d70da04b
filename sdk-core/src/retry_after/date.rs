//! The three forms of an HTTP date.

use trailmark_protocol::Timestamp;
use trailmark_protocol::json::as_i64;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let mut words = [""; 7];
    let found = text.split([' ', ',', '-']).filter(|word| !word.is_empty());
    words.iter_mut().zip(found).for_each(|(word, found)| *word = found);
    let (day, month, year, clock) = match words {
        [_, day, month, year, clock, "GMT", ""] => (day, month, year, clock),
        [_, month, day, clock, year, "", ""] => (day, month, year, clock),
        _ => return None,
    };
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    Timestamp::of_day(full_year(year)?, month, as_i64(day)?, clock.as_bytes().try_into().ok()?)
}

/// A two-digit year is the next one that ends so, seen from 2000: no server's clock is older.
fn full_year(text: &str) -> Option<i64> {
    let year = as_i64(text)?;
    Some(if text.len() == 2 { 2000 + year } else { year })
}
