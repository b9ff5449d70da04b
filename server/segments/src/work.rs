//! Work that is shared among threads, and can be called off.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Nobody waits for the result any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("called off")]
pub struct CalledOff;

/// Who does it, and whether it is still wanted.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// Threads at once, the caller's included.
    pub threads: usize,
    /// Set when nobody waits for the result any more; looked at between pieces, each some milliseconds long.
    pub called_off: &'a AtomicBool,
}

impl Work<'_> {
    /// Does pieces 0 to `pieces` in any order. Each thread begins with a state of its own, and all of them are returned.
    ///
    /// # Errors
    /// It was called off.
    pub fn share<S: Send>(
        self,
        pieces: usize,
        begin: impl Fn() -> S + Sync,
        step: impl Fn(&mut S, usize) + Sync,
    ) -> Result<Vec<S>, CalledOff> {
        let next = AtomicUsize::new(0);
        let one = || {
            let mut state = begin();
            while !self.called_off.load(Ordering::Relaxed) {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if piece >= pieces {
                    return Ok(state);
                }
                step(&mut state, piece);
            }
            Err(CalledOff)
        };
        let more = self.threads.min(pieces).saturating_sub(1);
        thread::scope(|scope| {
            let others: Vec<_> = (0..more).map(|_| scope.spawn(one)).collect();
            let mut states = vec![one()];
            // A panic of another thread is this one's, too.
            states.extend(others.into_iter().map(|other| match other.join() {
                Ok(state) => state,
                Err(panic) => std::panic::resume_unwind(panic),
            }));
            states.into_iter().collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once() {
        let called_off = AtomicBool::new(false);
        let work = Work {
            threads: 3,
            called_off: &called_off,
        };
        let done = work.share(1_000, Vec::new, |done, piece| done.push(piece)).unwrap();
        let mut done = done.concat();
        done.sort_unstable();
        assert_eq!(done, (0..1_000).collect::<Vec<_>>());
        assert!(work.share(0, || (), |_, _| ()).is_ok());
    }

    #[test]
    fn what_is_called_off_ends_soon() {
        let called_off = AtomicBool::new(false);
        let work = Work {
            threads: 2,
            called_off: &called_off,
        };
        let ended = work.share(
            usize::MAX,
            || (),
            |(), piece| {
                if piece == 10 {
                    called_off.store(true, Ordering::Relaxed);
                }
            },
        );
        assert_eq!(ended, Err(CalledOff));
    }
}
