//! `trailmark serve`

use std::fmt::Write;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use trailmark_server::{Config, Server};

use super::welcome::{self, Welcome};
use crate::failure::Failure;
use crate::http::local_url;
use crate::output::{Output, Report, say};

/// How long the database may take to say whether there is a user before it is said where the server listens: 3 s, in which a new
/// database gets its schema. A link that comes later is said on stderr.
const LINK_PATIENCE: Duration = Duration::from_secs(3);

#[derive(Serialize)]
struct Listening {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<String>,
    /// The link that makes the first owner, while there is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<String>,
}

impl Report for Listening {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "listening on {}", self.url);
        if let Some(admin) = &self.admin {
            let _ = writeln!(out, "listening for operators on {admin}");
        }
        if let Some(link) = &self.open {
            let _ = writeln!(out, "{}", welcome::open(link));
        }
    }
}

pub(super) async fn run(config: Config, output: Output) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let welcome = Welcome::of(&config);
    let Some(server) = start_with(config, Router::new(), &mut signals).await? else {
        return Ok(());
    };
    let served = serve(&server, &welcome, &mut signals, output).await;
    let stopped = stop(server, &mut signals).await;
    served.and(stopped)
}

/// Says where it listens, and serves until a signal to stop.
async fn serve(server: &Server, welcome: &Welcome, signals: &mut StopSignals, output: Output) -> Result<(), Failure> {
    let mut first = pin!(welcome.first(server));
    let open = tokio::select! {
        open = tokio::time::timeout(LINK_PATIENCE, &mut first) => open.ok(),
        () = signals.next() => return Ok(()),
    };
    output.print(&Listening {
        url: local_url(server.address()),
        admin: server.admin_address().map(local_url),
        open: open.clone().flatten(),
    })?;
    if open.is_none() {
        tokio::select! {
            open = first => open.iter().for_each(|link| say(welcome::open(link))),
            () = signals.reloads(server) => return Ok(()),
        }
    }
    signals.reloads(server).await;
    Ok(())
}

/// Starts the server with `pages` of the command's own; `None` if a signal came first, and then what was started is stopped again.
pub(super) async fn start_with(
    config: Config,
    pages: Router,
    signals: &mut StopSignals,
) -> Result<Option<Server>, Failure> {
    tokio::select! {
        started = Server::start_with(config, pages) => Ok(Some(started?)),
        () = signals.next() => Ok(None),
    }
}

/// Stops in two steps; a second signal meanwhile ends the process at once, which loses nothing that got a 202.
pub(super) async fn stop(server: Server, signals: &mut StopSignals) -> Result<(), Failure> {
    say("stopping: finishing what is in flight (again to stop at once)");
    tokio::select! {
        stopped = server.stop() => Ok(stopped?),
        () = signals.next() => Err(Failure::failed("stopped at once")),
    }
}

/// Ctrl-C and SIGTERM. Listen before there is anything to stop: until then a signal ends the process where it stands.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl StopSignals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system takes no handler.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Lets `server` read the gateway's file again at each SIGHUP; resolves at the next signal to stop.
    async fn reloads(&mut self, server: &Server) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => server.reload(),
            }
        }
    }

    /// Resolves at the next signal to stop, also one that came since the last call.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
