//! The gateway of a running server: the present snapshot, and how another takes its place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderMap;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::contents::Contents;
use super::ground::Ground;
use super::snapshot::Snapshot;
use crate::gateway::changes::{Watching, follow};
use crate::gateway::file::{BadFile, GatewayFile, Shaped, shaped};
use crate::gateway::login::Login;
use crate::gateway::seen::metrics::config_reloaded;
use crate::gateway::seen::{TraceIds, Traceparent};

/// The gateway.
pub struct Gateway {
    path: Option<PathBuf>,
    ground: Ground,
    login: Arc<Login>,
    snapshot: ArcSwap<Snapshot>,
    /// One reload at a time; what the present snapshot was made of.
    last: Mutex<Last>,
    trace_ids: TraceIds,
}

/// How the last reload went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Last {
    #[serde(skip)]
    text: String,
    /// Of the other files that it names.
    #[serde(skip)]
    contents: Contents,
    /// When the present routes were taken, in RFC 3339.
    pub taken_at: String,
    /// What is wrong with the file as it is now; empty if nothing is.
    pub problems: Vec<String>,
}

/// What a reload has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reloaded {
    /// Requests meet the new file.
    Taken,
    /// The file is as it was.
    Same,
}

impl Gateway {
    /// The gateway of the file at `path`; without one, no routes but Trailmark's own. Within a tokio runtime.
    ///
    /// # Errors
    /// [`BadFile`], or that it cannot be read.
    pub fn open(path: Option<PathBuf>, ground: Ground, login: Arc<Login>) -> Result<Self, BadFile> {
        let text = path.as_deref().map_or_else(|| Ok(EMPTY.to_owned()), text_of)?;
        let shaped = parse(&text)?;
        let contents = Contents::read(&shaped.file, &ground.directory);
        let snapshot = Snapshot::of(shaped, None, &ground)?;
        let now = ground.clock.now();
        let gateway = Self {
            path,
            login,
            snapshot: ArcSwap::from_pointee(snapshot),
            last: Mutex::default(),
            trace_ids: TraceIds::default(),
            ground,
        };
        gateway.taken(&gateway.snapshot());
        *gateway.last() = Last {
            text,
            contents,
            taken_at: now.to_string(),
            problems: Vec::new(),
        };
        Ok(gateway)
    }

    /// What requests meet now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// How the last reload went.
    pub fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file again, and the others that it names. If one has changed and nothing is wrong, lets requests meet it from now on. Those
    /// under way end with what they began with. Within a tokio runtime.
    ///
    /// # Errors
    /// [`BadFile`]; what was there stays.
    pub fn reload(&self) -> Result<Reloaded, BadFile> {
        let Some(path) = &self.path else {
            return Ok(Reloaded::Same);
        };
        let mut last = self.last();
        let result = text_of(path).and_then(|text| self.take(text, &mut last));
        match &result {
            Ok(Reloaded::Taken) => tracing::info!(file = %path.display(), "the gateway's file was taken"),
            Ok(Reloaded::Same) => return result,
            Err(bad) => {
                if last.problems != bad.0 {
                    tracing::error!(file = %path.display(), "the gateway's file is refused, the routes stay as they were: {bad}");
                }
                last.problems.clone_from(&bad.0);
            }
        }
        config_reloaded(result.is_ok(), self.ground.clock.now());
        result
    }

    fn take(&self, text: String, last: &mut Last) -> Result<Reloaded, BadFile> {
        if last.text == text && last.problems.is_empty() && last.contents == self.contents(&self.snapshot().file) {
            return Ok(Reloaded::Same);
        }
        let shaped = parse(&text)?;
        // Before they are used: what changes meanwhile is found at the next look.
        let contents = self.contents(&shaped.file);
        let snapshot = Snapshot::of(shaped, Some(&self.snapshot()), &self.ground)?;
        let snapshot = Arc::new(snapshot);
        self.taken(&snapshot);
        let before = self.snapshot.swap(snapshot);
        before.leave_behind(&self.snapshot());
        *last = Last {
            text,
            contents,
            taken_at: self.ground.clock.now().to_string(),
            problems: Vec::new(),
        };
        Ok(Reloaded::Taken)
    }

    /// What is in the other files now that `file` names.
    fn contents(&self, file: &GatewayFile) -> Contents {
        Contents::read(file, &self.ground.directory)
    }

    fn taken(&self, snapshot: &Snapshot) {
        self.ground.upstreams.store(Arc::new(snapshot.upstreams.clone()));
        self.login
            .configure(snapshot.file.auth.session.clone(), snapshot.login.clone());
        snapshot.start();
    }

    /// Reloads whenever the file changes, or within a minute another that it names, for as long as `gateway` lives and the
    /// watch is kept.
    #[must_use]
    pub fn watch(gateway: &Arc<Self>, runtime: Handle) -> Option<Watching> {
        let path = gateway.path.clone()?;
        let weak: Weak<Self> = Arc::downgrade(gateway);
        let look = move || {
            let _in_runtime = runtime.enter();
            // What is wrong was said by `reload`.
            weak.upgrade().map(|gateway| drop(gateway.reload())).is_some()
        };
        let watching = follow("gateway-reload", [path.as_path()].into_iter(), look);
        let failed = |error| tracing::warn!(%error, "the gateway's file is not watched");
        watching.map_err(failed).ok()
    }

    /// A request's place in its trace.
    #[must_use]
    pub fn trace(&self, snapshot: &Snapshot, headers: &HeaderMap) -> Traceparent {
        Traceparent::of(headers, &self.trace_ids, snapshot.file.trace.sample)
    }

    /// Closes the sockets of hubs with 1001 and waits for them, at most `within`.
    pub async fn drain(&self, within: Duration) {
        let snapshot = self.snapshot();
        futures_util::future::join_all(snapshot.hubs.values().map(|hub| hub.drain(within))).await;
    }

    /// Ends what goes on in the background, and tunnels.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.ground.stop.clone()
    }
}

/// The file of a server that has none.
const EMPTY: &str = "version = 1\nlog = { enabled = false }\n";

fn text_of(path: &Path) -> Result<String, BadFile> {
    std::fs::read_to_string(path).map_err(|error| BadFile(vec![format!("{}: {error}", path.display())]))
}

fn parse(text: &str) -> Result<Shaped, BadFile> {
    shaped(text, &|name| std::env::var(name).ok())
}

/// Everything that is wrong with the file at `path`, without using it for anything. Within a tokio runtime.
///
/// # Errors
/// [`BadFile`].
pub fn check(path: &Path, ground: &Ground) -> Result<Snapshot, BadFile> {
    Snapshot::of(parse(&text_of(path)?)?, None, ground)
}
