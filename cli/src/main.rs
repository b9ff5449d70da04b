//! The `trailmark` binary; everything is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use trailmark_cli::args::Args;
use trailmark_cli::{commands, failure::Failure, output};

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
