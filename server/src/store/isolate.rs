//! Finds the rows that the database refuses for their values, by halving under savepoints, and stores the rest: all in
//! the one transaction that also keeps the dead letters and moves the cursor.

use sqlx::{Acquire, PgConnection};

use super::connect::Store;
use super::error::{ErrorClass, StoreError};
use super::existing::{self, LeftOut};
use super::group::Dead;
use super::rows::Row;
use super::segments::marks::Closed;
use super::write::{Tally, Work, Written, finish, put};

/// What becomes of a part.
enum Verdict<'a> {
    /// With so many aliases that turned out too many for one person.
    Stored(u64),
    /// The key refused a row of it; these were left out, the others are to be tried again.
    Known(LeftOut<'a>),
    Refused(StoreError),
}

/// Stores what can be stored of `work`; the rest become dead letters.
pub(super) async fn store(store: &Store, work: Work<'_>) -> Result<Written, StoreError> {
    let mut transaction = store.pool.begin().await?;
    let closed = work.enter(&mut transaction).await?;
    let mut tally = Tally::default();
    let mut done = Work {
        rows: Vec::new(),
        ..work
    };
    let mut parts = halves(work.rows);
    while let Some(mut part) = parts.pop() {
        match try_part(&mut transaction, &mut part, &closed).await? {
            Verdict::Stored(refused_aliases) => {
                tally.refused_aliases += refused_aliases;
                done.rows.append(&mut part);
            }
            Verdict::Known(left_out) => {
                done.leave_out(left_out);
                parts.push(part);
            }
            Verdict::Refused(error) => match part.as_slice() {
                [row] => done.dead.push(Dead::by_error(&row.pending, &error)),
                _ => parts.extend(halves(part)),
            },
        }
    }
    tally.erased = finish(&mut transaction, &done).await?;
    transaction.commit().await?;
    Ok(done.written(tally))
}

/// The second half first: the stack gives the first one back first, so rows are locked in the order of their ids.
fn halves(mut rows: Vec<Row<'_>>) -> Vec<Vec<Row<'_>>> {
    let second = rows.split_off(rows.len() / 2);
    [second, rows].into_iter().filter(|half| !half.is_empty()).collect()
}

async fn try_part<'a>(
    connection: &mut PgConnection,
    part: &mut Vec<Row<'a>>,
    closed: &Closed,
) -> Result<Verdict<'a>, StoreError> {
    let mut savepoint = connection.begin().await?;
    let error = match put(&mut savepoint, part, closed).await {
        Ok(refused_aliases) => {
            savepoint.commit().await?;
            return Ok(Verdict::Stored(refused_aliases));
        }
        Err(error) => error,
    };
    savepoint.rollback().await?;
    if error.is_duplicate() {
        return Ok(Verdict::Known(existing::leave_out(connection, part, error).await?));
    }
    match error.class() {
        ErrorClass::Data => Ok(Verdict::Refused(error)),
        _ => Err(error),
    }
}
