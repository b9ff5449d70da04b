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
    let mut company = 1;
    while core.inbox.wait(company) {
        let committed = core.commit(&mut tail);
        company = company_for(committed + core.inbox.len());
    }
}

/// Most records that a group waits for. A write and sync takes about 40 µs of CPU, block layer included; shared by 32 that
/// is little more than 1 µs each, of about 35 that a single event takes in all.
const MOST_COMPANY: usize = 32;

/// Records in flight that the next group does not wait for: with so few clients, half of eight, disk and processors would
/// wait for each other (8 connections: 31,500 single events/s, and 26,000 when all but one were waited for).
const NOT_AWAITED: usize = 4;

/// How many records the next group waits for when `in_flight` were in the last one or came meanwhile. Where more than
/// [`NOT_AWAITED`] come during a sync, groups grow from one to the next up to [`MOST_COMPANY`]; where fewer do, a sync
/// costs little beside what else is done, and nothing is waited for.
fn company_for(in_flight: usize) -> usize {
    in_flight.saturating_sub(NOT_AWAITED).clamp(1, MOST_COMPANY)
}

impl Core {
    /// Commits one group, if something waits; of how many records. An error of the disk poisons the journal.
    pub(super) fn commit(&self, tail: &mut Tail) -> usize {
        let group = self.next_group(tail);
        let records = group.len();
        if records > 0 {
            self.commit_group(tail, group);
        }
        records
    }

    fn next_group(&self, tail: &mut Tail) -> Vec<Waiting> {
        if self.is_poisoned() || self.inbox.is_empty() {
            return Vec::new();
        }
        let group = self.inbox.take_group(tail.room());
        if !group.is_empty() {
            return group;
        }
        match self.roll(tail) {
            Ok(true) => return self.inbox.take_group(tail.room()),
            Ok(false) => self.refuse_first(),
            Err(error) => self.poison(format!("starting a segment: {error}")),
        }
        Vec::new()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The group that a steady load ends with: of so many records, when `arriving` come during each sync.
    fn group_with(arriving: usize) -> usize {
        (0..100).fold(1, |group: usize, _| company_for(group + arriving).max(arriving))
    }

    #[test]
    fn groups_grow_only_under_a_load_that_is_worth_it() {
        assert_eq!([0, 1, 3, 4].map(group_with), [1, 1, 3, 4]);
        assert_eq!([5, 20].map(group_with), [MOST_COMPANY; 2]);
    }

    #[test]
    fn few_clients_do_not_wait_for_each_other() {
        assert!((0..=5).all(|clients| company_for(clients) == 1));
        assert_eq!(company_for(8), 4);
    }
}
