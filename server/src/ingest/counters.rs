//! The counters that a client sends beside its events. They are read leniently: bad ones are passed over and counted,
//! and never cost an event.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use trailmark_protocol::Verdict;
use trailmark_protocol::batch::{RawCounters, Text};
use trailmark_protocol::limits::ID_CHARS;

use super::validate::{CleanEvent, Invalid};
use crate::install::InstallReport;

/// Most reasons that a client may count under. The vocabulary has 23.
const REASONS: usize = 64;

/// Longest reason, in bytes. The longest of the vocabulary has 19.
const REASON_BYTES: usize = 64;

/// Greatest count: 2^53 - 1, the last integer that every JSON reader holds exactly. The counts of [`REASONS`] reasons
/// add up to less than 2^60, so no sum over one install leaves 64 bits.
const COUNT_MAX: u64 = (1 << 53) - 1;

/// Longest counters, in bytes of their JSON: every reason with its greatest count, quotes and punctuation is 64 × 84.
const BYTES: usize = 8 * 1024;

/// What the install says of itself, as it stands after the events beside it were judged. `None` if the counters cannot
/// be believed.
#[must_use]
pub fn report(
    counters: &RawValue,
    sdk: Option<&str>,
    events: &[Result<CleanEvent<'_>, Invalid>],
) -> Option<InstallReport> {
    let mut report = InstallReport {
        sdk: sdk.and_then(word),
        release: events.iter().rev().flatten().next().and_then(release),
        ..read(counters.get())?
    };
    for invalid in events.iter().filter_map(|event| event.as_ref().err()) {
        report.judged(Verdict::Dropped, invalid.reason.as_str());
    }
    Some(report)
}

fn read(json: &str) -> Option<InstallReport> {
    if json.len() > BYTES {
        return None;
    }
    let RawCounters {
        captured,
        queued,
        dropped,
    } = serde_json::from_str(json).ok()?;
    Some(InstallReport {
        captured: count(captured)?,
        queued: count(queued)?,
        dropped: reasons(dropped)?,
        ..InstallReport::default()
    })
}

fn count(count: u64) -> Option<i64> {
    i64::try_from(count).ok().filter(|_| count <= COUNT_MAX)
}

/// A reason that this version does not know is kept: a newer client may have it.
fn reasons(dropped: BTreeMap<String, u64>) -> Option<BTreeMap<String, i64>> {
    if dropped.len() > REASONS {
        return None;
    }
    let entry = |(reason, number): (String, u64)| Some((is_reason(&reason).then_some(reason)?, count(number)?));
    dropped.into_iter().map(entry).collect()
}

/// `snake_case`, as all of the vocabulary is.
fn is_reason(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=REASON_BYTES).contains(&text.len()) && text.bytes().all(fits)
}

/// A text to tell SDKs or releases apart by, if it can be stored.
fn word(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (1..=ID_CHARS).contains(&text.len()) && !text.contains('\0');
    fits.then(|| text.to_owned())
}

/// `context.app.version` of an event.
fn release(event: &CleanEvent<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Context<'a> {
        #[serde(borrow)]
        app: App<'a>,
    }
    #[derive(Deserialize)]
    struct App<'a> {
        #[serde(borrow)]
        version: Text<'a>,
    }
    let context: Context<'_> = serde_json::from_str(event.context.as_deref()?).ok()?;
    word(&context.app.version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::validate::validate;
    use super::*;

    fn told(counters: &str, events: &[&str]) -> Option<InstallReport> {
        let raw = |text: &str| serde_json::from_str::<Box<RawValue>>(text).unwrap();
        let raws: Vec<_> = events.iter().map(|event| raw(event)).collect();
        let checked: Vec<_> = raws.iter().map(|event| validate(event)).collect();
        report(&raw(counters), Some("trailmark-rust/0.1.0"), &checked)
    }

    #[test]
    fn counters_are_read_as_they_are_after_their_batch() {
        let good = r#"{"event":"e","user_id":"u","context":{"os":{},"app":{"name":"Shop","version":"1.4.0"}}}"#;
        let report = told(
            r#"{"captured":9,"queued":2,"dropped":{"too_large":1},"new":true}"#,
            &[good, r#"{"event":"e","user_id":"null"}"#, "7", good, "8"],
        )
        .unwrap();
        assert_eq!((report.captured, report.queued), (9, 2));
        let dropped = [("invalid_event", 2), ("junk_user_id", 1), ("too_large", 1)];
        assert_eq!(report.dropped, dropped.map(|(reason, n)| (reason.to_owned(), n)).into());
        assert_eq!(report.sdk.as_deref(), Some("trailmark-rust/0.1.0"));
        assert_eq!(report.release.as_deref(), Some("1.4.0"));
    }

    #[test]
    fn an_older_client_says_neither_what_is_queued_nor_what_was_dropped() {
        let report = told(r#"{"captured":9}"#, &[]).unwrap();
        assert_eq!((report.captured, report.queued, report.dropped.len()), (9, 0, 0));
    }

    #[test]
    fn the_release_is_that_of_the_last_good_event_and_may_be_missing() {
        let release = |events: &[&str]| told(r#"{"captured":1}"#, events).unwrap().release;
        let of =
            |version: &str| format!(r#"{{"event":"e","user_id":"u","context":{{"app":{{"version":{version}}}}}}}"#);
        assert_eq!(release(&[&of(r#""1""#), &of(r#""2""#), "7"]).as_deref(), Some("2"));
        assert_eq!(release(&[&of(r#""1""#), r#"{"event":"e","user_id":"u"}"#]), None);
        assert_eq!(
            release(&[r#"{"event":"e","user_id":"u","context":{"app":"1.0"}}"#]),
            None
        );
        for bad in ["7", r#""""#, r#"" ""#, &format!("{:?}", "x".repeat(201)), "null"] {
            assert_eq!(release(&[&of(bad)]), None, "{bad}");
        }
        // A NUL was repaired in the context already.
        assert_eq!(release(&[&of(r#""a\u0000""#)]).as_deref(), Some("a\u{fffd}"));
    }

    #[test]
    fn counters_that_cannot_be_believed_are_passed_over() {
        let many: Vec<_> = (0..65).map(|n| format!(r#""r{n}":1"#)).collect();
        for bad in [
            "7",
            "null",
            "{}",
            r#"{"captured":-1}"#,
            r#"{"captured":1.5}"#,
            r#"{"captured":"9"}"#,
            r#"{"captured":9007199254740992}"#,
            r#"{"captured":99999999999999999999}"#,
            r#"{"captured":1,"queued":null}"#,
            r#"{"captured":1,"captured":2}"#,
            r#"{"captured":1,"dropped":{"":1}}"#,
            r#"{"captured":1,"dropped":{"Too Large":1}}"#,
            r#"{"captured":1,"dropped":{"a\u0000":1}}"#,
            r#"{"captured":1,"dropped":{"too_large":-1}}"#,
            r#"{"captured":1,"dropped":[]}"#,
            &format!(r#"{{"captured":1,"dropped":{{{:?}:1}}}}"#, "x".repeat(65)),
            &format!(r#"{{"captured":1,"dropped":{{{}}}}}"#, many.join(",")),
            &format!(r#"{{"captured":1,"new":{:?}}}"#, "x".repeat(BYTES)),
        ] {
            assert_eq!(told(bad, &[]), None, "{bad:.100}");
        }
        assert!(
            told(
                &format!(r#"{{"captured":{COUNT_MAX},"dropped":{{{}}}}}"#, many[1..].join(",")),
                &[]
            )
            .is_some()
        );
    }

    proptest! {
        #[test]
        fn whatever_is_sent_no_count_leaves_its_bounds(captured in any::<u64>(), queued in any::<u64>(), dropped in any::<u64>()) {
            let json = format!(r#"{{"captured":{captured},"queued":{queued},"dropped":{{"too_large":{dropped}}}}}"#);
            let believable = [captured, queued, dropped].iter().all(|count| *count <= COUNT_MAX);
            prop_assert_eq!(told(&json, &[]).is_some(), believable);
        }
    }
}
