//! Measures the client, `trailmark_core`, against the bars of its issue: what a call costs the app's thread, what a full
//! queue costs in memory and at the next start, and how fast one client fills a real server.
//!
//! [`sample`] is the event and the clients; `track`, `holding` and `sending` are the tables. What is measured
//! offline contacts nobody: the address is a closed port of this machine, tried once before the clock starts, and the
//! wait after that failure is set to a day.

use crate::args::Sdk;
use crate::{Outcome, process, report};

pub mod sample;
mod track;
pub mod holding;
mod sending;

/// Measures all of it and prints the tables.
///
/// # Errors
/// Something could not be measured.
pub async fn run(args: &Sdk) -> Outcome<()> {
    println!("load average before: {}", process::load_average()?);
    let wanted = |name: &str| args.only.iter().any(|only| only == name);
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    if wanted("track") {
        track::measure(args, &parent)?;
    }
    if wanted("hold") {
        holding::measure(args, &parent)?;
    }
    if wanted("send") {
        sending::measure(args).await?;
    }
    println!("load average after: {}", process::load_average()?);
    Ok(())
}

/// Microseconds.
fn micros(nanos: u32) -> String {
    format!("{:.1}", f64::from(nanos) / 1e3)
}

fn table(title: &str, head: &[&str], rows: &[Vec<String>]) {
    report::table(title, head, rows);
}
