//! Events summed up, of a segment and of rows, to be compared.

use std::borrow::Cow;
use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use trailmark_segments::events::{SESSION, hash, seq_key};
use trailmark_segments::segment::Decoded;
use trailmark_segments::{Corrupt, Segment};

use super::read::{self, Stretch};
use crate::store::error::StoreError;
use crate::store::pg_time::PgTime;

/// Events in any order: sums of their hashes, so that they need not be sorted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    /// Also those of identities that are just being erased.
    pub(super) all: u64,
    /// The others: only these are summed up.
    pub(super) events: u64,
    pub(super) what: u128,
    pub(super) values: u128,
}

impl Sum {
    fn add<'v>(&mut self, identity: i64, at: i64, seq: u64, values: impl Iterator<Item = Option<Cow<'v, str>>>) {
        let mut hash = Sha256::new();
        hash.update(identity.to_le_bytes());
        hash.update(at.to_le_bytes());
        hash.update(seq.to_le_bytes());
        self.events += 1;
        self.what = self.what.wrapping_add(number(hash.clone()));
        for value in values {
            hash.update([u8::from(value.is_some())]);
            let value = value.unwrap_or_default();
            hash.update((value.len() as u64).to_le_bytes());
            hash.update(value.as_bytes());
        }
        self.values = self.values.wrapping_add(number(hash));
    }
}

fn number(hash: Sha256) -> u128 {
    let hash = hash.finalize();
    hash.iter()
        .take(16)
        .fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Of a segment, and the columns that have values.
pub(super) fn of_segment(bytes: Vec<u8>, without: &BTreeSet<i64>) -> Result<(Sum, Vec<String>), Corrupt> {
    let segment = Segment::open(bytes)?;
    let columns: Vec<String> = segment.columns().map(str::to_owned).collect();
    let columns: Vec<(usize, String)> = columns
        .into_iter()
        .enumerate()
        .filter(|(column, _)| segment.values(*column).is_some())
        .collect();
    let mut sum = Sum::default();
    let mut decoded = Decoded::default();
    let mut codes: Vec<Box<[u32]>> = columns.iter().map(|_| Decoded::default().codes).collect();
    for block in segment.blocks() {
        block.identities(&mut decoded);
        block.times(&mut decoded);
        block.seqs(&mut decoded);
        for ((column, name), codes) in columns.iter().zip(&mut codes) {
            match name.as_str() {
                SESSION => block.hashes(*column, &mut decoded),
                _ => block.codes(*column, codes),
            }
        }
        sum.all += block.len() as u64;
        let events = decoded
            .identities
            .iter()
            .zip(decoded.times.iter())
            .zip(decoded.seqs.iter());
        for (row, ((identity, at), seq)) in events.take(block.len()).enumerate() {
            if without.contains(identity) {
                continue;
            }
            let value = |place: usize| {
                let ((column, name), codes) = (columns.get(place)?, codes.get(place)?);
                if name == SESSION {
                    let hash = decoded.hashes.get(row).filter(|hash| **hash != 0)?;
                    return Some(Cow::Owned(hash.to_string()));
                }
                let value = (*codes.get(row)? as usize).checked_sub(1)?;
                segment
                    .values(*column)?
                    .get(value)
                    .map(|value| Cow::Borrowed(value.as_str()))
            };
            sum.add(*identity, *at, *seq, (0..columns.len()).map(value));
        }
    }
    Ok((sum, columns.into_iter().map(|(_, column)| column).collect()))
}

/// Of rows that are not marked as late.
pub(super) async fn of_rows(
    connection: &mut PgConnection,
    of: Stretch<'_>,
    columns: &[String],
    without: &BTreeSet<i64>,
) -> Result<Sum, StoreError> {
    let values = read::values(columns, 5);
    // Nothing but numbers of parameters is written into it.
    let statement = format!(
        "SELECT e.identity_id, e.timestamp, e.seq{values} FROM events e
         WHERE e.project_id = $1 AND e.event_name_id = ANY ($2) AND e.timestamp >= $3 AND e.timestamp < $4
           AND NOT EXISTS (SELECT FROM late_events l
                           WHERE l.project_id = $1 AND l.event_name_id = e.event_name_id AND l.timestamp = e.timestamp
                             AND l.event_id = e.id)"
    );
    let read = sqlx::query(AssertSqlSafe(statement)).bind(of.project_id).bind(of.names);
    let read = read.bind(PgTime(of.from)).bind(PgTime(of.until));
    let mut rows = read::bind(read, columns).fetch(connection);
    let mut sum = Sum::default();
    while let Some(row) = rows.try_next().await? {
        let identity: i64 = row.try_get(0)?;
        sum.all += 1;
        if without.contains(&identity) {
            continue;
        }
        let at: PgTime = row.try_get(1)?;
        let mut values = Vec::with_capacity(columns.len());
        for (place, column) in (3..).zip(columns) {
            let value: Option<&str> = row.try_get(place)?;
            values.push(match column.as_str() {
                SESSION => value.map(|session| Cow::Owned(hash(session).to_string())),
                _ => value.map(Cow::Borrowed),
            });
        }
        sum.add(identity, at.0.micros(), seq_key(row.try_get(2)?), values.into_iter());
    }
    Ok(sum)
}
