//! A server's parts without its connections.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::sync::Semaphore;
use trailmark_protocol::Uuid;
use trailmark_server::app::App;
use trailmark_server::clock::SharedClock;
use trailmark_server::config::Config;
use trailmark_server::dashboard::shares::Shown;
use trailmark_server::gateway::body::Budget;
use trailmark_server::gateway::dispatch::{Gateway, Ground};
use trailmark_server::gateway::keyring::Keyring;
use trailmark_server::gateway::limit::Limits;
use trailmark_server::gateway::login::Login;
use trailmark_server::gateway::strangers::Strangers;
use trailmark_server::journal::{Journal, MemoryJournal};
use trailmark_server::observe::alerts::Senders;
use trailmark_server::observe::outbound::{Guard, Outbound};
use trailmark_server::observe::refusals::Refusals;
use trailmark_server::observe::uptime::Runner;
use trailmark_server::query::turns::Turns;
use trailmark_server::store::Store;
use trailmark_server::writer::Writer;

/// What the handlers of a server over `store` reach; its files are in `folder`.
pub fn app(store: Store, clock: SharedClock, config: Config, folder: &Path) -> Arc<App> {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::default());
    let login = Arc::new(Login::new(store.clone()));
    let ground = Ground::bare(folder, Arc::clone(&clock));
    let file = Some(config.gateway.file.clone()).filter(|file| !file.as_os_str().is_empty());
    let outbound = Outbound::new(Guard::new(config.outbound.allow.clone()));
    Arc::new(App {
        uptime: Runner::new(store.clone(), outbound.clone(), clock.clone()),
        outbound: outbound.clone(),
        writer: Writer::new(store.clone(), journal.clone(), Uuid::nil(), clock.clone()).stats(),
        clock,
        journal,
        keyring: Keyring::open(&folder.join("keyring.json")),
        gateway: Gateway::open(file, ground, Arc::clone(&login)).unwrap().into(),
        login,
        limits: Limits::new(&config.rate_limit),
        budget: Budget::new(config.http.max_inflight_bytes),
        decompressions: Semaphore::new(1),
        turns: Turns::default(),
        columns: Default::default(),
        shared: Shown::default(),
        live: Arc::default(),
        refusals: Refusals::default(),
        strangers: Strangers::default(),
        senders: Senders::open(&config, outbound.clone()).unwrap(),
        stopping: AtomicBool::new(false),
        requests: trailmark_server::telemetry::Requests::default(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
        store,
        config,
    })
}
