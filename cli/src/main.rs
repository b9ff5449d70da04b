//! The `trailmark` binary; everything is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use trailmark_cli::args::Args;
use trailmark_cli::{commands, failure::Failure, output};

/// Against glibc's allocator about 9 % less server CPU per single event (bench/RESULTS.md); without huge pages (`no_thp`),
/// which double the idle memory (12.8 → 23.7 MiB).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::say(&failure);
            failure.exit.into()
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    runtime.block_on(commands::run(args))
}
