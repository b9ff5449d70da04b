//! The parts of a running server, and how they start and stop.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use http::header;
use http::request::Parts;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trailmark_protocol::Timestamp;

use crate::bus;
use crate::clock::{SharedClock, SystemClock};
use crate::config::{self, Config};
use crate::dashboard::shares::Shown;
use crate::database::{Database, OpenError};
use crate::gateway::accept;
use crate::gateway::body::Budget;
use crate::gateway::changes::Watching;
use crate::gateway::client_ip::client_ip;
use crate::gateway::cors::Cors;
use crate::gateway::desk;
use crate::gateway::dispatch::{Gateway, Ground};
use crate::gateway::edge::Peer;
use crate::gateway::file::BadFile;
use crate::gateway::front::Front;
use crate::gateway::keyring::{Keyring, REFRESH_EVERY};
use crate::gateway::limit::Limits;
use crate::gateway::login::{Login, first_link};
use crate::gateway::problem::Problem;
use crate::gateway::strangers::{Said, Strangers};
use crate::gateway::tls::{Tls, TlsError};
use crate::jobs::{self, Scheduler};
use crate::journal::{self, Journal, JournalOptions, LocalJournal};
use crate::live::Live;
use crate::observe::alerts::Senders;
use crate::observe::alerts::mail::BadSmtp;
use crate::observe::beat::Beat;
use crate::observe::outbound::{Guard, Outbound};
use crate::observe::refusals::Refusals;
use crate::observe::uptime;
use crate::postgres::StopError;
use crate::query::Reader;
use crate::query::columns::Columns;
use crate::query::turns::Turns;
use crate::store::{Store, StoreError};
use crate::telemetry;
use crate::writer::{Writer, WriterStats};

/// Bodies decompressed at once: enough for two cores, and at the most four windows of 8–16 MiB.
const DECOMPRESSIONS: usize = 4;

/// What every request handler can reach.
pub struct App {
    /// The configuration it was started with.
    pub config: Config,
    /// The wall clock.
    pub clock: SharedClock,
    /// Where accepted events go.
    pub journal: Arc<dyn Journal>,
    /// Where queries go.
    pub store: Store,
    /// Which keys open what.
    pub keyring: Keyring,
    /// Who logs in, and sessions.
    pub login: Arc<Login>,
    /// What is routed beside Trailmark's own.
    pub gateway: Arc<Gateway>,
    /// How often a client may call.
    pub limits: Limits,
    /// How much all request bodies may take.
    pub budget: Budget,
    /// Turns at decompressing.
    pub decompressions: Semaphore,
    /// Turns at reading.
    pub turns: Turns,
    /// What questions keep in memory.
    pub columns: Arc<Columns>,
    /// What links to dashboards showed lately.
    pub shared: Shown,
    /// Who listens to what is accepted.
    pub live: Arc<Live>,
    /// What was refused, until it is written down.
    pub refusals: Refusals,
    /// Who was refused before it was known whose events they are.
    pub strangers: Strangers,
    /// Calls others on somebody's behalf.
    pub outbound: Outbound,
    /// Checks monitors.
    pub uptime: uptime::Runner,
    /// How alerts leave.
    pub senders: Senders,
    /// How the writer fares.
    pub writer: Arc<WriterStats>,
    /// Whether a stop was asked for.
    pub stopping: AtomicBool,
    /// Counts the finished requests.
    pub requests: telemetry::Requests,
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
}

impl App {
    /// Reads a project.
    #[must_use]
    pub fn reader(&self, project_id: i32) -> Reader {
        Reader::new(self.store.pool().clone(), project_id).with_columns(Arc::clone(&self.columns))
    }

    /// A whole request of a project was refused.
    pub fn request_refused(&self, project_id: i32, received_at: Timestamp, problem: &Problem) {
        self.refusals.request(project_id, problem.code().as_str());
        self.live.request_refused(project_id, received_at, problem);
    }

    /// A request with events was refused, and nobody knows whose they are.
    pub fn stranger_refused(&self, parts: &Parts, peer: Option<Peer>, key: Option<&str>, problem: &Problem) {
        let said = Said { key, ..said(parts) };
        let client = self.client(parts, peer);
        self.strangers.refused(said, client, problem, self.clock.now());
    }

    /// A page asks whether it may send events. One that may not is remembered.
    pub fn preflighted(&self, cors: &Cors, parts: &Parts, peer: Option<Peer>) {
        let origin = parts.headers.get(header::ORIGIN);
        if origin.is_some_and(|origin| !cors.admits(origin)) {
            let client = self.client(parts, peer);
            self.strangers.page_refused(said(parts), client, self.clock.now());
        }
    }

    fn client(&self, parts: &Parts, peer: Option<Peer>) -> Option<IpAddr> {
        let trusted = &self.config.http.trusted_proxies;
        peer.map(|peer| client_ip(peer.ip, &parts.headers, trusted))
    }
}

fn said(parts: &Parts) -> Said<'_> {
    Said {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        key: None,
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made.
    #[error("cannot make the data directory {path}: {source}")]
    DataDir {
        /// Which.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// No TLS, although it is configured.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Something is wrong with the gateway's file.
    #[error("the gateway's file {path}:\n{source}")]
    Gateway {
        /// Which.
        path: String,
        /// What.
        source: BadFile,
    },
    /// No bus for the hubs.
    #[error("gateway.bus_url: {0}")]
    Bus(String),
    /// No mail server can be meant.
    #[error(transparent)]
    Smtp(#[from] BadSmtp),
    /// No database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// No journal.
    #[error("the journal: {0}")]
    Journal(#[from] journal::OpenError),
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The operator's address is taken, or not ours.
    #[error("cannot listen for operators on {address}: {source}; gateway.admin_listen chooses another")]
    AdminListen {
        /// Which.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Another metrics recorder is installed in this process.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// A running server.
pub struct Server {
    app: Arc<App>,
    address: SocketAddr,
    database: Database,
    /// Stops the listener, then the connections.
    stop_taking: CancellationToken,
    connections: JoinHandle<()>,
    /// Stops the writer once nothing new can arrive.
    stop_writing: CancellationToken,
    writing: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    /// Stops the jobs first: what they have not done, they do after the next start.
    stop_jobs: CancellationToken,
    jobs: JoinHandle<()>,
    /// The operator's listener, and the watch over the gateway's file.
    desk: Option<(SocketAddr, JoinHandle<()>)>,
    stop_desk: CancellationToken,
    _watching: Option<Watching>,
}

impl Server {
    /// Starts everything; returns when it listens. A database that is down does not stand in the way.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        Self::start_with(config, Router::new()).await
    }

    /// Starts everything, with `pages` beside the server's own routes.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with(config: Config, pages: Router) -> Result<Self, StartError> {
        make_data_dir(&config.data_dir)?;
        let tls = Tls::open(&config.tls, &config.data_dir)?;
        let outbound = Outbound::new(Guard::new(config.outbound.allow.clone()));
        let senders = Senders::open(&config, outbound.clone())?;
        let address = config.http.listen;
        let listen_error = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let desk = listen_for_operators(&config.gateway).await?;

        let journal = Arc::new(open_journal(&config)?);
        let database = Database::open(&config).await?;
        let clock: SharedClock = Arc::new(SystemClock);
        let node = journal.id();
        let journal: Arc<dyn Journal> = journal;
        let writer = Writer::new(database.store().clone(), Arc::clone(&journal), node, Arc::clone(&clock));
        let login = Arc::new(Login::new(database.store().clone()));
        let metrics = telemetry::install()?;
        let gateway = open_gateway(&config, &clock, &journal, database.store(), &login).await?;
        let app = Arc::new(App {
            uptime: uptime::Runner::new(database.store().clone(), outbound.clone(), Arc::clone(&clock)),
            outbound,
            clock,
            gateway,
            login,
            store: database.store().clone(),
            keyring: Keyring::open(&config.data_dir.join("keyring.json")),
            limits: Limits::new(&config.rate_limit),
            budget: Budget::new(config.http.max_inflight_bytes),
            decompressions: Semaphore::new(DECOMPRESSIONS),
            turns: Turns::default(),
            columns: Arc::new(Columns::new(config.query.segment_cache_bytes)),
            shared: Shown::default(),
            live: Arc::default(),
            refusals: Refusals::default(),
            strangers: Strangers::default(),
            senders,
            writer: writer.stats(),
            stopping: AtomicBool::new(false),
            requests: telemetry::Requests::default(),
            metrics,
            journal,
            config,
        });

        let (stop_taking, stop_writing) = (CancellationToken::new(), CancellationToken::new());
        let writing = tokio::spawn(writer.run(stop_writing.clone(), app.config.http.drain_timeout()));
        let started_at = app.clock.now();
        let beat = Beat {
            node,
            started_at,
            listen: address.to_string(),
        };
        let upkeep = tokio::spawn(upkeep(Arc::clone(&app), beat));
        let apart = app.store.apart(jobs::CONNECTIONS);
        let ground = Arc::new(jobs::Ground {
            uptime: uptime::Runner::new(apart.clone(), app.outbound.clone(), Arc::clone(&app.clock)),
            senders: app.senders.clone(),
            store: apart,
            clock: Arc::clone(&app.clock),
            node,
            started_at,
            login: Arc::clone(&app.login),
            writer: Arc::clone(&app.writer),
            keep_events: app.config.retention.events(),
            columns: Arc::clone(&app.columns),
        });
        let stop_jobs = CancellationToken::new();
        if !app.config.jobs.run {
            stop_jobs.cancel();
        }
        let jobs = tokio::spawn(Scheduler::new(ground).run(stop_jobs.clone()));
        let front = Front::new(&app, pages);
        let http = app.config.http.clone();
        let token = stop_taking.clone();
        let connections = tokio::spawn(async move { accept::serve(listener, tls, front, &http, token).await });
        let stop_desk = CancellationToken::new();
        let desk = desk.map(|(listener, address)| {
            let (router, http, token) = (desk::router(&app), app.config.http.clone(), stop_desk.clone());
            (
                address,
                tokio::spawn(async move { accept::serve(listener, None, router, &http, token).await }),
            )
        });
        let watching = Gateway::watch(&app.gateway, Handle::current());
        Ok(Self {
            desk,
            stop_desk,
            _watching: watching,
            app,
            address,
            database,
            stop_taking,
            connections,
            stop_writing,
            writing,
            upkeep,
            stop_jobs,
            jobs,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the operator's listener is, if there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.desk.as_ref().map(|(address, _)| *address)
    }

    /// Reads the gateway's file again, and opens its access log again, after logrotate say.
    pub fn reload(&self) {
        self.app.gateway.snapshot().telling.reopen();
        // What is wrong with the file is logged, and what was there stays.
        let _ = self.app.gateway.reload();
    }

    /// The database it writes to.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.database.store()
    }

    /// The token of a new link that makes the first owner, which ends the one before; `None` where somebody can log in, or
    /// another service knows the users. Brings the schema up to date if nobody has yet.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn first_link(&self) -> Result<Option<String>, StoreError> {
        if !self.app.login.is_local() {
            return Ok(None);
        }
        self.store().migrate().await?;
        first_link(self.store(), self.app.clock.now()).await
    }

    /// Stops in two steps: take nothing new and finish what is in flight; then write what the journal holds, as far as
    /// the time allows. What is left is in the journal and will be written after the next start.
    ///
    /// # Errors
    /// [`StopError`] if the private Postgres does not stop.
    pub async fn stop(self) -> Result<(), StopError> {
        self.app.stopping.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(self.app.config.http.drain_wait_ms)).await;
        self.app.live.close();
        self.stop_jobs.cancel();
        self.stop_taking.cancel();
        self.app.gateway.stop().cancel();
        let drained = self.app.gateway.drain(self.app.config.http.drain_timeout());
        let _ = tokio::join!(self.connections, drained);
        let journal = Arc::clone(&self.app.journal);
        let _ = tokio::task::spawn_blocking(move || journal.close()).await;
        self.stop_writing.cancel();
        let _ = self.writing.await;
        let _ = self.jobs.await;
        self.upkeep.abort();
        self.stop_desk.cancel();
        if let Some((_, desk)) = self.desk {
            let _ = desk.await;
        }
        self.database.close().await
    }
}

fn make_data_dir(path: &Path) -> Result<(), StartError> {
    let error = |source| StartError::DataDir {
        path: path.display().to_string(),
        source,
    };
    std::fs::create_dir_all(path).map_err(error)
}

/// The operator's listener, where there is a gateway to speak of.
async fn listen_for_operators(config: &config::Gateway) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    if config.file.as_os_str().is_empty() || config.admin_listen.is_empty() {
        return Ok(None);
    }
    let listen_error = |source| StartError::AdminListen {
        address: config.admin_listen.clone(),
        source,
    };
    let listener = TcpListener::bind(&config.admin_listen).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    Ok(Some((listener, address)))
}

async fn open_gateway(
    config: &Config,
    clock: &SharedClock,
    journal: &Arc<dyn Journal>,
    store: &Store,
    login: &Arc<Login>,
) -> Result<Arc<Gateway>, StartError> {
    let file = Some(config.gateway.file.clone()).filter(|file| !file.as_os_str().is_empty());
    let directory = file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let ground = Ground {
        bus: bus::open(&config.gateway.bus_url).await.map_err(StartError::Bus)?,
        journal: Some(Arc::clone(journal)),
        projects: Some(Arc::new(store.clone())),
        ..Ground::bare(directory, Arc::clone(clock))
    };
    let error = |source| StartError::Gateway {
        path: config.gateway.file.display().to_string(),
        source,
    };
    Gateway::open(file, ground, Arc::clone(login))
        .map(Arc::new)
        .map_err(error)
}

fn open_journal(config: &Config) -> Result<LocalJournal, journal::OpenError> {
    let options = JournalOptions {
        max_bytes: config.journal.max_bytes,
        segment_bytes: config.journal.segment_bytes,
        ..JournalOptions::default()
    };
    let (journal, _recovery) = LocalJournal::open(&config.data_dir.join("journal"), &options)?;
    Ok(journal)
}

/// How many turns of [`REFRESH_EVERY`] lie make a minute.
const MINUTE_TURNS: u64 = 60 / REFRESH_EVERY.as_secs();

/// How many make ten seconds.
const BEAT_TURNS: u64 = 10 / REFRESH_EVERY.as_secs();

/// What others have changed. While the database is away, one of the two waits for it and not both.
async fn refresh(app: &App) -> Result<(), StoreError> {
    app.keyring.refresh(&app.store).await?;
    app.store.refresh_tombstones().await
}

/// Reads the keys and tombstones again, and tells how this server fares; once a minute, notes which keys were used and
/// forgets limits that nobody uses. What all servers have in common, the [`jobs`] do.
async fn upkeep(app: Arc<App>, beat: Beat) {
    let mut turns = tokio::time::interval(REFRESH_EVERY);
    let mut turn = 0u64;
    loop {
        turns.tick().await;
        if let Err(error) = refresh(&app).await {
            tracing::debug!(%error, "the keys and tombstones were not refreshed");
        }
        app.metrics.run_upkeep();
        if turn.is_multiple_of(BEAT_TURNS)
            && let Err(error) = beat.tell(&app).await
        {
            tracing::debug!(%error, "this server did not tell how it fares");
        }
        if turn.is_multiple_of(MINUTE_TURNS) {
            app.limits.sweep();
            app.login.sweep(app.clock.now());
            app.gateway.snapshot().sweep();
            let _ = app.store.touch_keys(&app.keyring.take_used(), app.clock.now()).await;
        }
        turn += 1;
    }
}
