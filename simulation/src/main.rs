//! `make sim SEEDS=10000`: plays that many stories and prints every seed that broke a rule.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use trailmark_simulation::{ACTS, Tally, run};

/// Plays stories of devices, networks and a server, and checks every rule after each step.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How much is done and goes wrong in each before everything is healed.
    #[arg(long, default_value_t = ACTS)]
    acts: u64,
    /// Tells the whole story of the first seed.
    #[arg(long)]
    trace: bool,
    /// A bug that is planted on purpose.
    #[cfg(feature = "planted-bugs")]
    #[arg(long)]
    planted: Option<trailmark_simulation::planted::Planted>,
}

/// Where all threads put their results.
#[derive(Default)]
struct Results {
    tally: Tally,
    failed: Vec<u64>,
}

/// Failing seeds after which the rest is not played: 20.
const ENOUGH: usize = 20;

fn main() -> ExitCode {
    let args = Args::parse();
    let seeds = if args.trace { 1 } else { args.seeds };
    let began = Instant::now();
    let (next, results) = (AtomicU64::new(0), Mutex::new(Results::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(|| work(&args, seeds, &next, &results))));
    });
    let Results { tally, failed } = results.into_inner().unwrap_or_default();
    println!("{seeds} seeds in {:.1} s: {tally:?}", began.elapsed().as_secs_f64());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn work(args: &Args, seeds: u64, next: &AtomicU64, results: &Mutex<Results>) {
    #[cfg(feature = "planted-bugs")]
    trailmark_simulation::planted::plant(args.planted);
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= seeds {
            return;
        }
        let seed = args.first + at;
        let played = run(seed, args.acts, args.trace);
        let Ok(mut results) = results.lock() else { return };
        match played {
            Ok(tally) => results.tally += tally,
            Err(violation) => {
                println!("seed {seed}: {violation}");
                results.failed.push(seed);
            }
        }
        if results.failed.len() >= ENOUGH {
            return;
        }
    }
}
