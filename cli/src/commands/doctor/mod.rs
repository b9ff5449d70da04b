//! `trailmark doctor`: is everything there that a server needs, and is the one that runs well?

mod check;
mod disk;
mod database;
mod server;

use trailmark_server::Config;
use trailmark_server::config::BadConfig;

use crate::failure::Failure;
use crate::output::Output;
use check::{Check, Diagnosis};

pub(super) async fn run(config: &Config, output: Output) -> Result<(), Failure> {
    let mut checks = vec![Check::ok("configuration", "valid")];
    checks.extend(disk::checks(config));
    checks.extend(database::checks(config).await);
    checks.extend(server::checks(config).await);
    conclude(checks, output)
}

/// With a configuration that cannot be read there is nothing else to look at.
pub(super) fn bad_config(error: &BadConfig, output: Output) -> Result<(), Failure> {
    conclude(vec![Check::fail("configuration", error.to_string())], output)
}

fn conclude(checks: Vec<Check>, output: Output) -> Result<(), Failure> {
    let diagnosis = Diagnosis { checks };
    output.print(&diagnosis)?;
    match diagnosis.failed() {
        0 => Ok(()),
        1 => Err(Failure::failed("one check failed")),
        failed => Err(Failure::failed(format!("{failed} checks failed"))),
    }
}
