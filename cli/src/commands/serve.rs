//! `trailmark serve`

use std::fmt::Write;

use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use trailmark_server::{Config, Server};

use crate::failure::Failure;
use crate::http::local_url;
use crate::output::{Output, Report, say};

#[derive(Serialize)]
struct Listening {
    url: String,
}

impl Report for Listening {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "listening on {}", self.url);
    }
}

pub(super) async fn run(config: Config, output: Output) -> Result<(), Failure> {
    let server = Server::start(config).await?;
    output.print(&Listening {
        url: local_url(server.address()),
    })?;
    until_stopped().await?;
    stop(server).await
}

/// Stops in two steps; a second signal meanwhile ends the process at once, which loses nothing that got a 202.
pub(super) async fn stop(server: Server) -> Result<(), Failure> {
    say("stopping: finishing what is in flight (again to stop at once)");
    tokio::select! {
        stopped = server.stop() => Ok(stopped?),
        again = until_stopped() => again.and(Err(Failure::failed("stopped at once"))),
    }
}

/// Resolves on Ctrl-C or SIGTERM.
pub(super) async fn until_stopped() -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}
