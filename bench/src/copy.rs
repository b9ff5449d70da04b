//! The reference for storing: the rows that the server stored, put back into the same emptied table with raw `COPY`.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use crate::Outcome;
use crate::admin::Admin;

const COPY_IN: &str = "COPY events FROM STDIN (FORMAT binary)";

/// Signature, flags and length of the extension (<https://www.postgresql.org/docs/15/sql-copy.html>, "Binary Format").
const HEADER_BYTES: usize = 19;

/// In place of a row's number of columns.
const END: [u8; 2] = (-1_i16).to_be_bytes();

/// Sent in pieces of 128 KiB, as the server does.
const PIECE_BYTES: usize = 128 * 1024;

/// Rows in the format of `COPY`.
#[derive(Debug)]
pub struct Rows {
    bytes: Vec<u8>,
    /// Where each row begins, and where the last ends.
    bounds: Vec<usize>,
}

impl Rows {
    /// All rows of the events table, in the order in which they lie there.
    ///
    /// # Errors
    /// The database's or the disk's.
    pub async fn export(admin: &Admin) -> Outcome<Self> {
        let file = admin.postgres_dir.join("data/bench.copy");
        let copied = sqlx::query(sqlx::AssertSqlSafe(format!(
            "COPY (SELECT * FROM events) TO '{}' (FORMAT binary)",
            file.display().to_string().replace('\'', "''")
        )))
        .execute(&admin.pool)
        .await;
        let rows = copied.map_err(Into::into).and_then(|_| Self::read(&file));
        let _ = std::fs::remove_file(&file);
        rows
    }

    fn read(file: &Path) -> Outcome<Self> {
        let bytes = std::fs::read(file)?;
        let bounds = bounds(&bytes).ok_or("not the binary format of COPY")?;
        Ok(Self { bytes, bounds })
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of a row, on average.
    #[must_use]
    pub fn mean_bytes(&self) -> usize {
        self.bytes.len() / self.len().max(1)
    }

    /// Copies them into the table, `per_commit` rows in one command and transaction. Returns how long it took.
    ///
    /// # Errors
    /// The database's.
    pub async fn store(&self, admin: &Admin, per_commit: usize) -> Outcome<Duration> {
        let mut connection = admin.pool.acquire().await?;
        let began = Instant::now();
        for from in (0..self.len()).step_by(per_commit) {
            let to = (from + per_commit).min(self.len());
            self.store_some(&mut connection, self.bounds[from]..self.bounds[to])
                .await?;
        }
        Ok(began.elapsed())
    }

    async fn store_some(&self, connection: &mut PgConnection, range: Range<usize>) -> Outcome<()> {
        let mut transaction = connection.begin().await?;
        let mut copy = transaction.copy_in_raw(COPY_IN).await?;
        copy.send(&self.bytes[..HEADER_BYTES]).await?;
        for piece in self.bytes[range].chunks(PIECE_BYTES) {
            copy.send(piece).await?;
        }
        copy.send(END.as_slice()).await?;
        copy.finish().await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn bounds(bytes: &[u8]) -> Option<Vec<usize>> {
    let (mut bounds, mut at) = (vec![HEADER_BYTES], HEADER_BYTES);
    loop {
        let columns: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
        if columns == END {
            return Some(bounds);
        }
        at += 2;
        for _ in 0..i16::from_be_bytes(columns) {
            let length = i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
            at += 4 + usize::try_from(length).unwrap_or(0);
        }
        bounds.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_lengths() {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes.extend_from_slice(&[0, 2, 0, 0, 0, 1, b'x', 255, 255, 255, 255]);
        bytes.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
        assert_eq!(bounds(&bytes), None, "no end");
        bytes.extend_from_slice(&END);
        assert_eq!(bounds(&bytes), Some(vec![19, 30, 36]));
    }
}
