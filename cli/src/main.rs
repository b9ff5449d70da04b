//! The `trailmark` binary; everything is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use trailmark_cli::args::Args;
use trailmark_cli::{commands, failure::Failure, output};

/// A request makes some 60 small allocations, most of them in axum and hyper: against glibc's allocator this one took 16 %
/// off the server's CPU time per single event. Without huge pages (`no_thp`), which would double its memory.
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
