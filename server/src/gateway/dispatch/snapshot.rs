//! The gateway's file as requests meet it: built whole or not at all, and swapped in one step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::build::Builder;
use super::ground::Ground;
use super::route::Route;
use super::sockets::SocketRules;
use super::telling::Telling;
use crate::gateway::cache::Cache;
use crate::gateway::credentials::{ApiKeys, Tokens};
use crate::gateway::file::{BadFile, GatewayFile, Shaped};
use crate::gateway::headers::Signer;
use crate::gateway::hub::Hub;
use crate::gateway::login::LoginPolicy;
use crate::gateway::quota::Policy;
use crate::gateway::routing::Table;
use crate::gateway::seen::SeenRoute;
use crate::gateway::upstream::Upstream;

/// How long the sockets of a hub that is gone have to say farewell: 5 s.
const LEAVING: Duration = Duration::from_secs(5);

/// What the file says.
pub struct Snapshot {
    /// The file.
    pub file: GatewayFile,
    /// The routes.
    pub table: Table<Arc<Route>>,
    /// Headers that every answer carries, unless the service has set them.
    pub answer_headers: Vec<(HeaderName, HeaderValue)>,
    /// Signs what services are told.
    pub signer: Option<Signer>,
    /// Where finished requests are told.
    pub telling: Telling,
    /// What requests are seen as that no route takes.
    pub unmatched: Arc<SeenRoute>,
    /// What Trailmark's own requests are seen as.
    pub own: Arc<SeenRoute>,
    /// Issuers of tokens.
    pub tokens: BTreeMap<String, Arc<Tokens>>,
    /// API keys.
    pub api_keys: Option<Arc<ApiKeys>>,
    /// What logins are judged by.
    pub login: LoginPolicy,
    /// Limits.
    pub limits: BTreeMap<String, Arc<Policy>>,
    /// Services behind.
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// Hubs of WebSockets.
    pub hubs: BTreeMap<String, Arc<Hub>>,
    /// Cached answers.
    pub cache: Arc<Cache>,
    /// Whether any route caches.
    pub caches: bool,
}

impl Snapshot {
    /// What a file says, if nothing at all is wrong with it: see [`build`](Self::build).
    ///
    /// # Errors
    /// [`BadFile`] with everything that is wrong. What can only be seen by making it is looked for also in a file that is
    /// known to be bad.
    pub fn of(shaped: Shaped, previous: Option<&Self>, ground: &Ground) -> Result<Self, BadFile> {
        let Shaped { file, mut problems } = shaped;
        if problems.is_empty() {
            return Self::build(&file, previous, ground);
        }
        if let Err(BadFile(more)) = Self::build(&file, None, &ground.to_check()) {
            problems.extend(more);
        }
        Err(BadFile(problems.into()))
    }

    /// What `file` says. What has not changed since `previous` is taken over with all it knows: counts of limits, the
    /// health of upstreams, fetched keys, open sockets, cached answers.
    ///
    /// # Errors
    /// [`BadFile`] with everything that is wrong.
    pub fn build(file: &GatewayFile, previous: Option<&Self>, ground: &Ground) -> Result<Self, BadFile> {
        Builder::new(file, previous, ground).build().map_err(BadFile)
    }

    /// Ends what `next` has not taken over: the sockets of hubs that are gone, in the background.
    pub(super) fn leave_behind(&self, next: &Self) {
        let is_kept = |hub: &Arc<Hub>| next.hubs.values().any(|other| Arc::ptr_eq(hub, other));
        for hub in self.hubs.values().filter(|hub| !is_kept(hub)) {
            let hub = Arc::clone(hub);
            tokio::spawn(async move { hub.drain(LEAVING).await });
        }
    }

    /// The rules of a route's sockets.
    pub(super) fn sockets_of(&self, route: &str) -> Option<&SocketRules> {
        let mut routes = self.table.routes();
        routes
            .find(|known| *known.seen.id == *route)
            .and_then(|route| route.sockets.as_ref())
    }

    /// Forgets callers of limits who have their whole allowance again; to be called once a minute.
    pub fn sweep(&self) {
        self.limits.values().for_each(|policy| policy.sweep());
    }

    /// Begins what goes on in the background once requests meet this snapshot.
    pub fn start(&self) {
        self.tokens.values().for_each(|tokens| tokens.start());
        self.upstreams.values().for_each(|upstream| upstream.start());
    }
}
