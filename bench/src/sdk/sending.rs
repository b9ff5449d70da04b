//! One client against a real server with its own Postgres.

use std::time::{Duration, Instant};

use trailmark_core::{Client, Stats};

use super::track::quantile;
use super::{micros, sample, table};
use crate::Outcome;
use crate::admin::wait_until_drained;
use crate::args::{Run, Sdk};
use crate::connection::Connection;
use crate::plan::{Bench, start};
use crate::process::Cpu;
use crate::report::{mib, per_event, thousands};

/// The client is not handed more than this before it has sent some: no event is dropped because the queue is full.
const QUEUED: usize = 20_000;

/// How many calls between two looks at the queue.
const STRIDE: usize = 500;

/// What the last of it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one run gave.
struct Sent {
    events: usize,
    /// From the first call until all were delivered.
    took: Duration,
    /// … and until all of it was stored.
    stored: Duration,
    cpu: Cpu,
    stats: Stats,
    loopback: u64,
    calls: Vec<u32>,
}

/// Sends from memory and from a directory and prints the table.
pub(super) async fn measure(args: &Sdk) -> Outcome<()> {
    let run = Run {
        server: args.server.clone(),
        dir: args.dir.clone(),
        ..Run::default()
    };
    let bench = start(&run).await?;
    let length = Duration::from_secs(args.sending);
    let mut rows = Vec::new();
    for (name, durable, rate) in [
        ("directory, as fast as it goes", true, None),
        ("memory, as fast as it goes", false, None),
        ("directory, 10,000/s", true, Some(10_000)),
    ] {
        let sent = send(&bench, durable, rate, length).await?;
        rows.push(row(name, &sent));
        bench.admin.empty().await?;
    }
    let head = [
        "queue and load",
        "events",
        "delivered/s",
        "stored/s",
        "requests",
        "events each",
        "MiB sent",
        "bytes/event",
        "CPU µs/event: client",
        "server",
        "Postgres",
        "track p50 µs",
        "p99 µs",
        "p99.9 µs",
        "max µs",
    ];
    table("One client to a local server, until all is stored", &head, &rows);
    Ok(())
}

async fn send(bench: &Bench, durable: bool, rate: Option<usize>, length: Duration) -> Outcome<Sent> {
    let dir = tempfile::Builder::new()
        .prefix("trailmark-sdk-")
        .tempdir_in(bench.dir.path())?;
    let builder = sample::builder(&format!("http://{}", bench.server.address), &bench.admin.write_key);
    let builder = if durable {
        builder.directory(dir.path())
    } else {
        builder
    };
    let client = builder.build()?;
    let (cpu, loopback, began) = (bench.watched.cpu()?, loopback_bytes()?, Instant::now());
    // On a thread of its own, as an app is: this one must not hold up the client's.
    let (client, calls) = std::thread::spawn(move || {
        let calls = feed(&client, rate, began, length);
        (client, calls)
    })
    .join()
    .map_err(|_| "the app panicked")?;
    let _ = client.flush_blocking(PATIENCE);
    let (took, stats) = (began.elapsed(), client.stats());
    let loopback = loopback_bytes()? - loopback;
    wait_until_drained(&mut Connection::open(bench.server.address)?)?;
    let sent = Sent {
        events: calls.len(),
        took,
        stored: began.elapsed(),
        cpu: bench.watched.cpu()?.since(cpu),
        loopback,
        calls,
        stats,
    };
    let _ = client.shutdown(PATIENCE);
    let stored = bench.admin.count().await?;
    if stored != sent.events || sent.stats.delivered != sent.events as u64 {
        return Err(format!("{} tracked, {stored} stored: {:?}", sent.events, sent.stats).into());
    }
    Ok(sent)
}

/// Tracks for `length`, waiting whenever the queue is long, and says how many nanoseconds each call took.
fn feed(client: &Client, rate: Option<usize>, began: Instant, length: Duration) -> Vec<u32> {
    let mut calls = Vec::with_capacity(10_000_000);
    while began.elapsed() < length {
        while client.queued() > QUEUED {
            std::thread::sleep(Duration::from_millis(1));
        }
        for _ in 0..STRIDE {
            if let Some(rate) = rate {
                let due = began + Duration::from_secs_f64(calls.len() as f64 / rate as f64);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            let before = Instant::now();
            sample::track(client, calls.len());
            calls.push(u32::try_from(before.elapsed().as_nanos()).unwrap_or(u32::MAX));
        }
    }
    calls
}

fn row(name: &str, sent: &Sent) -> Vec<String> {
    let mut calls = sent.calls.clone();
    calls.sort_unstable();
    let attempts = sent.stats.attempts;
    let mut row = vec![
        name.to_owned(),
        thousands(sent.events as f64),
        thousands(sent.events as f64 / sent.took.as_secs_f64()),
        thousands(sent.events as f64 / sent.stored.as_secs_f64()),
        attempts.to_string(),
        format!("{:.0}", sent.events as f64 / attempts.max(1) as f64),
        mib(sent.loopback),
        format!("{:.0}", sent.loopback as f64 / sent.events.max(1) as f64),
    ];
    row.extend([sent.cpu.generator, sent.cpu.server, sent.cpu.postgres].map(|cpu| per_event(cpu, sent.events)));
    row.extend([0.5, 0.99, 0.999, 1.0].map(|share| micros(quantile(&calls, share))));
    row
}

/// Bytes over the loopback device so far, both directions, headers included. The server speaks to Postgres over a Unix
/// socket, so on a quiet machine these are the client's requests and their answers.
fn loopback_bytes() -> Outcome<u64> {
    let devices = std::fs::read_to_string("/proc/net/dev")?;
    let line = devices
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("lo:"))
        .ok_or("no loopback device")?;
    Ok(line.split_whitespace().next().ok_or("no bytes")?.parse()?)
}
