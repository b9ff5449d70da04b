//! What an outcome means: one pure decision, and the length of the waits.

use std::time::Duration;

use trailmark_protocol::json::{as_string, pick, write_u64};
use trailmark_protocol::{Receipt, Timestamp, Uuid};

use crate::config::{Config, RETRY_AFTER_CAP};
use crate::request::{Answer, Outcome};
use crate::retry_after;
use crate::verdict::{Fate, fates};
use crate::wait::micros;

/// What to do with a request after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Each event has its fate. The next batch may go after this long.
    Settle(Vec<Fate>, Duration),
    /// Send the same again, after at least this long.
    Again(Duration),
    /// Too much at once: send fewer, and drop a single event that is too large by itself.
    Smaller,
    /// The key is refused: keep everything and ask again now and then.
    Pause,
    /// The server will never take this: drop the request's events.
    Reject,
}

/// Decides.
///
/// | outcome | decision |
/// | --- | --- |
/// | no answer, or none in time | again |
/// | 2xx with a receipt that accounts for every event | settle, event by event |
/// | 2xx with anything else (a captive portal's page), 1xx, 3xx | again: nothing says that the server has it |
/// | 408, 429, 5xx | again, after `Retry-After` (at most [`RETRY_AFTER_CAP`]) |
/// | 413 | smaller |
/// | 401, 403 | pause |
/// | any other 4xx | reject |
#[must_use]
pub fn decide(outcome: &Outcome, ids: &[Uuid], now: Timestamp) -> Decision {
    let Outcome::Answered(answer) = outcome else {
        return Decision::Again(Duration::ZERO);
    };
    match answer.status {
        200..=299 => settle(&answer.body, ids).unwrap_or(Decision::Again(Duration::ZERO)),
        401 | 403 => Decision::Pause,
        413 => Decision::Smaller,
        408 | 429 | 500.. => Decision::Again(asked_for(answer, now)),
        400..=499 => Decision::Reject,
        _ => Decision::Again(Duration::ZERO),
    }
}

fn settle(body: &str, ids: &[Uuid]) -> Option<Decision> {
    #[cfg(feature = "planted-bugs")]
    if crate::planted::has(crate::planted::Bug::AnyAnswerIsAReceipt) {
        return Some(Decision::Settle(vec![Fate::Delivered; ids.len()], Duration::ZERO));
    }
    let receipt = Receipt::from_json(body).ok()?;
    let pace = Duration::from_millis(receipt.next_send_after_ms).min(RETRY_AFTER_CAP);
    Some(Decision::Settle(fates(&receipt, ids)?, pace))
}

fn asked_for(answer: &Answer, now: Timestamp) -> Duration {
    answer
        .retry_after
        .as_deref()
        .and_then(|text| retry_after::parse(text, answer.date.as_deref(), now))
        .unwrap_or_default()
        .min(RETRY_AFTER_CAP)
}

/// The wait after `failures` failures in a row (from 1): exponential with full jitter, `random` spreading it evenly
/// between a tenth of the ceiling and the ceiling. The floor bounds the requests of a long outage, see
/// [`BACKOFF_CAP`](crate::config::BACKOFF_CAP).
#[must_use]
pub fn backoff(failures: u32, random: u64, config: &Config) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let (base, cap) = (micros(config.backoff_base), micros(config.backoff_cap));
    let ceiling = base.saturating_mul(1 << doublings).min(cap);
    let floor = ceiling / 10;
    // 53 bits are what an f64 holds exactly, so this is in [0, 1).
    let spread = (random >> 11) as f64 / (1u64 << 53) as f64;
    let above = (ceiling - floor) as f64 * spread;
    Duration::from_micros(floor.unsigned_abs() + above as u64)
}

/// What went wrong, for people: the status, and the `code` and `detail` of a problem body.
#[must_use]
pub fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unreachable(why) => why.clone(),
        Outcome::TimedOut => "no answer in time".to_owned(),
        Outcome::Answered(answer) => {
            let mut text = "status ".to_owned();
            write_u64(&mut text, answer.status.into());
            for part in pick(&answer.body, ["code", "detail"]).unwrap_or_default() {
                if let Some(part) = part.and_then(as_string) {
                    text.push_str(": ");
                    text.push_str(part.get(..part.floor_char_boundary(PROBLEM_BYTES)).unwrap_or_default());
                }
            }
            if (200..300).contains(&answer.status) {
                text.push_str(" without a receipt for what was sent");
            }
            text
        }
    }
}

/// Most bytes of a part of a problem body, so that all of it fits a log line: 200.
const PROBLEM_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_763_600_000_000);

    fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Outcome {
        Outcome::Answered(Answer {
            status,
            retry_after: retry_after.map(str::to_owned),
            date: None,
            body: body.to_owned(),
        })
    }

    fn decision(outcome: &Outcome) -> Decision {
        decide(outcome, &[Uuid::from_u128(1)], NOW)
    }

    #[test]
    fn the_decision_table_holds() {
        let again = Decision::Again;
        let secs = Duration::from_secs;
        let receipt = r#"{"accepted":1,"results":[],"next_send_after_ms":250}"#;
        let table = [
            (Outcome::Unreachable("reset".into()), again(secs(0))),
            (Outcome::TimedOut, again(secs(0))),
            (
                answer(202, None, receipt),
                Decision::Settle(vec![Fate::Delivered], Duration::from_millis(250)),
            ),
            (
                answer(200, None, receipt),
                Decision::Settle(vec![Fate::Delivered], Duration::from_millis(250)),
            ),
            (answer(200, None, "<html>Welcome to our Wi-Fi</html>"), again(secs(0))),
            (answer(200, None, "{}"), again(secs(0))),
            (answer(204, None, ""), again(secs(0))),
            (answer(302, None, ""), again(secs(0))),
            (answer(400, None, ""), Decision::Reject),
            (answer(401, None, ""), Decision::Pause),
            (answer(403, None, ""), Decision::Pause),
            (answer(404, None, ""), Decision::Reject),
            (answer(408, None, ""), again(secs(0))),
            (answer(413, None, ""), Decision::Smaller),
            (answer(415, None, ""), Decision::Reject),
            (answer(422, None, ""), Decision::Reject),
            (answer(429, Some("7"), ""), again(secs(7))),
            (answer(500, None, ""), again(secs(0))),
            (answer(503, Some("999999"), ""), again(RETRY_AFTER_CAP)),
            (answer(503, Some("tomorrow"), ""), again(secs(0))),
            (answer(599, None, ""), again(secs(0))),
        ];
        for (outcome, expected) in table {
            assert_eq!(decision(&outcome), expected, "{outcome:?}");
        }
    }

    #[test]
    fn a_server_cannot_silence_a_client_for_ever() {
        let receipt = r#"{"accepted":1,"results":[],"next_send_after_ms":18446744073709551615}"#;
        assert_eq!(
            decision(&answer(202, None, receipt)),
            Decision::Settle(vec![Fate::Delivered], RETRY_AFTER_CAP)
        );
    }

    #[test]
    fn waits_double_up_to_the_cap_and_spread_between_a_tenth_and_the_whole() {
        let config = Config::new("tm_pk_test").unwrap();
        for (failures, ceiling) in [
            (1, 1.0),
            (2, 2.0),
            (5, 16.0),
            (9, 256.0),
            (10, 300.0),
            (u32::MAX, 300.0),
        ] {
            let wait = |random| backoff(failures, random, &config).as_secs_f64();
            assert!((wait(0) - ceiling / 10.0).abs() < 1e-6);
            assert!(wait(u64::MAX) <= ceiling && wait(u64::MAX) > ceiling * 0.999);
            assert!((wait(1 << 63) - ceiling * 0.55).abs() < 1e-6);
        }
    }

    #[test]
    fn a_problem_body_says_what_was_wrong() {
        let body = r#"{"code":"unknown_key","detail":"no such key","status":401}"#;
        assert_eq!(
            describe(&answer(401, None, body)),
            "status 401: unknown_key: no such key"
        );
        assert_eq!(describe(&answer(502, None, "<html>")), "status 502");
        assert_eq!(
            describe(&answer(200, None, "<html>")),
            "status 200 without a receipt for what was sent"
        );
    }
}
