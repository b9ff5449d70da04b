//! `trailmark import`

use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};

use crate::args;
use crate::failure::Failure;
use crate::http::local_url;
use crate::import::{self, Job};
use crate::output::Output;

pub(super) async fn run(config: &Config, args: &args::Import, output: Output) -> Result<(), Failure> {
    let args::Format::Combined = args.format;
    let job = Job {
        file: args.file.clone(),
        url: args.url.clone().unwrap_or_else(|| local_url(config.http.listen)),
        key: args.key.clone(),
    };
    let summary = import::run(&job, SystemClock.now()).await?;
    output.print(&summary)?;
    if summary.is_complete() {
        return Ok(());
    }
    let lost = summary.events - summary.accepted.min(summary.events);
    Err(Failure::failed(format!("{lost} events were not accepted")).hint("the summary counts them by reason"))
}
