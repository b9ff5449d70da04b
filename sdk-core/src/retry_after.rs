//! The `Retry-After` header: seconds, or one of the three forms of an HTTP date (RFC 9110 §10.2.3 and §5.6.7). A web page
//! reads a date with JavaScript's own parser, and hands in seconds.

use std::time::Duration;

use trailmark_protocol::Timestamp;
use trailmark_protocol::json::as_u64;

#[cfg(feature = "native")]
mod date;

#[cfg(feature = "native")]
pub use date::parse_date;

/// How long to wait. A date is measured from the server's own `date` header where there is one, else from `now`; one
/// that has passed is no wait. `None` if it cannot be read.
#[must_use]
pub fn parse(retry_after: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim_ascii();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are a very long wait, which the caller caps.
        return Some(Duration::from_secs(as_u64(text).unwrap_or(u64::from(u32::MAX))));
    }
    until(text, date, now)
}

/// No dates here.
#[cfg(not(feature = "native"))]
fn until(_: &str, _: Option<&str>, _: Timestamp) -> Option<Duration> {
    None
}

#[cfg(feature = "native")]
fn until(text: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let then = parse_date(text)?;
    let from = date.and_then(parse_date).unwrap_or(now);
    let micros = then.micros().saturating_sub(from.micros());
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-20T12:00:00Z").unwrap()
    }

    fn seconds(text: &str, date: Option<&str>) -> Option<u64> {
        parse(text, date, now()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_are_read() {
        assert_eq!(seconds("0", None), Some(0));
        assert_eq!(seconds(" 120 ", None), Some(120));
        assert!(seconds("99999999999999999999999", None) > Some(1_000_000));
    }

    #[test]
    fn all_three_forms_of_a_date_are_read() {
        for text in [
            "Fri, 20 Nov 2026 12:01:30 GMT",
            "Friday, 20-Nov-26 12:01:30 GMT",
            "Fri Nov 20 12:01:30 2026",
        ] {
            assert_eq!(seconds(text, None), Some(90), "{text}");
        }
        assert_eq!(
            parse_date("Sun Nov  6 08:49:37 1994"),
            Timestamp::parse("1994-11-06T08:49:37Z")
        );
    }

    #[test]
    fn a_date_is_measured_by_the_clock_of_the_server_that_wrote_it() {
        let (date, later) = ("Mon, 01 Jan 2001 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:45 GMT");
        assert_eq!(seconds(later, Some(date)), Some(45));
        assert_eq!(seconds(later, None), Some(0), "long ago by our own clock");
        assert_eq!(seconds("Fri, 20 Nov 2026 12:00:05 GMT", Some("nonsense")), Some(5));
    }

    #[test]
    fn what_is_neither_is_not_read() {
        for text in [
            "",
            "soon",
            "-5",
            "1.5",
            "Fri, 31 Feb 2026 12:00:00 GMT",
            "Fri, 20 Foo 2026 12:00:00 GMT",
        ] {
            assert_eq!(parse(text, None, now()), None, "{text}");
        }
    }
}
