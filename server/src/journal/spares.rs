//! The segment made ahead, so that no append waits for allocation, and the signals of the thread that makes it.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::disk::{Disk, SharedFile};
use super::segment::SPARE;

/// How often to try again for space that something else may free: once a second.
const RETRY: Duration = Duration::from_secs(1);

/// The next segment.
enum Spare {
    /// To be made, or being made.
    Wanted,
    /// Made: a file called [`SPARE`].
    Ready(SharedFile),
    /// Taken, and its file still called [`SPARE`]: no other may be made until it has its own name.
    Taken,
    /// Cannot be made now, and why.
    Blocked(String),
}

struct State {
    spare: Spare,
    /// There may be something to do for the housekeeper.
    chores: bool,
    /// Nobody makes spares any more, so nobody waits for one.
    unattended: bool,
}

/// Where the housekeeper leaves the next segment and the committer takes it.
pub(super) struct Spares {
    state: Mutex<State>,
    changed: Condvar,
}

impl Spares {
    /// `attended` says whether another thread makes spares, so that one may be waited for.
    pub(super) fn new(attended: bool) -> Self {
        let state = State {
            spare: Spare::Wanted,
            chores: true,
            unattended: !attended,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// The next segment, waiting while it is being made; none if it cannot be made now. [`Spares::renamed`] must follow.
    pub(super) fn take(&self) -> Option<SharedFile> {
        let waiting = |state: &mut State| matches!(state.spare, Spare::Wanted) && !state.unattended;
        let mut state = self
            .changed
            .wait_while(self.lock(), waiting)
            .unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut state.spare, Spare::Taken) {
            Spare::Ready(file) => Some(file),
            other => {
                state.spare = other;
                None
            }
        }
    }

    /// The spare that was taken has its own name: the next may be made.
    pub(super) fn renamed(&self) {
        let mut state = self.lock();
        state.spare = Spare::Wanted;
        state.chores = true;
        self.changed.notify_all();
    }

    /// Leaves a spare, or the reason why there is none.
    pub(super) fn put(&self, made: Result<SharedFile, String>) {
        self.lock().spare = made.map_or_else(Spare::Blocked, Spare::Ready);
        self.changed.notify_all();
    }

    /// Whether a spare is there.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.lock().spare, Spare::Ready(_))
    }

    /// Whether a spare is to be made.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.lock().spare, Spare::Wanted | Spare::Blocked(_))
    }

    /// Why no spare can be made now.
    pub(super) fn blocked(&self) -> Option<String> {
        match &self.lock().spare {
            Spare::Blocked(reason) => Some(reason.clone()),
            Spare::Wanted | Spare::Ready(_) | Spare::Taken => None,
        }
    }

    /// Tells the housekeeper that there may be something to do.
    pub(super) fn nudge(&self) {
        self.lock().chores = true;
        self.changed.notify_all();
    }

    /// Waits for something to do; false once nothing will be.
    pub(super) fn wait_for_chores(&self) -> bool {
        let mut state = self.lock();
        while !state.chores && !state.unattended {
            let blocked = matches!(state.spare, Spare::Blocked(_));
            if !blocked {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, waited) = self
                .changed
                .wait_timeout(state, RETRY)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.chores |= waited.timed_out();
        }
        state.chores = false;
        !state.unattended
    }

    /// Ends the making of spares.
    pub(super) fn leave(&self) {
        self.lock().unattended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a file of `bytes` bytes called [`SPARE`]: created, allocated, and both durable. Made from nothing each time: a
/// sync that failed is not retried on the same file.
pub(super) fn make(disk: &dyn Disk, bytes: u64) -> io::Result<SharedFile> {
    match disk.remove(SPARE) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(SPARE)?;
    let made = file
        .allocate(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| disk.sync_dir());
    if made.is_err() {
        // Half a spare only takes space; the error that matters is the one above.
        let _ = disk.remove(SPARE);
    }
    made.map(|()| file)
}

#[cfg(test)]
mod tests {
    use super::super::fake_disk::FakeDisk;
    use super::*;

    #[test]
    fn no_spare_is_made_while_the_last_one_still_has_its_name() {
        let disk = FakeDisk::new();
        let spares = Spares::new(false);
        assert!(spares.is_missing());
        spares.put(make(&disk, 4096).map_err(|error| error.to_string()));
        assert!(spares.take().is_some());
        assert!(
            !spares.is_missing(),
            "making one now would delete the one that was taken"
        );
        assert!(spares.take().is_none());
        spares.renamed();
        assert!(spares.is_missing());
    }

    #[test]
    fn nobody_waits_for_a_spare_that_nobody_makes() {
        let spares = Spares::new(true);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| spares.take().is_none());
            spares.leave();
            assert!(waiting.join().expect("does not panic"));
        });
        assert!(!spares.wait_for_chores());
    }

    #[test]
    fn a_spare_is_made_from_nothing_each_time() {
        let disk = FakeDisk::new();
        make(&disk, 4096).expect("makes").write_at(b"old", 0).expect("writes");
        make(&disk, 4096).expect("makes again");
        assert!(disk.contents(SPARE).is_some_and(|bytes| bytes == [0; 4096]));
    }
}
