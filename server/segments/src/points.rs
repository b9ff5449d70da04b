//! What each person passed, in order, session by session: everything that is known of an event, where [`gather`](crate::gather)
//! has no room for it.

use std::ops::Range;

use crate::buckets::Buckets;
use crate::people::{NOBODY, People};
use crate::scan::{Needs, Source, scan};
use crate::work::{CalledOff, Work};

/// Persons of a bucket: 256, a few thousand events.
const PERSONS_A_BUCKET: u32 = 256;

/// Bytes of a point.
const BYTES: u64 = 40;

/// An event of a person. Sorted as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Whose.
    pub person: u32,
    /// When, microseconds since 1970.
    pub at: i64,
    /// Its seq, as [`seq_key`](crate::events::seq_key) has it.
    pub seq: u64,
    /// The hash of its session; 0: none.
    pub session: u64,
    /// What it is: its part.
    pub point: u32,
    /// Its marks.
    pub marks: u32,
}

/// Tells all points of each person, sorted: `told` gets the state of its thread and the points. What is remembered takes `budget`
/// bytes, if all persons have equally many; more is told in several goes.
///
/// # Errors
/// It was called off.
pub fn points<S: Send>(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    budget: usize,
    begin: impl Fn() -> S + Sync,
    told: impl Fn(&mut S, &[Point]) + Sync,
) -> Result<Vec<S>, CalledOff> {
    let events: u64 = sources
        .iter()
        .filter_map(|source| source.stretch().map(|_| source.segment.events()))
        .sum();
    let goes = (events * BYTES).div_ceil(budget.max(1) as u64).max(1);
    let step = u64::from(people.slots()).div_ceil(goes) as u32;
    let step = step.div_ceil(PERSONS_A_BUCKET).max(1) * PERSONS_A_BUCKET;
    let mut states = Vec::new();
    for from in (0..people.slots()).step_by(step as usize) {
        let slots = from..from.saturating_add(step).min(people.slots());
        let count = slots.len().div_ceil(PERSONS_A_BUCKET as usize);
        let thrown = throw(work, (sources, people), &slots, count)?;
        let done = work.share(
            count,
            || (begin(), Vec::new()),
            |(state, points), bucket| {
                points.clear();
                thrown.iter().for_each(|buckets| buckets.copy_to(bucket, points));
                points.sort_unstable();
                for points in points.chunk_by(|one: &Point, next| one.person == next.person) {
                    told(state, points);
                }
            },
        )?;
        states.extend(done.into_iter().map(|(state, _)| state));
    }
    Ok(states)
}

fn throw(
    work: Work<'_>,
    (sources, people): (&[Source], &People),
    slots: &Range<u32>,
    count: usize,
) -> Result<Vec<Buckets<Point>>, CalledOff> {
    let needs = |_: &Source| Needs {
        persons: true,
        times: true,
        seqs: true,
    };
    scan(
        work,
        (sources, people),
        needs,
        || Buckets::new(count),
        |thrown, _, rows| {
            let what = rows.sessions().iter().zip(rows.parts()).zip(rows.marks());
            let when = rows.times().iter().zip(rows.seqs());
            for ((person, (at, seq)), ((session, point), marks)) in rows.persons().iter().zip(when).zip(what) {
                if *person != NOBODY && slots.contains(person) {
                    let point = Point {
                        person: *person,
                        at: *at,
                        seq: *seq,
                        session: *session,
                        point: *point,
                        marks: *marks,
                    };
                    thrown.push(((person - slots.start) / PERSONS_A_BUCKET) as usize, point);
                }
            }
        },
    )
}
