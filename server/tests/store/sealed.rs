//! What is in segments and beside them, and the one thing that must hold: every event is in one place.

use std::collections::BTreeMap;

use trailmark_protocol::Timestamp;
use trailmark_segments::Segment;
use trailmark_segments::events::seq_key;
use trailmark_segments::segment::Decoded;
use trailmark_server::store::{PgTime, Store};

/// The properties that tests may promote.
pub(crate) const PROPERTIES: [&str; 2] = ["$context.os.name", "n"];

const WEEK_MICROS: i64 = 7 * 86_400_000_000;

/// Whose segment: event name and week, counted here in another way than there.
pub(crate) type Key = (i32, i32);

/// Identity, moment, seq and the values of properties, as far as they are known.
pub(crate) type Event = (i64, i64, u64, BTreeMap<&'static str, Option<String>>);

pub(crate) fn week_of(micros: i64) -> i32 {
    // 1970-01-05 was the first Monday.
    ((micros - 4 * 86_400_000_000).div_euclid(WEEK_MICROS) + 1) as i32
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct SegmentRow {
    pub(crate) event_name_id: i32,
    pub(crate) week: i32,
    pub(crate) events: i64,
    pub(crate) stale: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) bytes: Option<Vec<u8>>,
}

pub(crate) async fn segments(store: &Store) -> BTreeMap<Key, SegmentRow> {
    let rows: Vec<SegmentRow> =
        sqlx::query_as("SELECT event_name_id, week, events, stale, columns, bytes FROM segments WHERE project_id = 1")
            .fetch_all(store.pool())
            .await
            .unwrap();
    rows.into_iter()
        .map(|row| ((row.event_name_id, row.week), row))
        .collect()
}

impl SegmentRow {
    /// Whether it can be read; else the rows of its name and week answer.
    fn is_usable(&self) -> bool {
        let bytes = self.bytes.clone();
        bytes.is_some_and(|bytes| Segment::open(bytes).is_ok())
    }
}

/// The events of a segment, with the values of its columns.
pub(crate) fn decoded(row: &SegmentRow) -> Vec<Event> {
    let segment = Segment::open(row.bytes.clone().unwrap()).unwrap();
    assert_eq!(segment.events(), row.events.cast_unsigned());
    let (mut decoded, mut events) = (Decoded::default(), Vec::new());
    for block in segment.blocks() {
        block.identities(&mut decoded);
        block.times(&mut decoded);
        block.seqs(&mut decoded);
        let from = events.len();
        for n in 0..block.len() {
            let values = BTreeMap::new();
            events.push((decoded.identities[n], decoded.times[n], decoded.seqs[n], values));
        }
        for property in PROPERTIES {
            let column = segment.column(property);
            let Some((column, values)) = column.and_then(|column| Some((column, segment.values(column)?))) else {
                continue;
            };
            block.codes(column, &mut decoded.codes);
            for n in 0..block.len() {
                let value = (decoded.codes[n] as usize)
                    .checked_sub(1)
                    .map(|place| values[place].clone());
                events[from + n].3.insert(property, value);
            }
        }
    }
    for column in &row.columns {
        assert!(segment.column(column).is_some(), "{column}");
    }
    events
}

type Row = (i32, i64, PgTime, Option<i64>, bool, Option<String>, Option<String>);

/// The rows of events whose identity is there, with what is marked as late.
async fn rows(store: &Store) -> Vec<(i32, Event, bool)> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT e.event_name_id, e.identity_id, e.timestamp, e.seq, l.event_id IS NOT NULL,
                (e.properties -> 'n')::text, (e.context #> '{os,name}')::text
         FROM events e JOIN identities i ON i.project_id = e.project_id AND i.id = e.identity_id
         LEFT JOIN late_events l ON l.project_id = e.project_id AND l.event_name_id = e.event_name_id
                                AND l.timestamp = e.timestamp AND l.event_id = e.id
                                AND l.identity_id = e.identity_id AND l.seq IS NOT DISTINCT FROM e.seq
         WHERE e.project_id = 1",
    )
    .fetch_all(store.pool())
    .await
    .unwrap();
    rows.into_iter()
        .map(|(name, identity, at, seq, late, n, os)| {
            let values = BTreeMap::from([("n", n), ("$context.os.name", os)]);
            (name, (identity, at.0.micros(), seq_key(seq), values), late)
        })
        .collect()
}

async fn identities(store: &Store) -> Vec<i64> {
    sqlx::query_scalar("SELECT id FROM identities WHERE project_id = 1")
        .fetch_all(store.pool())
        .await
        .unwrap()
}

/// Every event of somebody who is there is in a segment, marked, in a stale week, or later than what is sealed; and in none
/// of these twice.
pub(crate) async fn each_event_is_in_one_place(store: &Store) {
    let sealed_before = match store.frontier(1).await.unwrap() {
        Some(frontier) => {
            assert!(frontier.sealed_before <= frontier.closed_before);
            frontier.sealed_before.0
        }
        None => Timestamp::from_micros(i64::MIN),
    };
    let present = identities(store).await;
    let segments = segments(store).await;
    let mut expected: BTreeMap<Key, Vec<Event>> = BTreeMap::new();
    let mut marked = 0;
    for (name, event, late) in rows(store).await {
        marked += i64::from(late);
        let key = (name, week_of(event.1));
        let answered_by_rows = segments.get(&key).is_some_and(|segment| !segment.is_usable());
        if event.1 < sealed_before.micros() && !late && !answered_by_rows {
            expected.entry(key).or_default().push(event);
        }
    }
    let marks: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM late_events l WHERE EXISTS (
             SELECT FROM identities i WHERE i.project_id = l.project_id AND i.id = l.identity_id)",
    )
    .fetch_one(store.pool())
    .await
    .unwrap();
    assert_eq!(marks, marked, "every mark is of a row, and says the same");
    let mut found: BTreeMap<Key, Vec<Event>> = BTreeMap::new();
    for (key, segment) in segments.iter().filter(|(_, segment)| segment.is_usable()) {
        let events: Vec<Event> = decoded(segment)
            .into_iter()
            .filter(|event| present.contains(&event.0))
            .collect();
        assert!(events.iter().all(|event| week_of(event.1) == key.1));
        // What the segment has no column of is not compared.
        for event in expected.entry(*key).or_default() {
            event
                .3
                .retain(|property, _| events.first().is_some_and(|first| first.3.contains_key(property)));
        }
        found.insert(*key, events);
    }
    expected.retain(|_, events| !events.is_empty());
    found.retain(|_, events| !events.is_empty());
    expected
        .values_mut()
        .chain(found.values_mut())
        .for_each(|events| events.sort());
    assert_eq!(found, expected);
}
