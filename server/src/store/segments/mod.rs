//! Columnar segments beside the rows (DESIGN §5), and how every event stays in exactly one place for those who read.
//!
//! Two moments of a project say where. `closed_before`: every writer marks what it stores with an earlier timestamp as late
//! ([`marks`]); it moves under the lock that writers share, so whoever began before has committed. `sealed_before`, never later:
//! an event of before is in the segment of its name and week, or marked as late, or its segment is stale and the rows of that
//! name and week answer (marked or not); an event of after is read as a row.
//!
//! Rows of before `closed_before` that are not marked are thus a set that only an erasure and retention can change.
//! Whoever does, or writes segments, takes marks away or moves `sealed_before`, holds the lock of [`hold`] until it commits.
//! So sealing, folding, rebuilding, erasing and retention of a project come one after the other, on however many servers, and
//! each sees what the one before has committed: no transaction is repeated, none is lost. Writers do not take it; they only
//! add marks, each in one transaction with its row, and a statement that takes marks away reads their rows with the same look at
//! the database. Readers that find a segment corrupt make it stale without it ([`corrupt`]): whoever is at work on that segment has
//! read it whole before, and writes it whole. A crash between two transactions leaves what the next one finds.
//!
//! Order of locks: the lock of writers and erasures (`tombstones`) is taken alone, that of [`hold`] before every row and table.

pub(super) mod marks;
mod frontier;
mod read;
mod keep;
mod seal;
mod fold;
mod rebuild;
mod forget;
mod retention;
mod promoted;
mod tail;
mod corrupt;
mod sum;
mod verify;

pub(super) use forget::{Doomed, forget};
pub use frontier::Frontier;
pub use promoted::Promoted;
pub(super) use retention::{dropped, dropping};
pub use seal::Step;
pub use tail::Tail;
pub use verify::{Verified, Wrong};

use sqlx::PgConnection;

use super::error::StoreError;

/// First half of the advisory lock's key ("tmsg" in ASCII, arbitrary); the second is the project.
const SEGMENTS_LOCK: i32 = 0x746d_7367;

/// Keeps others from the segments of `project_id` until the transaction ends. To be the transaction's first statement: those
/// after it see what was committed before the lock was given.
pub(super) async fn hold(connection: &mut PgConnection, project_id: i32) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, $2)")
        .bind(SEGMENTS_LOCK)
        .bind(project_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Does what takes a core for a while (some 100 ms for a million events) beside the threads that serve others.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody cancels it, so it panicked: that panic is the caller's.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
