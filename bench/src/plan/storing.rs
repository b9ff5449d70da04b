//! Stored events a second, HTTP in, rows in the indexed table out, against raw `COPY` of the same rows.

use std::time::{Duration, Instant};

use super::Bench;
use crate::admin::wait_until_drained;
use crate::connection::Connection;
use crate::copy::Rows;
use crate::load::{Load, Pace, Until};
use crate::process::Cpu;
use crate::report::{median, per_event, thousands};
use crate::{Failure, Outcome, disk, report};

/// Rows of one transaction of the second reference; the server's default.
const PER_COMMIT: usize = 5_000;

/// One kind of load.
#[derive(Debug, Clone, Copy)]
struct Kind {
    connections: usize,
    batch: usize,
}

/// One end-to-end measurement and its references.
#[derive(Debug, Clone, Copy)]
struct Round {
    events: usize,
    stored: f64,
    accepted: f64,
    cpu: Cpu,
    copy_once: f64,
    copy_often: f64,
    copy_cpu: Duration,
    syncs: f64,
}

/// Measures every kind of load in every round; medians are of rounds, ratios are within a round.
pub(super) async fn measure(bench: &Bench) -> Outcome<()> {
    let kinds: Vec<Kind> = bench
        .run
        .loads
        .iter()
        .map(|text| Kind::parse(text))
        .collect::<Outcome<_>>()?;
    let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); kinds.len()];
    for number in 0..bench.run.rounds {
        for (kind, rounds) in kinds.iter().zip(&mut rounds) {
            let seed = (number * 1000 + kind.connections * 10 + kind.batch) as u64;
            rounds.push(round(bench, *kind, seed).await?);
        }
    }
    let head = [
        "connections × batch",
        "stored/s",
        "accepted/s",
        "COPY rows/s",
        "COPY 5,000 a commit",
        "ratio to COPY",
        "min–max",
        "to COPY 5,000",
        "CPU µs/event: server",
        "Postgres",
        "generator",
        "COPY alone",
        "fdatasync/s",
    ];
    let rows: Vec<_> = kinds
        .iter()
        .zip(&rounds)
        .map(|(kind, rounds)| row(*kind, rounds))
        .collect();
    report::table("Stored, end to end", &head, &rows);
    Ok(())
}

async fn round(bench: &Bench, kind: Kind, seed: u64) -> Outcome<Round> {
    let admin = &bench.admin;
    admin.empty().await?;
    let syncs = disk::syncs_per_second(bench.dir.path())?;
    let before = bench.watched.cpu()?;
    let sent = kind.load(bench, seed).run_aside().await?;
    wait_until_drained(&mut Connection::open(bench.server.address)?)?;
    let took = sent.began.elapsed();
    let cpu = bench.watched.cpu()?.since(before);
    let events = admin.count().await?;
    if events != sent.events {
        return Err(Failure::from(format!(
            "{} events accepted, {events} rows stored",
            sent.events
        )));
    }
    let rows = Rows::export(admin).await?;
    let before = bench.watched.cpu()?;
    let copy_once = copy(bench, &rows, rows.len()).await?;
    let copy_cpu = bench.watched.cpu()?.since(before).postgres;
    let copy_often = copy(bench, &rows, PER_COMMIT).await?;
    let stored = events as f64 / took.as_secs_f64();
    eprintln!(
        "{kind:?}: {events} rows of {} B, stored {}/s, COPY {}/s, {}/s",
        rows.mean_bytes(),
        thousands(stored),
        thousands(copy_once),
        thousands(copy_often)
    );
    Ok(Round {
        events,
        stored,
        accepted: sent.rate(),
        cpu,
        copy_once,
        copy_often,
        copy_cpu,
        syncs,
    })
}

async fn copy(bench: &Bench, rows: &Rows, per_commit: usize) -> Outcome<f64> {
    bench.admin.empty().await?;
    let began = Instant::now();
    rows.store(&bench.admin, per_commit).await?;
    Ok(rows.len() as f64 / began.elapsed().as_secs_f64())
}

fn row(kind: Kind, rounds: &[Round]) -> Vec<String> {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let ratios: Vec<f64> = rounds.iter().map(|round| round.stored / round.copy_once).collect();
    let events = rounds.iter().map(|round| round.events).sum();
    let cpu = |value: fn(&Round) -> Duration| per_event(rounds.iter().map(value).sum(), events);
    vec![
        format!("{} × {}", kind.connections, kind.batch),
        thousands(of(|round| round.stored)),
        thousands(of(|round| round.accepted)),
        thousands(of(|round| round.copy_once)),
        thousands(of(|round| round.copy_often)),
        format!("**{:.2}**", median(ratios.clone())),
        format!(
            "{:.2}–{:.2}",
            ratios.iter().copied().fold(f64::MAX, f64::min),
            ratios.iter().copied().fold(0.0, f64::max)
        ),
        format!("{:.2}", of(|round| round.stored / round.copy_often)),
        cpu(|round| round.cpu.server),
        cpu(|round| round.cpu.postgres),
        cpu(|round| round.cpu.generator),
        cpu(|round| round.copy_cpu),
        format!("{:.0}", of(|round| round.syncs)),
    ]
}

impl Kind {
    /// `64x50`.
    fn parse(text: &str) -> Outcome<Self> {
        let (connections, batch) = text
            .split_once('x')
            .ok_or("a load is connections x batch, such as 64x50")?;
        Ok(Self {
            connections: connections.parse()?,
            batch: batch.parse()?,
        })
    }

    fn load(self, bench: &Bench, seed: u64) -> Load {
        let events = if self.batch == 1 {
            bench.run.events / 2
        } else {
            bench.run.events
        };
        Load {
            address: bench.server.address,
            key: bench.admin.write_key.clone(),
            connections: self.connections,
            batch: self.batch,
            pace: Pace::Closed,
            until: Until::Requests(events / self.batch),
            seed,
        }
    }
}
