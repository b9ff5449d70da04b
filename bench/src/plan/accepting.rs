//! Accepted events a second and how long the 202 takes, against an endpoint that only parses and discards.

use std::net::SocketAddr;
use std::time::Duration;

use super::Bench;
use crate::admin::wait_until_drained;
use crate::child::Service;
use crate::connection::Connection;
use crate::load::{Load, Pace, Sent, Until};
use crate::process;
use crate::report::{ms, per_event, quantile, thousands};
use crate::{Outcome, report};

/// Connections of all of these measurements.
const CONNECTIONS: usize = 64;

/// The batch sizes of single events and of an SDK's usual batch.
const BATCHES: [usize; 2] = [1, 50];

/// The share of its capacity that a server should be run at.
const HALF: f64 = 0.5;

/// Measures both endpoints at their capacity, and the real one at half of it.
pub(super) async fn measure(bench: &Bench) -> Outcome<()> {
    let reference = Service::parse_only()?;
    let mut rows = Vec::new();
    for batch in BATCHES {
        let discarded = timed(bench, reference.address, reference.pid(), batch, Pace::Closed).await?;
        let accepted = timed(bench, bench.server.address, bench.server.pid(), batch, Pace::Closed).await?;
        let half = accepted.0.rate() / batch as f64 * HALF;
        let ratio = accepted.0.rate() / discarded.0.rate();
        rows.push(row("parse and discard, closed", batch, &discarded, None));
        rows.push(row("accept, closed", batch, &accepted, Some(ratio)));
        let calm = timed(bench, bench.server.address, bench.server.pid(), batch, Pace::Open(half)).await?;
        rows.push(row("accept, open, half of it", batch, &calm, None));
    }
    let head = [
        "endpoint and loop",
        "batch",
        "events/s",
        "ratio",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "server CPU µs/event",
    ];
    report::table(&format!("Accepted (202), {CONNECTIONS} connections"), &head, &rows);
    Ok(())
}

/// Runs a load and measures the CPU time of the endpoint until its last 202.
async fn timed(bench: &Bench, address: SocketAddr, pid: u32, batch: usize, pace: Pace) -> Outcome<(Sent, Duration)> {
    let load = Load {
        address,
        key: bench.admin.write_key.clone(),
        connections: CONNECTIONS,
        batch,
        pace,
        until: Until::Elapsed(Duration::from_secs(bench.run.seconds)),
        seed: 77_000 + batch as u64,
    };
    let before = process::cpu(pid)?;
    let sent = load.run_aside().await?;
    let cpu = process::cpu(pid)?.saturating_sub(before);
    wait_until_drained(&mut Connection::open(bench.server.address)?)?;
    bench.admin.empty().await?;
    Ok((sent, cpu))
}

fn row(what: &str, batch: usize, (sent, cpu): &(Sent, Duration), ratio: Option<f64>) -> Vec<String> {
    let latency = |share| ms(quantile(&sent.latencies, share));
    vec![
        what.to_owned(),
        batch.to_string(),
        thousands(sent.rate()),
        ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        latency(0.5),
        latency(0.99),
        latency(0.999),
        latency(1.0),
        per_event(*cpu, sent.events),
    ]
}
