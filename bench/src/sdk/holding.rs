//! What a full queue costs: memory, and the time of the next start. Each figure is of a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::{sample, table};
use crate::args::Sdk;
use crate::report::{median, mib};
use crate::{Outcome, process};

/// Measures and prints both tables.
pub(super) fn measure(args: &Sdk, parent: &Path) -> Outcome<()> {
    let dir = tempfile::Builder::new().prefix("trailmark-sdk-").tempdir_in(parent)?;
    let full = dir.path().join("full");
    let rows = [("directory", Some(full.as_path())), ("memory", None)].map(|(name, dir)| {
        let [before, after, bytes] = ask(dir, args.queued)?;
        let held = after - before;
        Ok(vec![name.to_owned(), mib(before), mib(after), mib(held), mib(bytes)])
    });
    let rows = rows.into_iter().collect::<Outcome<Vec<_>>>()?;
    let head = ["queue", "RSS MiB before", "RSS MiB full", "more", "JSON queued, MiB"];
    table(&format!("Memory with {} events queued", args.queued), &head, &rows);
    let opened = |prepare: fn(&Path) -> Outcome<()>| -> Outcome<Vec<[u64; 3]>> {
        let times = 0..args.opens;
        times
            .map(|_| prepare(&full).and_then(|()| ask(Some(&full), 0)))
            .collect()
    };
    let rows = [
        opening("in the system's cache", &opened(|_| Ok(()))?),
        opening("on the disk alone", &opened(forget)?),
    ];
    let head = [
        "where the files are",
        "times",
        "median ms",
        "slowest ms",
        "RSS MiB before",
        "RSS MiB after",
    ];
    table(
        &format!("Opening a directory with {} events queued", args.queued),
        &head,
        &rows,
    );
    Ok(())
}

/// Writes the files of a folder to the disk and lets the system forget them, as after a restart of the machine.
fn forget(dir: &Path) -> Outcome<()> {
    for entry in std::fs::read_dir(dir)? {
        let file = std::fs::File::open(entry?.path())?;
        file.sync_all()?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

fn opening(whence: &str, opened: &[[u64; 3]]) -> Vec<String> {
    let times: Vec<f64> = opened.iter().map(|[_, _, micros]| *micros as f64 / 1e3).collect();
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let [before, after, _] = opened.first().copied().unwrap_or_default();
    vec![
        whence.to_owned(),
        opened.len().to_string(),
        format!("{:.1}", median(times)),
        format!("{slowest:.1}"),
        mib(before),
        mib(after),
    ]
}

/// Runs [`hold`] in a process of its own.
fn ask(dir: Option<&Path>, events: usize) -> Outcome<[u64; 3]> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["sdk-hold", "--events", &events.to_string()]);
    if let Some(dir) = dir {
        command.arg("--dir").arg(dir);
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    let numbers = String::from_utf8(output.stdout)?;
    let numbers: Result<Vec<u64>, _> = numbers.split_whitespace().map(str::parse).collect();
    numbers?
        .try_into()
        .map_err(|_| format!("sdk-hold: {}", output.status).into())
}

/// Opens a client, fills its queue with `events`, and prints the resident bytes before and after and the queue's bytes.
/// With no events: the bytes before and after opening, and how many microseconds that took.
///
/// # Errors
/// The client's.
pub fn hold(dir: Option<&PathBuf>, events: usize) -> Outcome<()> {
    let rss = || process::memory(std::process::id()).map(|(now, _)| now);
    if events == 0 {
        let (before, began) = (rss()?, Instant::now());
        let client = sample::offline(dir.map(PathBuf::as_path)).build()?;
        let took = began.elapsed();
        println!("{before} {} {}", rss()?, took.as_micros());
        drop(client);
        return Ok(());
    }
    let client = sample::offline(dir.map(PathBuf::as_path)).build()?;
    sample::go_offline(&client)?;
    let before = rss()?;
    (1..events).for_each(|n| sample::track(&client, n));
    let stats = client.stats();
    if stats.queued != events as u64 {
        return Err(format!("not {events} queued: {stats:?}").into());
    }
    println!("{before} {} {}", rss()?, stats.queued_bytes);
    Ok(())
}
