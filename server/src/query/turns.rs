//! Turns at reading, shared fairly: a project has some of all turns at once, and waits in its own line for them. In the
//! line for all turns each project stands at most that often, so it waits for a few statements of the others and never
//! for their lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::gateway::problem::{Code, Problem};

/// Reads that run at once: half of the default pool of eight connections, so that reads never keep the writer waiting.
pub const READS_AT_ONCE: usize = 4;

/// Of these, of one project: half, so that one that asks much leaves as much to the others.
pub const READS_PER_PROJECT: usize = 2;

/// Most reads of one project that wait: 32. A dashboard of thirty tiles asks for all of them at once.
pub const WAITING_PER_PROJECT: usize = 32;

/// How long a read waits for its turn: as long as a statement may take.
pub const TURN_TIMEOUT: Duration = super::snapshot::STATEMENT_TIMEOUT;

/// Seconds after which a project with too many reads may ask again.
const RETRY_AFTER_S: u64 = 1;

/// The turns that readers share.
#[derive(Debug, Clone)]
pub struct Turns {
    all: Arc<Semaphore>,
    lines: Arc<Lines>,
}

/// The projects that read or wait; others are not in it.
#[derive(Debug, Default)]
struct Lines(Mutex<HashMap<i32, Line>>);

/// Who reads or waits in one project.
#[derive(Debug)]
struct Line {
    turns: Arc<Semaphore>,
    readers: usize,
}

/// A turn; whoever drops it lets the next one read.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    _of_all: OwnedSemaphorePermit,
    _of_project: OwnedSemaphorePermit,
    _place: Place,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(READS_AT_ONCE)),
            lines: Arc::default(),
        }
    }
}

impl Turns {
    /// Waits for a turn of this project. Who stops waiting leaves the line.
    ///
    /// # Errors
    /// [`Code::TooManyReads`] if the project's own reads are in the way, [`Code::QueryTimeout`] if others' are.
    pub async fn next(&self, project_id: i32) -> Result<Turn, Problem> {
        let (place, turns) = Place::take(&self.lines, project_id).ok_or_else(too_many)?;
        let deadline = Instant::now() + TURN_TIMEOUT;
        let of_project = acquire(turns, deadline).await.ok_or_else(too_many)?;
        let of_all = acquire(Arc::clone(&self.all), deadline).await.ok_or_else(overloaded)?;
        Ok(Turn {
            _of_all: of_all,
            _of_project: of_project,
            _place: place,
        })
    }
}

async fn acquire(turns: Arc<Semaphore>, deadline: Instant) -> Option<OwnedSemaphorePermit> {
    timeout_at(deadline, turns.acquire_owned()).await.ok()?.ok()
}

fn too_many() -> Problem {
    let detail = format!("{READS_PER_PROJECT} reads of one project run at once, and its line is too long");
    Problem::new(Code::TooManyReads, detail).retry_after(RETRY_AFTER_S)
}

fn overloaded() -> Problem {
    Problem::new(Code::QueryTimeout, "too many reads at once")
}

/// A place in a project's line, from the wait to the end of the read.
#[derive(Debug)]
struct Place {
    lines: Arc<Lines>,
    project_id: i32,
}

impl Place {
    /// A place, and where to wait for a turn; `None` if the line is full.
    fn take(lines: &Arc<Lines>, project_id: i32) -> Option<(Self, Arc<Semaphore>)> {
        let mut open = lines.open();
        let line = open.entry(project_id).or_insert_with(|| Line {
            turns: Arc::new(Semaphore::new(READS_PER_PROJECT)),
            readers: 0,
        });
        if line.readers >= READS_PER_PROJECT + WAITING_PER_PROJECT {
            return None;
        }
        line.readers += 1;
        let place = Self {
            lines: Arc::clone(lines),
            project_id,
        };
        Some((place, Arc::clone(&line.turns)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.lines.open();
        if let Some(line) = open.get_mut(&self.project_id) {
            line.readers -= 1;
            if line.readers == 0 {
                open.remove(&self.project_id);
            }
        }
    }
}

impl Lines {
    fn open(&self) -> MutexGuard<'_, HashMap<i32, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_project_with_a_long_line_leaves_turns_to_others() {
        let turns = Turns::default();
        let _busy = [turns.next(1).await.unwrap(), turns.next(1).await.unwrap()];
        let mut line: Vec<_> = (0..WAITING_PER_PROJECT).map(|_| Box::pin(turns.next(1))).collect();
        assert!(line.iter_mut().all(|waiting| waiting.now_or_never().is_none()));
        assert!(turns.next(2).now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_full_line_is_refused_at_once_and_who_stops_waiting_leaves_it() {
        let turns = Turns::default();
        let busy = [turns.next(1).await.unwrap(), turns.next(1).await.unwrap()];
        let mut line: Vec<_> = (0..WAITING_PER_PROJECT).map(|_| Box::pin(turns.next(1))).collect();
        for waiting in &mut line {
            assert!(waiting.now_or_never().is_none());
        }
        let refused = turns.next(1).now_or_never().unwrap().unwrap_err();
        assert_eq!(refused.code(), Code::TooManyReads);
        drop(line.drain(1..));
        drop(busy);
        let first = line.remove(0).now_or_never().unwrap().unwrap();
        let next = turns.next(1).now_or_never().unwrap().unwrap();
        assert!(turns.next(1).now_or_never().is_none());
        drop((first, next));
        assert!(
            turns.lines.open().is_empty(),
            "nobody is remembered who neither reads nor waits"
        );
    }

    #[tokio::test]
    async fn when_all_turns_are_taken_a_new_project_is_next_before_the_rest_of_the_others_lines() {
        let turns = Turns::default();
        let mut busy = join_all([1, 1, 2, 2].map(|project| turns.next(project))).await;
        let mut lines: Vec<_> = [1, 1, 1, 2, 2, 2].map(|project| Box::pin(turns.next(project))).into();
        for waiting in &mut lines {
            assert!(waiting.now_or_never().is_none());
        }
        let mut newcomer = Box::pin(turns.next(3));
        assert!((&mut newcomer).now_or_never().is_none());
        drop(busy.pop());
        assert!(newcomer.now_or_never().unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_a_problem_that_says_whose_reads_were_in_the_way() {
        let turns = Turns::default();
        let _busy = join_all([1, 1, 2, 2].map(|project| turns.next(project))).await;
        assert_eq!(turns.next(1).await.unwrap_err().code(), Code::TooManyReads);
        assert_eq!(turns.next(3).await.unwrap_err().code(), Code::QueryTimeout);
    }
}
