//! A web server's log, played through the client SDK.

use std::path::Path;

use trailmark_server::clock::{Clock, SystemClock};

use super::report::Demo;
use super::{Stage, shop::Shop};
use crate::failure::Failure;
use crate::import::{self, Job};
use crate::output::{Output, say};

/// The project that every log in one data directory shares.
pub(super) const PROJECT: &str = "demo";

/// Plays it, and shows what is then in the database.
pub(super) async fn play(stage: &Stage<'_>, shop: &Shop, log: &Path, output: Output) -> Result<(), Failure> {
    shop.open(&stage.write_key);
    say(format_args!("playing {} through the client SDK", log.display()));
    let job = Job {
        file: log.to_owned(),
        url: stage.url.clone(),
        key: stage.write_key.clone(),
    };
    let import = import::run(&job, SystemClock.now()).await?;
    stage.api.until_all_is_stored().await?;

    let stored = stage.api.stats().await?;
    let by_status_class = stage
        .store
        .status_classes(stage.project.id)
        .await?
        .into_iter()
        .collect();
    output.print(&Demo {
        url: stage.url.clone(),
        open: stage.open.clone(),
        project: stage.project.id,
        write_key: stage.write_key.clone(),
        secret_key: stage.secret_key.clone(),
        import,
        stored,
        by_status_class,
    })
}
