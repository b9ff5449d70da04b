//! The journal as a whole: what every implementation keeps, crashes, faults, damage, many threads.

mod contract;
mod crashes;
mod faults;
mod damage;
mod real_disk;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use uuid::Uuid;

use super::fake_disk::FakeDisk;
use super::{Append, AppendError, Journal, JournalOptions, LocalJournal, Record, Recovery, Seq};

const KIB: u64 = 1024;
/// How long a test waits for another thread before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Four segments of 64 KiB.
fn small() -> JournalOptions {
    let new_id = Uuid::from_u128(7);
    JournalOptions {
        max_bytes: 256 * KIB,
        segment_bytes: 64 * KIB,
        pending_bytes: 128 * 1024,
        new_id,
    }
}

/// Two dozen segments of 64 KiB.
fn roomy() -> JournalOptions {
    JournalOptions {
        max_bytes: 24 * 64 * KIB,
        ..small()
    }
}

fn stepped(disk: &FakeDisk, options: &JournalOptions) -> (LocalJournal, Recovery) {
    LocalJournal::open_stepped(Arc::new(disk.clone()), options).expect("opens")
}

/// What an append has answered by now.
fn answer(append: &mut Append) -> Option<Result<Seq, AppendError>> {
    match Pin::new(append).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// Appends to a stepped journal and steps until there is an answer.
fn put(journal: &LocalJournal, payload: impl Into<Bytes>) -> Result<Seq, AppendError> {
    let mut append = journal.append(payload.into());
    loop {
        if let Some(outcome) = answer(&mut append) {
            return outcome;
        }
        journal.step();
    }
}

/// Appends records of `bytes` bytes until one is refused: how many were taken, and the refusal.
fn fill(journal: &LocalJournal, bytes: usize) -> (u64, AppendError) {
    let mut taken = 0;
    loop {
        match put(journal, vec![b'x'; bytes]) {
            Ok(_) => taken += 1,
            Err(refusal) => return (taken, refusal),
        }
    }
}

fn read_all(journal: &dyn Journal, after: Seq) -> Vec<Record> {
    journal.read(after, usize::MAX).expect("reads")
}

fn seqs(records: &[Record]) -> Vec<Seq> {
    records.iter().map(|record| record.seq).collect()
}

/// Asks until `condition` holds, for what only another thread can bring about.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited too long: {what}");
        std::thread::yield_now();
    }
}
