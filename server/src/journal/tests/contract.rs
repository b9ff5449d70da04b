//! What every journal keeps, run against each of them.

use std::sync::Arc;

use bytes::Bytes;

use super::super::fake_disk::FakeDisk;
use super::super::{AppendError, Journal, LocalJournal, MemoryJournal};
use super::{eventually, roomy, seqs};

/// Bytes that a journal under test takes at most before it is full.
const BOUND: u64 = 24 * 64 * 1024;

/// A journal and what must live as long as it.
type Subject = (Arc<dyn Journal>, Option<tempfile::TempDir>);

fn memory() -> Subject {
    (Arc::new(MemoryJournal::bounded(BOUND)), None)
}

fn fake_disk() -> Subject {
    let (journal, _) = LocalJournal::open_on(Arc::new(FakeDisk::new()), &roomy()).expect("opens");
    (Arc::new(journal), None)
}

fn real_disk() -> Subject {
    let dir = tempfile::tempdir().expect("a directory");
    let (journal, _) = LocalJournal::open(dir.path(), &roomy()).expect("opens");
    (Arc::new(journal), Some(dir))
}

async fn put(journal: &dyn Journal, payload: &'static str) -> u64 {
    journal
        .append(Bytes::from_static(payload.as_bytes()))
        .await
        .expect("is taken")
}

async fn records_are_numbered_from_one_and_read_back_in_order(journal: Arc<dyn Journal>) {
    for (expected, payload) in (1..).zip(["a", "", "ccc"]) {
        assert_eq!(put(&*journal, payload).await, expected);
    }
    let records = journal.read(0, usize::MAX).expect("reads");
    assert_eq!(seqs(&records), [1, 2, 3]);
    assert_eq!(
        records.iter().map(|record| &record.payload[..]).collect::<Vec<_>>(),
        [&b"a"[..], b"", b"ccc"]
    );
}

async fn an_append_that_resolved_is_seen_by_durable_and_read(journal: Arc<dyn Journal>) {
    let durable = journal.durable();
    assert_eq!(*durable.borrow(), 0);
    for _ in 0..100 {
        let seq = put(&*journal, "x").await;
        assert_eq!(*durable.borrow(), seq);
        assert_eq!(seqs(&journal.read(seq - 1, 1).expect("reads")), [seq]);
    }
}

async fn the_writer_is_woken_by_durable(journal: Arc<dyn Journal>) {
    let mut durable = journal.durable();
    let append = journal.append(Bytes::from_static(b"x"));
    assert_eq!(*durable.wait_for(|&seq| seq >= 1).await.expect("still open"), 1);
    assert_eq!(append.await, Ok(1));
}

async fn reading_stops_at_about_the_bytes_asked_for(journal: Arc<dyn Journal>) {
    for _ in 0..5 {
        put(&*journal, "0123456789").await;
    }
    assert_eq!(seqs(&journal.read(0, 20).expect("reads")), [1, 2]);
    assert_eq!(seqs(&journal.read(2, 21).expect("reads")), [3, 4, 5]);
    assert_eq!(seqs(&journal.read(1, 0).expect("reads")), [2], "at least one");
    assert!(journal.read(5, 100).expect("reads").is_empty());
    assert!(journal.read(u64::MAX, 100).expect("reads").is_empty());
}

async fn the_backlog_is_what_is_not_acknowledged(journal: Arc<dyn Journal>) {
    for _ in 0..10 {
        put(&*journal, "0123456789").await;
    }
    let full = journal.stats();
    assert_eq!((full.backlog_records, full.backlog_bytes), (10, 260));
    journal.ack(4);
    journal.ack(3);
    let stats = journal.stats();
    assert_eq!((stats.backlog_records, stats.acked_seq, stats.durable_seq), (6, 4, 10));
    journal.ack(u64::MAX);
    let empty = journal.stats();
    assert_eq!(
        (empty.backlog_records, empty.backlog_bytes, empty.acked_seq),
        (0, 0, 10)
    );
    assert_eq!(put(&*journal, "next").await, 11);
}

async fn a_full_journal_refuses_and_takes_again_after_acks(journal: Arc<dyn Journal>) {
    let payload = Bytes::from(vec![b'x'; 10_000]);
    let mut taken = 0;
    let refusal = loop {
        match journal.append(payload.clone()).await {
            Ok(seq) => taken = seq,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!(refusal, AppendError::Full);
    assert!((100..=BOUND / 10_016).contains(&taken), "{taken} records");
    assert_eq!(journal.read(0, usize::MAX).expect("reads").len() as u64, taken);
    journal.ack(taken);
    let mut next = Err(refusal);
    eventually("space is freed", || {
        next = block_on(journal.append(payload.clone()));
        next.is_ok()
    });
    assert_eq!(next, Ok(taken + 1), "a refused record takes no number");
}

async fn what_can_never_fit_is_too_large(journal: Arc<dyn Journal>) {
    let payload = Bytes::from(vec![0; 2 * 1024 * 1024]);
    assert_eq!(journal.append(payload).await, Err(AppendError::TooLarge));
    assert_eq!(put(&*journal, "x").await, 1);
}

async fn closing_commits_what_waits_and_refuses_the_rest(journal: Arc<dyn Journal>) {
    let appends: Vec<_> = (0..50).map(|_| journal.append(Bytes::from_static(b"x"))).collect();
    journal.close();
    journal.close();
    for (append, expected) in appends.into_iter().zip(1..) {
        assert_eq!(append.await, Ok(expected));
    }
    assert_eq!(journal.append(Bytes::new()).await, Err(AppendError::Closed));
    assert_eq!(journal.read(0, usize::MAX).expect("reads").len(), 50);
    journal.ack(50);
}

async fn dropping_the_future_does_not_take_the_record_back(journal: Arc<dyn Journal>) {
    drop(journal.append(Bytes::from_static(b"x")));
    let mut durable = journal.durable();
    durable.wait_for(|&seq| seq == 1).await.expect("still open");
    assert_eq!(seqs(&journal.read(0, 1).expect("reads")), [1]);
}

/// Waits on this thread: appends are answered by the journal's own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(outcome) => return outcome,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

macro_rules! contract {
    ($($rule:ident)*) => {
        contract!(@of memory $($rule)*);
        contract!(@of fake_disk $($rule)*);
        contract!(@of real_disk $($rule)*);
    };
    (@of $subject:ident $($rule:ident)*) => {
        mod $subject {
            $(
                #[test]
                fn $rule() {
                    let (journal, _dir) = super::$subject();
                    super::block_on(super::$rule(journal));
                }
            )*
        }
    };
}

contract! {
    records_are_numbered_from_one_and_read_back_in_order
    an_append_that_resolved_is_seen_by_durable_and_read
    the_writer_is_woken_by_durable
    reading_stops_at_about_the_bytes_asked_for
    the_backlog_is_what_is_not_acknowledged
    a_full_journal_refuses_and_takes_again_after_acks
    what_can_never_fit_is_too_large
    closing_commits_what_waits_and_refuses_the_rest
    dropping_the_future_does_not_take_the_record_back
}
