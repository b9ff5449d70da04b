//! `trailmark-bench`: see the library.

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use trailmark_bench::args::{Args, Command};
use trailmark_bench::{Outcome, parse_only, plan, query, sdk};

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(run) => measure(plan::run(&run)),
        Command::Sdk(args) => measure(sdk::run(&args)),
        Command::Query(args) => measure(query::run(&args)),
        Command::History(args) => query::files::write(&args),
        Command::SdkHold { dir, events } => sdk::holding::hold(dir.as_ref(), events),
        Command::ParseOnly { listen } => parse_only::serve(listen),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trailmark-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends early, but in order, on a signal: what was started is stopped, what was written is removed.
fn measure(measurement: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            done = measurement => done,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminated.recv() => Err("stopped before the end".into()),
        }
    });
    runtime.shutdown_background();
    done
}
