//! Synced bytes that are not what was written.

use super::super::record::{self, Header, encode_header};
use super::super::{Disk, OpenError};
use super::*;

const FIRST: &str = "00000000000000000001.log";

/// A journal of 16 records of 20,000 bytes in segments of three.
fn many_segments(disk: &FakeDisk) -> LocalJournal {
    let (journal, _) = stepped(disk, &roomy());
    for _ in 0..16 {
        put(&journal, vec![0; 20_000]).expect("is taken");
    }
    journal
}

#[test]
fn a_damaged_older_segment_is_kept_and_the_rest_is_served() {
    let disk = FakeDisk::new();
    drop(many_segments(&disk));
    disk.damage("00000000000000000004.log", 30_000, b"rot");
    let (journal, recovery) = stepped(&disk, &roomy());
    assert!(
        recovery.quarantined.is_empty(),
        "older segments are verified when they are read"
    );
    for _ in 0..2 {
        assert_eq!(
            seqs(&read_all(&journal, 0)),
            [1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
        );
        assert_eq!(
            (journal.stats().quarantined_segments, journal.stats().lost_records),
            (1, 2)
        );
    }
    journal.ack(16);
    journal.step();
    assert!(disk.contents("00000000000000000004.log").is_none());
    assert!(
        disk.contents("00000000000000000004.log.corrupt").is_some(),
        "the evidence outlives the acknowledgement"
    );
    drop(journal);
    let (_, recovery) = stepped(&disk, &roomy());
    assert_eq!(recovery.quarantined, ["00000000000000000004.log.corrupt"]);
}

#[test]
fn a_missing_segment_is_a_gap() {
    let disk = FakeDisk::new();
    drop(many_segments(&disk));
    disk.remove("00000000000000000007.log").expect("removes");
    let (journal, _) = stepped(&disk, &roomy());
    assert_eq!(
        seqs(&read_all(&journal, 0)),
        [1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16]
    );
    assert_eq!(journal.stats().lost_records, 3);
}

#[test]
fn damage_in_a_running_segment_is_skipped_to_the_next_known_record() {
    let disk = FakeDisk::new();
    let options = JournalOptions {
        max_bytes: 4 * KIB * KIB,
        segment_bytes: KIB * KIB,
        ..small()
    };
    let (journal, _) = stepped(&disk, &options);
    for _ in 0..10 {
        put(&journal, vec![0; 70_000]).expect("is taken");
    }
    disk.damage(FIRST, 48 + 3 * 70_016 + 5_000, b"rot");
    assert_eq!(seqs(&read_all(&journal, 0)), [1, 2, 3, 5, 6, 7, 8, 9, 10]);
    assert_eq!(journal.stats().lost_records, 1);
}

/// A last segment of 4 MiB with three MiB of records, damaged near its start.
fn damaged_last() -> (FakeDisk, JournalOptions) {
    let disk = FakeDisk::new();
    let options = JournalOptions {
        max_bytes: 16 * KIB * KIB,
        segment_bytes: 4 * KIB * KIB,
        ..small()
    };
    let (journal, _) = stepped(&disk, &options);
    for _ in 0..30 {
        put(&journal, vec![0; 100_000]).expect("is taken");
    }
    drop(journal);
    disk.damage(FIRST, 48 + 2 * 100_016 + 500, b"rot");
    (disk, options)
}

#[test]
fn damage_before_synced_records_is_not_taken_for_a_torn_tail() {
    let (disk, options) = damaged_last();
    let (journal, recovery) = stepped(&disk, &options);
    assert_eq!((recovery.last_seq, recovery.cut_bytes), (2, 0));
    assert_eq!(recovery.quarantined, [format!("{FIRST}.corrupt")]);
    assert!(
        disk.contents(FIRST).is_some_and(|bytes| bytes.len() == 4 * 1024 * 1024),
        "nothing was cut"
    );

    let next = put(&journal, "new").expect("is taken");
    assert!(
        next > 30,
        "no number that the damaged part may hold is used again: {next}"
    );
    assert_eq!(seqs(&read_all(&journal, 0)), [1, 2, next]);
    assert_eq!(journal.stats().quarantined_segments, 1);
    drop(journal);
    let (journal, again) = stepped(&disk, &options);
    assert_eq!((again.last_seq, again.quarantined.len()), (next, 1));
    assert_eq!(seqs(&read_all(&journal, 2)), [next]);
    assert_eq!(journal.stats().quarantined_segments, 1);
}

#[test]
fn a_record_forged_inside_a_payload_never_appears() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    let mut forged = Vec::new();
    record::encode(&mut forged, 2, b"forged");
    record::encode(&mut forged, 3, b"forged");
    assert_eq!(put(&journal, forged), Ok(1));
    assert_eq!(put(&journal, "honest"), Ok(2));
    drop(journal);
    disk.damage(FIRST, 48, b"rot");
    let (journal, _) = stepped(&disk, &small());
    assert!(read_all(&journal, 0).is_empty());
}

#[test]
fn a_broken_header_does_not_cost_the_records() {
    let disk = FakeDisk::new();
    drop(many_segments(&disk));
    for name in ["00000000000000000004.log", "00000000000000000016.log"] {
        disk.damage(name, 3, b"rot");
    }
    let (journal, recovery) = stepped(&disk, &roomy());
    assert_eq!((recovery.id, recovery.last_seq), (roomy().new_id, 16));
    assert_eq!(seqs(&read_all(&journal, 0)), (1..=16).collect::<Vec<_>>());
}

#[test]
fn a_segment_of_another_journal_is_set_aside() {
    let disk = FakeDisk::new();
    drop(many_segments(&disk));
    let stranger = encode_header(Header {
        first: 4,
        journal: Uuid::from_u128(8),
    });
    disk.damage("00000000000000000004.log", 0, &stranger);
    let (journal, recovery) = stepped(&disk, &roomy());
    assert_eq!(recovery.quarantined, ["00000000000000000004.log.corrupt"]);
    assert_eq!(seqs(&read_all(&journal, 3)), (7..=16).collect::<Vec<_>>());
}

#[test]
fn a_journal_of_a_later_version_is_left_alone() {
    let disk = FakeDisk::new();
    drop(many_segments(&disk));
    let mut later = encode_header(Header {
        first: 1,
        journal: roomy().new_id,
    });
    later[6..8].copy_from_slice(b"99");
    let crc = crc32c::crc32c(&later[..44]).to_le_bytes();
    later[44..].copy_from_slice(&crc);
    disk.damage(FIRST, 0, &later);
    let before = disk.list().expect("lists");
    let opened = LocalJournal::open_stepped(Arc::new(disk.clone()), &roomy());
    assert!(matches!(opened, Err(OpenError::Format(name)) if name == FIRST));
    assert_eq!(disk.list().expect("lists"), before);
}

#[test]
fn a_journal_started_from_nothing_has_a_new_identity() {
    let id = |disk: &FakeDisk| {
        LocalJournal::open_stepped(Arc::new(disk.clone()), &JournalOptions::default())
            .expect("opens")
            .1
            .id
    };
    let disk = FakeDisk::new();
    let first = id(&disk);
    assert_eq!(id(&disk), first);
    assert_ne!(id(&FakeDisk::new()), first);
}
