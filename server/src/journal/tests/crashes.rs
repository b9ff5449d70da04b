//! Whatever was acknowledged before a crash is read back, in order, exactly once, and nothing else appears.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Something that happens to a journal.
#[derive(Debug, Clone)]
enum Happening {
    /// A record of this many bytes is appended, not yet committed.
    Append(usize),
    /// The journal gets to work.
    Step,
    /// The writer stores up to this many bytes, and acknowledges them if told to.
    Store(usize, bool),
    /// The power goes off in the middle of the change after this many.
    CutPower(u64),
    /// The machine is switched off and on; the number decides what survives.
    Crash(u64),
    /// The server is stopped and started in good order.
    Restart,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let size = prop_oneof![4 => 0usize..600, 2 => 0usize..20_000, 1 => 30_000usize..60_000];
    let one = prop_oneof![
        12 => size.prop_map(Happening::Append),
        8 => Just(Happening::Step),
        3 => (1usize..100_000, any::<bool>()).prop_map(|(bytes, ack)| Happening::Store(bytes, ack)),
        1 => (0u64..30).prop_map(Happening::CutPower),
        2 => any::<u64>().prop_map(Happening::Crash),
        1 => Just(Happening::Restart),
    ];
    prop::collection::vec(one, 1..120)
}

/// The journal, and all that the world outside has seen of it.
struct World {
    disk: FakeDisk,
    journal: LocalJournal,
    waiting: Vec<(Append, Bytes)>,
    sent: BTreeSet<Bytes>,
    acknowledged: BTreeMap<Seq, Bytes>,
    /// Everything in the store, by the record it came with; the last one is the cursor.
    stored: BTreeMap<Seq, Bytes>,
}

impl World {
    fn new() -> Self {
        let disk = FakeDisk::new();
        let journal = stepped(&disk, &roomy()).0;
        let (acknowledged, stored) = (BTreeMap::new(), BTreeMap::new());
        Self {
            disk,
            journal,
            waiting: Vec::new(),
            sent: BTreeSet::new(),
            acknowledged,
            stored,
        }
    }

    fn live(&mut self, happening: &Happening) {
        match happening {
            Happening::Append(bytes) => self.append(*bytes),
            Happening::Step => {
                self.journal.step();
            }
            Happening::Store(bytes, ack) => self.store(*bytes, *ack),
            Happening::CutPower(changes) => self.disk.cut_power_after(*changes),
            Happening::Crash(seed) => self.crash(*seed),
            Happening::Restart => self.restart(),
        }
        self.hear_answers();
    }

    fn append(&mut self, bytes: usize) {
        let mut payload = self.sent.len().to_be_bytes().to_vec();
        payload.resize(payload.len() + bytes, b'x');
        let payload = Bytes::from(payload);
        self.sent.insert(payload.clone());
        self.waiting.push((self.journal.append(payload.clone()), payload));
    }

    fn hear_answers(&mut self) {
        for (mut append, payload) in std::mem::take(&mut self.waiting) {
            match answer(&mut append) {
                None => self.waiting.push((append, payload)),
                Some(Err(_)) => {}
                Some(Ok(seq)) => {
                    let taken = self.acknowledged.insert(seq, payload.clone());
                    assert_eq!(taken, None, "number {seq} was given twice");
                    let stored = self.stored.get(&seq);
                    assert!(
                        stored.is_none_or(|stored| *stored == payload),
                        "number {seq} was used before"
                    );
                }
            }
        }
    }

    fn cursor(&self) -> Seq {
        self.stored.last_key_value().map_or(0, |(&seq, _)| seq)
    }

    fn store(&mut self, bytes: usize, ack: bool) {
        // With the power off nothing can be read.
        let Ok(records) = self.journal.read(self.cursor(), bytes) else {
            return;
        };
        for record in records {
            let before = self.cursor();
            assert!(record.seq > before, "{} after {before}", record.seq);
            assert!(
                self.sent.contains(&record.payload),
                "record {} was never sent",
                record.seq
            );
            self.stored.insert(record.seq, record.payload);
            self.check_nothing_skipped(before);
        }
        if ack {
            self.journal.ack(self.cursor());
        }
    }

    fn check_nothing_skipped(&self, before: Seq) {
        for (seq, payload) in self.acknowledged.range(before + 1..=self.cursor()) {
            assert_eq!(
                self.stored.get(seq),
                Some(payload),
                "record {seq} is missing or another"
            );
        }
    }

    fn crash(&mut self, seed: u64) {
        self.hear_answers();
        self.disk = self.disk.crash(seed);
        self.waiting.clear();
        self.journal = stepped(&self.disk, &roomy()).0;
        self.journal.ack(self.cursor());
    }

    fn restart(&mut self) {
        self.journal.close();
        self.hear_answers();
        // After a power cut only a crash helps.
        if let Ok((journal, _)) = LocalJournal::open_stepped(Arc::new(self.disk.clone()), &roomy()) {
            self.journal = journal;
        }
    }

    fn check_all_is_there(&mut self, seed: u64) {
        self.crash(seed);
        self.store(usize::MAX, true);
        let missing: Vec<_> = self
            .acknowledged
            .keys()
            .filter(|seq| !self.stored.contains_key(seq))
            .collect();
        assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
        let distinct: BTreeSet<_> = self.stored.values().collect();
        assert_eq!(distinct.len(), self.stored.len(), "something was stored twice");
        assert_eq!(
            self.journal.stats().quarantined_segments,
            0,
            "a torn tail was taken for damage"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_was_acknowledged_survives_any_crash_in_order_exactly_once(story in happenings(), seed: u64) {
        let mut world = World::new();
        story.iter().for_each(|happening| world.live(happening));
        world.check_all_is_there(seed);
    }

    #[test]
    fn a_crash_while_opening_loses_nothing(
        sizes in prop::collection::vec(0usize..20_000, 1..30), first: u64, cut in 0u64..12, second: u64,
    ) {
        let mut world = World::new();
        for size in sizes {
            world.append(size);
            world.journal.step();
            world.hear_answers();
        }
        world.append(5_000);
        world.disk.cut_power_after(1);
        world.journal.step();
        world.disk = world.disk.crash(first);
        world.disk.cut_power_after(cut);
        drop(LocalJournal::open_stepped(Arc::new(world.disk.clone()), &roomy()));
        world.check_all_is_there(second);
    }
}

#[test]
fn a_torn_tail_is_cut_and_complete_records_stay() {
    let disk = FakeDisk::new();
    let (journal, _) = stepped(&disk, &small());
    assert_eq!(put(&journal, "kept"), Ok(1));
    // The start of a second record, whose end never reached the disk.
    let torn = [b"\xff\xff\0\0junk".as_slice(), &[7; 900]].concat();
    disk.damage("00000000000000000001.log", 48 + 16 + 4, &torn);
    let disk = disk.crash(0);
    let (journal, recovery) = stepped(&disk, &small());
    assert_eq!((recovery.records, recovery.last_seq), (1, 1));
    assert_eq!(recovery.cut_bytes, torn.len() as u64);
    assert!(recovery.quarantined.is_empty());
    assert_eq!(put(&journal, "next"), Ok(2));
    assert_eq!(seqs(&read_all(&journal, 0)), [1, 2]);
    let (_, again) = stepped(&disk.crash(1), &small());
    assert_eq!((again.records, again.cut_bytes), (2, 0));
}

#[test]
fn numbers_go_on_when_all_was_acknowledged_and_deleted() {
    let disk = FakeDisk::new();
    let (journal, first) = stepped(&disk, &small());
    for _ in 0..20 {
        put(&journal, vec![0; 10_000]).expect("is taken");
        journal.ack(u64::MAX);
        journal.step();
    }
    assert_eq!(journal.stats().backlog_records, 0);
    drop(journal);
    let (journal, second) = stepped(&disk, &small());
    assert_eq!((second.last_seq, second.id), (20, first.id));
    assert_eq!(put(&journal, "x"), Ok(21));
}
