//! Events that come every day and have stopped.

use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::problem::{Found, Kind};
use crate::store::Silence;

/// A name is missed when it has been silent for twice as long as ever in the week before (its own rhythm, research
/// "product" §1.3, detector 6). Twice: the longest of many random gaps is about `ln n` of their mean, and one twice as long is
/// as rare as the square of that.
const TIMES_LONGEST: i64 = 2;

/// And for at least this long: a name that comes every second is not missed after two.
const AT_LEAST: Duration = Duration::from_secs(15 * 60);

/// What has stopped as of `now`. Silence counts from `watching_since` at the earliest: while no server ran, nothing could come.
#[must_use]
pub fn found(silences: &[Silence], watching_since: Timestamp, now: Timestamp) -> Vec<Found> {
    let stopped: Vec<_> = silences
        .iter()
        .filter(|silence| has_stopped(silence, watching_since, now))
        .collect();
    match stopped.as_slice() {
        [] => Vec::new(),
        // One cause, not as many problems as there are names.
        all if all.len() == silences.len() && all.len() > 1 => vec![everything(all)],
        some => some.iter().map(|silence| one(silence)).collect(),
    }
}

fn has_stopped(silence: &Silence, watching_since: Timestamp, now: Timestamp) -> bool {
    let heard = silence.minute.0.micros().max(watching_since.micros());
    let limit_s = (TIMES_LONGEST * i64::from(silence.longest_s)).max(AT_LEAST.as_secs().cast_signed());
    now.micros() - heard > limit_s * 1_000_000
}

fn one(silence: &Silence) -> Found {
    Found {
        kind: Kind::EventsStopped,
        subject: silence.name.clone(),
        what: format!("`{}` has stopped", silence.name),
        since: silence.minute.0,
        people: None,
        compared_with: Some(format!(
            "never silent for longer than {} in a week",
            span(silence.longest_s)
        )),
        evidence: format!("/api/v1/events?event={}", encoded(&silence.name)),
    }
}

fn everything(all: &[&Silence]) -> Found {
    let latest = all.iter().map(|silence| silence.minute.0).max().unwrap_or_default();
    let longest = all.iter().map(|silence| silence.longest_s).min().unwrap_or_default();
    Found {
        kind: Kind::EventsStopped,
        subject: "*".to_owned(),
        what: format!("no events arrive: all {} that come every day have stopped", all.len()),
        since: latest,
        people: None,
        compared_with: Some(format!("never silent for longer than {} in a week", span(longest))),
        evidence: "/api/v1/events".to_owned(),
    }
}

/// `4 min`, `3 h`.
fn span(seconds: i32) -> String {
    match seconds {
        ..=7_199 => format!("{} min", (seconds + 59) / 60),
        _ => format!("{} h", (seconds + 3_599) / 3_600),
    }
}

fn encoded(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PgTime;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis((1_000_000_000 + seconds) * 1_000)
    }

    fn silence(name: &str, longest_s: i64, heard_s: i64) -> Silence {
        Silence {
            name: name.to_owned(),
            longest_s: i32::try_from(longest_s).unwrap(),
            minute: PgTime(at(heard_s)),
        }
    }

    fn subjects(silences: &[Silence], now_s: i64) -> Vec<String> {
        found(silences, at(-30 * HOUR), at(now_s))
            .into_iter()
            .map(|found| found.subject)
            .collect()
    }

    #[test]
    fn a_name_is_missed_after_twice_its_longest_silence() {
        let names = [silence("night", 7 * HOUR, 0), silence("busy", MINUTE, 14 * HOUR)];
        assert_eq!(subjects(&names, 14 * HOUR), [""; 0]);
        assert_eq!(subjects(&names, 14 * HOUR + 1), ["night"]);
    }

    #[test]
    fn a_name_that_comes_every_minute_is_missed_after_a_quarter_of_an_hour() {
        let names = [silence("busy", MINUTE, 0), silence("other", 9 * HOUR, 0)];
        assert_eq!(subjects(&names, 15 * MINUTE), [""; 0]);
        assert_eq!(subjects(&names, 15 * MINUTE + 1), ["busy"]);
    }

    #[test]
    fn when_everything_stops_it_is_one_problem() {
        let names = [silence("a", MINUTE, 0), silence("b", MINUTE, 5)];
        let all = found(&names, at(-HOUR), at(HOUR));
        assert_eq!((all.len(), all[0].subject.as_str(), all[0].since), (1, "*", at(5)));
        assert_eq!(subjects(&names[..1], HOUR), ["a"], "a single name is named");
    }

    #[test]
    fn silence_while_no_server_ran_does_not_count() {
        let names = [silence("busy", MINUTE, -20 * HOUR)];
        assert_eq!(found(&names, at(0), at(15 * MINUTE)), []);
        assert_eq!(found(&names, at(0), at(15 * MINUTE + 1)).len(), 1);
    }
}
