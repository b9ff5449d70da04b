//! Writes a web server's log in combined format to stdout: `generate-log --lines 10000 --seed 1 --days 4 > access.log`.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use trailmark_examples::log::{self, Recipe};

/// Writes a made-up web server log (combined format, one malformed line) to stdout. Same options, same bytes.
#[derive(Debug, Parser)]
#[command(name = "generate-log", version)]
struct Args {
    /// How many lines
    #[arg(long, default_value_t = Recipe::default().lines)]
    lines: usize,
    /// Another seed makes another log
    #[arg(long, default_value_t = Recipe::default().seed)]
    seed: u64,
    /// How many days the log covers
    #[arg(long, default_value_t = Recipe::default().days, value_parser = clap::value_parser!(u64).range(1..=3650))]
    days: u64,
}

fn main() -> ExitCode {
    let Args { lines, seed, days } = Args::parse();
    let mut out = BufWriter::new(io::stdout().lock());
    match log::write(Recipe { lines, seed, days }, &mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write the log: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
