//! When rows become segments.

use std::time::Duration;

use trailmark_protocol::Timestamp;

use super::{Done, Ground, JobError};
use crate::store::Tail;

/// What happened this long ago is sealed: 10 minutes. Clients send every few seconds, and those that were offline come late
/// however long one waits; each that does costs a mark.
const QUIET_MICROS: i64 = 10 * 60 * 1_000_000;

/// A tail is sealed when it has so many events: 20,000, some 10 ms of every answer that reads them as rows.
const TAIL_EVENTS: i64 = 20_000;

/// … or a 32nd of what is sealed of its week, whatever is more. Sealing writes the week's segments anew, 6 bytes for each of
/// their events: 32 times in a week at the most, 192 bytes written for each event.
const TAIL_SHARE: i64 = 32;

/// … or when it begins this long ago: a day.
const TAIL_AGE_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// How long few late events wait for their segment: an hour.
const LATE_REST: Duration = Duration::from_secs(60 * 60);

/// Steps and segments of a project in one run: 16, each some seconds at the most. Others have a turn in between.
const AT_ONCE: u32 = 16;

/// How many events a tail has to have.
fn enough(sealed_of_week: i64) -> i64 {
    TAIL_EVENTS.max(sealed_of_week / TAIL_SHARE)
}

/// Whether a tail, counted up to `enough`, is to be sealed up to `until`.
fn is_due(tail: Tail, enough: i64, until: Timestamp) -> bool {
    let age = until.micros().saturating_sub(tail.begins.micros());
    age > 0 && (tail.events >= enough || age >= TAIL_AGE_MICROS)
}

/// Looks after the segments of all projects, as long as the writer is not behind.
pub(super) async fn run(ground: &Ground) -> Result<Done, JobError> {
    let mut done = Done::default();
    for project in ground.projects().await? {
        if ground.is_behind() {
            done.more = true;
            break;
        }
        let (events, more) = look_after(ground, project).await?;
        done.done += events;
        done.more |= more;
    }
    Ok(done)
}

/// What makes answers slow comes first. Returns how much was done, and whether there is more.
async fn look_after(ground: &Ground, project: i32) -> Result<(u64, bool), JobError> {
    let (store, now) = (&ground.store, ground.clock.now());
    store.promote_by_use(project, now).await?;
    let stale = store.rebuild_stale(project, AT_ONCE).await?;
    let late = store.fold_late(project, LATE_REST).await?;
    let (sealed, more) = seal(ground, project, now.plus_micros(-QUIET_MICROS)).await?;
    let outdated = store.rebuild_outdated(project, AT_ONCE).await?;
    let more = more || stale == AT_ONCE || outdated == AT_ONCE;
    Ok((u64::from(stale) + late + sealed + u64::from(outdated), more))
}

async fn seal(ground: &Ground, project: i32, until: Timestamp) -> Result<(u64, bool), JobError> {
    let store = &ground.store;
    let enough = enough(store.sealed_of_week(project, until).await?);
    let tail = store.tail(project, until, enough).await?;
    if !tail.is_some_and(|tail| is_due(tail, enough, until)) {
        return Ok((0, false));
    }
    store.close_segments(project, until).await?;
    let mut sealed = 0;
    for _ in 0..AT_ONCE {
        let step = store.seal_step(project, until).await?;
        sealed += step.events;
        if step.reached {
            return Ok((sealed, false));
        }
        if ground.is_behind() {
            break;
        }
    }
    Ok((sealed, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_sealed_when_it_is_long_or_old_and_never_what_is_still_coming() {
        let until = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        let tail = |minutes: i64, events| Tail {
            begins: until.plus_micros(-minutes * 60_000_000),
            events,
        };
        assert!(!is_due(tail(60, 19_999), enough(0), until) && is_due(tail(60, 20_000), enough(0), until));
        assert!(!is_due(tail(60, 20_000), enough(960_000), until) && is_due(tail(60, 30_000), enough(960_000), until));
        assert!(!is_due(tail(24 * 60 - 1, 0), enough(0), until) && is_due(tail(24 * 60, 0), enough(0), until));
        assert!(!is_due(tail(0, 90_000), enough(0), until) && !is_due(tail(-5, 90_000), enough(0), until));
    }
}
