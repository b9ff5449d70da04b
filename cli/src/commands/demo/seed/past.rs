//! Ninety days of a monitor that was watched from elsewhere before.

use trailmark_protocol::Timestamp;
use trailmark_server::store::{MinuteRow, MonitorPast, PastHour, PastIncident, PgTime};

use super::super::story::{Chance, DAY, HOUR, MINUTE};

/// What the past of a monitor is like.
#[derive(Debug)]
pub(super) struct Character {
    /// How long its answers take, in milliseconds.
    usual_ms: f64,
    /// How long ago it was down, and for how long, in minutes; why, for programs and for people.
    down: &'static [(i64, i64, &'static str, &'static str)],
}

impl Character {
    /// One for each monitor.
    pub(super) const ALL: [Self; 4] = [
        Self {
            usual_ms: 84.0,
            down: &[
                (61 * 1_440 + 200, 23, "status", "502 instead of 200-299"),
                (18 * 1_440 + 700, 7, "timeout", "no answer in time"),
            ],
        },
        Self {
            usual_ms: 31.0,
            down: &[(44 * 1_440 + 95, 12, "status", "503 instead of 200-299")],
        },
        Self {
            usual_ms: 4.0,
            down: &[(61 * 1_440 + 201, 20, "connect", "the connection is refused")],
        },
        Self {
            usual_ms: 47.0,
            down: &[
                (72 * 1_440 + 800, 95, "timeout", "no answer in time"),
                (33 * 1_440 + 410, 31, "status", "500 instead of 200-299"),
                (9 * 1_440 + 1_020, 14, "timeout", "no answer in time"),
            ],
        },
    ];
}

/// How far it goes back.
const DAYS: i64 = 90;

/// A check each 30 seconds.
const CHECKS_A_MINUTE: i32 = 2;

/// Whole hours up to the one before the last; after them minutes, as the server keeps them until an hour is over.
pub(super) fn of(character: &Character, now: Timestamp) -> MonitorPast {
    let floor = |span: i64| Timestamp::from_micros(now.micros() - now.micros().rem_euclid(span));
    let (this_minute, minutes_from) = (floor(MINUTE), floor(HOUR).plus_micros(-HOUR));
    let first = minutes_from.plus_micros(-DAYS * DAY);
    let mut past = MonitorPast::default();
    let mut hour = first;
    while hour < minutes_from {
        past.hours.push(of_hour(character, hour, now));
        hour = hour.plus_micros(HOUR);
    }
    let mut minute = minutes_from;
    while minute < this_minute {
        past.minutes.push(of_minute(character, minute));
        minute = minute.plus_micros(MINUTE);
    }
    past.incidents = character.down.iter().map(|down| incident(down, now)).collect();
    past
}

fn incident(
    &(ago, lasted, cause_kind, cause): &(i64, i64, &'static str, &'static str),
    now: Timestamp,
) -> PastIncident {
    let started_at = now.plus_micros(-ago * MINUTE);
    PastIncident {
        started_at,
        ended_at: started_at.plus_micros(lasted * MINUTE),
        cause_kind,
        cause,
        failed_checks: lasted as i32 * CHECKS_A_MINUTE,
    }
}

fn of_hour(character: &Character, hour: Timestamp, now: Timestamp) -> PastHour {
    let mut chance = Chance::of(&[9, hour.micros().cast_unsigned(), character.usual_ms as u64]);
    let end = hour.plus_micros(HOUR);
    let down = |incident: PastIncident| {
        let overlap = incident.ended_at.min(end).micros() - incident.started_at.max(hour).micros();
        (overlap.max(0) / MINUTE) as i32
    };
    let down: i32 = character.down.iter().map(|one| down(incident(one, now))).sum();
    let (checks, failures) = (60 * CHECKS_A_MINUTE, down * CHECKS_A_MINUTE);
    let average = chance.long_tailed(character.usual_ms, 0.12);
    let good = f64::from(checks - failures);
    PastHour {
        hour,
        checks,
        failures,
        sum_ms: (average * good) as i64,
        range_ms: (failures < checks).then_some(((average * 0.6) as i32, (average * 2.4) as i32)),
    }
}

fn of_minute(character: &Character, minute: Timestamp) -> MinuteRow {
    let mut chance = Chance::of(&[10, minute.micros().cast_unsigned(), character.usual_ms as u64]);
    let took: [i32; CHECKS_A_MINUTE as usize] =
        std::array::from_fn(|_| chance.long_tailed(character.usual_ms, 0.2).max(1.0) as i32);
    MinuteRow {
        minute: PgTime(minute),
        checks: CHECKS_A_MINUTE,
        failures: 0,
        sum_ms: took.iter().map(|took| i64::from(*took)).sum(),
        min_ms: took.iter().min().copied(),
        max_ms: took.iter().max().copied(),
        last_error: None,
    }
}
