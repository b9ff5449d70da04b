//! A disk that fails, and a disk that is full.

use std::io::ErrorKind;

use super::super::fake_disk::Operation;
use super::super::{Disk, OpenError};
use super::*;

fn poisoned_by(operation: Operation) {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    assert_eq!(put(&journal, "before"), Ok(1));
    let (mut a, mut b) = (journal.append("a".into()), journal.append("b".into()));
    disk.fail(operation, Some(ErrorKind::Other));
    journal.step();
    assert_eq!(answer(&mut a), Some(Err(AppendError::Poisoned)));
    assert_eq!(answer(&mut b), Some(Err(AppendError::Poisoned)));

    disk.fail(operation, None);
    let syncs = disk.count(Operation::Sync);
    assert_eq!(put(&journal, "later"), Err(AppendError::Poisoned), "never retried");
    journal.ack(1);
    journal.step();
    journal.close();
    assert_eq!(disk.count(Operation::Sync), syncs);
    assert!(journal.stats().poisoned.is_some());
    assert_eq!(seqs(&read_all(&journal, 0)), [1], "what was durable can be read");
}

#[test]
fn a_failed_sync_poisons_for_good() {
    poisoned_by(Operation::Sync);
}

#[test]
fn a_failed_write_poisons_for_good() {
    poisoned_by(Operation::Write);
}

#[test]
fn a_failed_sync_also_answers_those_who_wait_on_threads() {
    let disk = FakeDisk::new();
    let (journal, _) = LocalJournal::open_on(Arc::new(disk.clone()), &small()).expect("opens");
    disk.fail(Operation::Sync, Some(ErrorKind::Other));
    let mut appends: Vec<_> = (0..100).map(|_| journal.append("x".into())).collect();
    for append in &mut appends {
        let mut outcome = None;
        eventually("an answer", || {
            outcome = answer(append);
            outcome.is_some()
        });
        assert_eq!(outcome, Some(Err(AppendError::Poisoned)));
    }
}

#[test]
fn after_a_failed_sync_and_a_restart_the_cache_is_not_believed() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    assert_eq!(put(&journal, "synced"), Ok(1));
    disk.fail(Operation::Sync, Some(ErrorKind::Other));
    assert_eq!(put(&journal, "in the cache only"), Err(AppendError::Poisoned));
    disk.fail(Operation::Sync, None);
    drop(journal);

    let (journal, recovery) = stepped(&disk, &small());
    assert_eq!(recovery.last_seq, 1);
    assert_eq!(put(&journal, "new"), Ok(2));
    let disk = disk.crash(1);
    let (journal, _) = stepped(&disk, &small());
    assert_eq!(read_all(&journal, 0)[1].payload, "new");
}

#[test]
fn a_group_is_one_write_and_one_sync() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    journal.step();
    let before = (disk.count(Operation::Write), disk.count(Operation::Sync));
    let mut appends: Vec<_> = (0..100)
        .map(|i| journal.append(Bytes::from(format!("record {i}"))))
        .collect();
    assert!(!journal.step(), "all in one group");
    assert_eq!(
        (disk.count(Operation::Write), disk.count(Operation::Sync)),
        (before.0 + 1, before.1 + 1)
    );
    assert!(
        appends
            .iter_mut()
            .zip(1..)
            .all(|(append, seq)| answer(append) == Some(Ok(seq)))
    );
    assert_eq!(journal.stats().groups, 1);
}

#[test]
fn at_the_disk_bound_appends_are_refused_until_segments_are_freed() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    let (taken, refusal) = fill(&journal, 10_000);
    // Four segments, each with room for six records of 10,016 bytes.
    assert_eq!((taken, refusal), (24, AppendError::Full));
    let stats = journal.stats();
    assert_eq!((stats.segments, stats.disk_bytes), (4, small().max_bytes));
    assert!(stats.blocked.is_some());
    assert_eq!(put(&journal, "small"), Ok(25), "what still fits is taken");

    journal.ack(6);
    assert_eq!(put(&journal, vec![0; 10_000]), Ok(26));
    assert_eq!(seqs(&read_all(&journal, 6)), (7..=26).collect::<Vec<_>>());
    assert_eq!(fill(&journal, 10_000), (5, AppendError::Full));
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let disk = FakeDisk::new();
    disk.limit_space(Some(130 * KIB));
    let (journal, _) = stepped(&disk, &small());
    assert_eq!(fill(&journal, 10_000), (12, AppendError::Full));
    assert!(journal.stats().poisoned.is_none());
    disk.limit_space(None);
    assert_eq!(put(&journal, vec![0; 10_000]), Ok(13));
}

#[test]
fn a_disk_that_is_full_when_opening_still_serves_what_it_has() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    assert_eq!(put(&journal, "x"), Ok(1));
    disk.damage("00000000000000000001.log", 1000, b"torn");
    let disk = disk.crash(0);
    disk.limit_space(Some(0));
    let (journal, recovery) = stepped(&disk, &small());
    assert_eq!((recovery.last_seq, recovery.cut_bytes > 0), (1, true));
    assert_eq!(put(&journal, "no room"), Err(AppendError::Full));
    assert_eq!(seqs(&read_all(&journal, 0)), [1]);
    disk.limit_space(None);
    assert_eq!(put(&journal, "room"), Ok(2));
}

#[test]
fn memory_is_bounded_when_the_disk_does_not_keep_up() {
    let (journal, _) = stepped(&FakeDisk::new(), &small());
    let mut appends: Vec<_> = (0..20).map(|_| journal.append(vec![0; 10_000].into())).collect();
    let refused = appends.iter_mut().filter_map(answer).collect::<Vec<_>>();
    // 128 KiB hold 13 records of 10,016 bytes.
    assert_eq!(refused, [Err(AppendError::Full); 7]);
    while journal.step() {}
    assert!(
        appends[..13]
            .iter_mut()
            .all(|append| answer(append).is_some_and(|outcome| outcome.is_ok()))
    );
    assert!(put(&journal, "again").is_ok(), "memory was given back");
}

#[test]
fn acknowledged_segments_are_deleted_and_the_last_one_stays() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &roomy());
    for _ in 0..60 {
        put(&journal, vec![0; 10_000]).expect("is taken");
    }
    assert_eq!(journal.stats().segments, 10);
    let logs = |disk: &FakeDisk| {
        disk.list()
            .expect("lists")
            .iter()
            .filter(|name| name.ends_with(".log"))
            .count()
    };
    journal.ack(11);
    journal.step();
    assert_eq!((logs(&disk), journal.stats().segments), (9, 9), "only whole segments");
    journal.ack(60);
    journal.step();
    assert_eq!((logs(&disk), journal.stats().segments), (1, 1));
    assert_eq!(put(&journal, "x"), Ok(61));
}

#[test]
fn a_backlog_of_many_segments_is_read_in_order_by_a_slow_reader() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &roomy());
    let (taken, _) = fill(&journal, 3_000);
    let (mut cursor, mut calls) = (0, 0);
    let began = disk.count(Operation::Read);
    loop {
        let records = journal.read(cursor, 20_000).expect("reads");
        let Some(last) = records.last() else { break };
        assert_eq!(seqs(&records), (cursor + 1..=last.seq).collect::<Vec<_>>());
        cursor = last.seq;
        calls += 1;
    }
    assert_eq!(cursor, taken);
    assert!(
        disk.count(Operation::Read) - began <= calls * 3,
        "a call reads a window or two, not a whole segment"
    );
}

#[test]
fn two_journals_never_share_a_directory() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    let second = LocalJournal::open_stepped(Arc::new(disk.clone()), &small());
    assert!(matches!(second, Err(OpenError::Locked)));
    journal.close();
    stepped(&disk, &small());
}

#[test]
fn a_bound_too_small_to_work_is_refused() {
    let options = JournalOptions {
        max_bytes: 100 * KIB,
        ..small()
    };
    let opened = LocalJournal::open_stepped(Arc::new(FakeDisk::new()), &options);
    assert!(matches!(opened, Err(OpenError::TooSmall { .. })));
}
