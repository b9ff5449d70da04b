//! Real files, real threads.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::OpenError;
use super::*;

const APPENDERS: usize = 16;
const EACH: usize = 500;

/// Reads and acknowledges until all records came; their payloads.
fn drain(journal: &LocalJournal, total: usize) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    let mut cursor = 0;
    eventually("all records", || {
        let records = journal.read(cursor, 64 * 1024).expect("reads");
        assert_eq!(
            seqs(&records),
            (cursor + 1..=cursor + records.len() as u64).collect::<Vec<_>>()
        );
        cursor += records.len() as u64;
        journal.ack(cursor);
        payloads.extend(records.into_iter().map(|record| record.payload));
        payloads.len() >= total
    });
    payloads
}

async fn append_each(journal: Arc<LocalJournal>, appender: usize) -> Vec<Seq> {
    let mut given = Vec::new();
    for i in 0..EACH {
        let payload = Bytes::from(format!("{appender}/{i}/{}", "x".repeat(i)));
        given.push(loop {
            match journal.append(payload.clone()).await {
                Ok(seq) => break seq,
                Err(AppendError::Full) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        });
    }
    given
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_appenders_and_a_reader_lose_and_repeat_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (journal, _) = LocalJournal::open(dir.path(), &roomy()).expect("opens");
    let journal = Arc::new(journal);
    let reader = tokio::task::spawn_blocking({
        let journal = Arc::clone(&journal);
        move || drain(&journal, APPENDERS * EACH)
    });
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|i| tokio::spawn(append_each(Arc::clone(&journal), i)))
        .collect();
    let mut given = Vec::new();
    for appender in appenders {
        let own = appender.await.expect("appends");
        assert!(own.is_sorted(), "one appender's records keep their order");
        given.extend(own);
    }
    given.sort_unstable();
    assert_eq!(given, (1..=(APPENDERS * EACH) as u64).collect::<Vec<_>>());

    let mut payloads = reader.await.expect("reads");
    payloads.sort_unstable();
    payloads.dedup();
    assert_eq!(payloads.len(), APPENDERS * EACH);
    let stats = journal.stats();
    assert!(stats.groups < stats.durable_seq, "appends share commits: {stats:?}");
    eventually("what was acknowledged is deleted", || journal.stats().segments == 1);
}

#[test]
fn records_survive_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("journal");
    let (journal, first) = LocalJournal::open(&path, &roomy()).expect("opens");
    let appends: Vec<_> = (0..100).map(|_| journal.append(vec![1; 5_000].into())).collect();
    journal.close();
    let taken = appends
        .into_iter()
        .filter_map(|mut append| answer(&mut append)?.ok())
        .max()
        .expect("some fit");
    drop(journal);
    let (journal, second) = LocalJournal::open(&path, &roomy()).expect("opens again");
    assert_eq!((second.last_seq, second.records, second.cut_bytes), (taken, taken, 0));
    assert_eq!(second.id, first.id);
    assert_eq!(read_all(&journal, 0).len() as u64, taken);
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("00000000000000000001.log")), 0o600);
}

#[test]
fn a_directory_held_by_another_process_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let lock = dir.path().join("lock");
    let mut holder = Command::new("flock")
        .arg(&lock)
        .args(["sh", "-c", "echo held; read _"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("flock of util-linux runs");
    let mut word = [0; 4];
    std::io::Read::read_exact(holder.stdout.as_mut().expect("piped"), &mut word).expect("is held");
    let refused = LocalJournal::open(dir.path(), &small());
    assert!(matches!(refused, Err(OpenError::Locked)));
    drop(holder.stdin.take());
    holder.wait().expect("ends");
    LocalJournal::open(dir.path(), &small()).expect("opens once it is free");
}

#[test]
fn an_append_never_waits_for_a_reader_that_holds_its_records() {
    let dir = tempfile::tempdir().expect("a directory");
    let (journal, _) = LocalJournal::open(dir.path(), &roomy()).expect("opens");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let held = read_all(&journal, 0);
                assert!(held.iter().all(|record| record.payload.len() == 100));
            }
        });
        for _ in 0..200 {
            let mut append = journal.append(vec![0; 100].into());
            eventually("durable", || answer(&mut append).is_some());
        }
        done.store(true, Ordering::Relaxed);
    });
}
