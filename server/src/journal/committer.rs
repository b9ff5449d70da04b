//! Group commit: takes what waits, makes it durable, tells everyone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::core::Core;
use super::inbox::Waiting;
use super::record::framed;
use super::tail::Tail;
use super::{AppendError, Seq};

/// Poisons the journal if the thread that holds it panics, so that nobody waits for an answer that never comes.
pub(super) struct PanicGuard<'a>(pub(super) &'a Core);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("a journal thread panicked".to_owned());
        }
    }
}

/// The committer's thread: until the inbox is closed and empty.
pub(super) fn run(core: &Arc<Core>, mut tail: Tail) {
    let _guard = PanicGuard(core);
    while core.inbox.wait() {
        core.commit(&mut tail);
    }
}

impl Core {
    /// Commits one group, if something waits. An error of the disk poisons the journal.
    pub(super) fn commit(&self, tail: &mut Tail) {
        if self.is_poisoned() || self.inbox.is_empty() {
            return;
        }
        let mut group = self.inbox.take_group(tail.room());
        if group.is_empty() {
            match self.roll(tail) {
                Ok(true) => group = self.inbox.take_group(tail.room()),
                Ok(false) => return self.refuse_first(),
                Err(error) => return self.poison(format!("starting a segment: {error}")),
            }
        }
        self.commit_group(tail, group);
    }

    fn commit_group(&self, tail: &mut Tail, group: Vec<Waiting>) {
        let began = Instant::now();
        let first = tail.next();
        let outcome = tail.write_group(group.iter().map(|waiting| &waiting.payload));
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_commit_micros.store(micros, Ordering::Relaxed);
        let bytes = bytes_of(&group);
        match outcome {
            Ok(last) => self.publish(first, last, group),
            Err(error) => {
                self.poison(format!("committing a group: {error}"));
                group
                    .into_iter()
                    .for_each(|waiting| waiting.answer(Err(AppendError::Poisoned)));
            }
        }
        self.inbox.release(bytes);
    }

    /// Readers first: whoever hears that a record is durable can already read it.
    fn publish(&self, first: Seq, last: Seq, group: Vec<Waiting>) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.ages().note(first, Instant::now());
        self.durable.send_replace(last);
        for (seq, waiting) in (first..).zip(group) {
            waiting.answer(Ok(seq));
        }
    }

    /// Goes on in the spare segment; false if there is none.
    fn roll(&self, tail: &mut Tail) -> io::Result<bool> {
        let Some(spare) = self.spares.take() else {
            return Ok(false);
        };
        let segment = tail.roll(&*self.disk, spare, self.segment_bytes)?;
        self.shelf.push(segment);
        self.spares.renamed();
        Ok(true)
    }

    /// Only the first: a smaller one after it may still fit.
    fn refuse_first(&self) {
        if let Some(waiting) = self.inbox.take_first() {
            self.inbox.release(framed(waiting.payload.len()));
            waiting.answer(Err(AppendError::Full));
        }
    }
}

fn bytes_of(group: &[Waiting]) -> usize {
    group.iter().map(|waiting| framed(waiting.payload.len())).sum()
}
