//! What `track` costs the thread that calls it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use trailmark_core::{Client, Durability, Properties};

use super::{micros, sample, table};
use crate::Outcome;
use crate::args::Sdk;

/// How often the bare file is synced where it is: as often as the client syncs its own.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The bound of the queue that is full: five times what is kept in memory of it.
const FULL: usize = 10_000;

/// How the calls follow each other.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// So many, back to back.
    Burst(usize),
    /// So many a second, for so long, by spinning: caches and the processor's clock stay warm.
    Spinning(usize, Duration),
    /// So many a second, for so long, asleep in between: as a calm app is.
    Asleep(usize, Duration),
}

impl Pace {
    fn calls(self) -> usize {
        match self {
            Self::Burst(calls) => calls,
            Self::Spinning(rate, length) | Self::Asleep(rate, length) => rate * length.as_secs() as usize,
        }
    }

    fn wait(self, began: Instant, call: usize) {
        let due = |rate: usize| began + Duration::from_secs_f64(call as f64 / rate as f64);
        match self {
            Self::Burst(_) => {}
            Self::Spinning(rate, _) => while Instant::now() < due(rate) {},
            Self::Asleep(rate, _) => std::thread::sleep(due(rate).saturating_duration_since(Instant::now())),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Burst(calls) => format!("{calls} back to back"),
            Self::Spinning(rate, length) => format!("{rate}/s for {} s", length.as_secs()),
            Self::Asleep(rate, length) => format!("{rate}/s for {} s, asleep in between", length.as_secs()),
        }
    }
}

/// Whose calls are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Write,
    WriteSynced,
    Directory,
    DirectoryUnsynced,
    Hooked,
    Full,
    Memory,
}

const SUBJECTS: [(Subject, &str); 7] = [
    (Subject::Directory, "**directory** (synced every second, the default)"),
    (Subject::DirectoryUnsynced, "directory, never synced"),
    (
        Subject::Hooked,
        "directory, 8 super-properties (5 of them the call's) and a hook",
    ),
    (Subject::Full, "directory, full: each call drops the oldest event"),
    (Subject::Memory, "memory"),
    (Subject::Write, "bare `write(2)` of the same bytes"),
    (Subject::WriteSynced, "… with `fdatasync` beside it every second"),
];

/// Times all of them at all paces and prints the table.
pub(super) fn measure(args: &Sdk, parent: &Path) -> Outcome<()> {
    let steady = Duration::from_secs(args.seconds);
    let paces = [
        Pace::Burst(50_000),
        Pace::Spinning(20_000, steady),
        Pace::Asleep(1_000, steady),
    ];
    let mut rows = Vec::new();
    for pace in paces {
        rows.extend(at(pace, args.rounds, parent)?);
    }
    let head = [
        "calls",
        "what",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "max µs",
        "p50 to write(2)",
        "p99 to write(2)",
    ];
    table("`track` with 5 properties, on the thread that calls", &head, &rows);
    Ok(())
}

fn at(pace: Pace, rounds: usize, parent: &Path) -> Outcome<Vec<Vec<String>>> {
    let mut times = vec![Vec::new(); SUBJECTS.len()];
    // One round of all after the other, so that a change of the machine's speed meets them all.
    for _ in 0..rounds {
        let mut records = Vec::new();
        for ((subject, _), times) in SUBJECTS.iter().zip(&mut times) {
            let dir = tempfile::Builder::new().prefix("trailmark-sdk-").tempdir_in(parent)?;
            times.extend(time(*subject, pace, &dir, &mut records)?);
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    let bare = SUBJECTS
        .iter()
        .position(|(subject, _)| *subject == Subject::Write)
        .unwrap_or_default();
    let reference = times[bare].clone();
    let row = |((_, name), times): (&(Subject, &str), &Vec<u32>)| {
        let mut row = vec![pace.name(), (*name).to_owned()];
        row.extend([0.5, 0.99, 0.999, 1.0].map(|share| micros(quantile(times, share))));
        row.extend([0.5, 0.99].map(|share| {
            format!(
                "{:.1}",
                f64::from(quantile(times, share)) / f64::from(quantile(&reference, share))
            )
        }));
        row
    };
    Ok(SUBJECTS.iter().zip(&times).map(row).collect())
}

fn time(subject: Subject, pace: Pace, dir: &TempDir, records: &mut Vec<Vec<u8>>) -> Outcome<Vec<u32>> {
    match subject {
        Subject::Write | Subject::WriteSynced => {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(dir.path().join("bare"))?;
            let syncing = (subject == Subject::WriteSynced)
                .then(|| Syncing::start(file.try_clone()?))
                .transpose()?;
            let times = timed(pace, |n| file.write_all(&records[n % records.len()]));
            drop(syncing);
            Ok(times)
        }
        _ => {
            let client = client(subject, dir.path())?;
            sample::go_offline(&client)?;
            let queued = if subject == Subject::Full {
                FULL
            } else {
                1 + pace.calls()
            };
            if subject == Subject::Full {
                (1..FULL).for_each(|n| sample::track(&client, n));
            }
            let times = timed(pace, |n| sample::track(&client, n));
            let stats = client.stats();
            if stats.attempts != 1 || stats.queued != queued as u64 {
                return Err(format!("not what was to be measured: {stats:?}").into());
            }
            drop(client);
            if subject == Subject::Directory {
                *records = read_records(dir.path())?;
            }
            Ok(times)
        }
    }
}

fn client(subject: Subject, dir: &Path) -> Outcome<Client> {
    let builder = match subject {
        Subject::Memory => sample::offline(None),
        Subject::DirectoryUnsynced => sample::offline(Some(dir)).durability(Durability::Process),
        Subject::Full => sample::offline(Some(dir)).max_queue_events(FULL),
        Subject::Hooked => sample::offline(Some(dir)).before_send(|mut draft| {
            draft.properties.insert("build", "nightly");
            Some(draft)
        }),
        _ => sample::offline(Some(dir)),
    };
    let client = builder.build()?;
    if subject == Subject::Hooked {
        client.register(sample::properties(0).with("plan", "pro"));
        client.register(Properties::new().with("theme", "dark").with("cohort", 7));
    }
    Ok(client)
}

/// Nanoseconds of each call.
fn timed<T>(pace: Pace, mut call: impl FnMut(usize) -> T) -> Vec<u32> {
    let mut times = vec![1; pace.calls()];
    let began = Instant::now();
    for (n, time) in times.iter_mut().enumerate() {
        pace.wait(began, n);
        let before = Instant::now();
        let result = call(n);
        *time = u32::try_from(before.elapsed().as_nanos()).unwrap_or(u32::MAX);
        drop(result);
    }
    times
}

/// The value below which this share of `sorted` lies: the nearest rank.
pub(super) fn quantile(sorted: &[u32], share: f64) -> u32 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The records that a client has appended, one for each `write`: "TM", the payload's length, its checksum, the payload.
fn read_records(dir: &Path) -> Outcome<Vec<Vec<u8>>> {
    let mut files: Vec<_> = std::fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut records = Vec::new();
    for file in files {
        let bytes = std::fs::read(file)?;
        let mut rest = bytes.as_slice();
        while let Some(length) = rest.get(2..6) {
            let length = u32::from_le_bytes(length.try_into()?) as usize;
            let (record, behind) = rest.split_at_checked(10 + length).ok_or("a torn record")?;
            records.push(record.to_vec());
            rest = behind;
        }
    }
    Ok(records)
}

/// Syncs a file again and again, on a thread of its own, until it is dropped.
struct Syncing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncing {
    fn start(file: File) -> std::io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().spawn(move || {
            while stopped.recv_timeout(SYNC_EVERY) == Err(RecvTimeoutError::Timeout) {
                let _ = file.sync_data();
            }
        })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
