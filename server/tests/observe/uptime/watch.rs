//! A store with monitors, and a clock that a test moves.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, ManualClock};
use trailmark_server::observe::outbound::{Guard, Lookup, Outbound};
use trailmark_server::observe::uptime::Runner;
use trailmark_server::observe::uptime::check::{Outcome, check};
use trailmark_server::observe::uptime::state::{Standing, State};
use trailmark_server::store::{IncidentPage, IncidentRow, MonitorRow, MonitorSettings, Store};

use super::site::fixture;
use crate::support;

/// When the tests' time begins.
pub(crate) const BEGINNING: &str = "2026-11-20T12:00:00Z";

pub(crate) const SECOND: i64 = 1_000_000;

pub(crate) fn beginning() -> Timestamp {
    Timestamp::parse(BEGINNING).unwrap()
}

/// What may be called in most tests: loopback. `site.example` is there, `inside.example` is in a network that may not be
/// called, and others are not known.
pub(crate) fn guard() -> Guard {
    let lookup: Lookup = Arc::new(|host, port| {
        let ip: Option<[u8; 4]> = match host.as_str() {
            "site.example" | "localhost" => Some([127, 0, 0, 1]),
            "inside.example" => Some([10, 0, 0, 1]),
            _ => None,
        };
        let found = ip.map(|ip| vec![SocketAddr::from((ip, port))]);
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    });
    Guard::asking(vec!["127.0.0.0/8".parse().unwrap()], lookup)
}

/// Calls loopback, and believes the tests' own authority.
pub(crate) fn outbound() -> Outbound {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(fixture("root.pem")).unwrap())
        .unwrap();
    Outbound::believing(guard(), roots)
}

pub(crate) struct Watch {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) runner: Runner,
}

impl Watch {
    pub(crate) async fn new() -> Self {
        let store = support::store().await;
        let clock = ManualClock::at(beginning());
        let runner = Runner::new(store.clone(), outbound(), clock.clone());
        Self { store, clock, runner }
    }

    /// A monitor of a project that is due.
    pub(crate) async fn add(&self, project: i32, target: Value) -> i64 {
        let settings = MonitorSettings {
            name: "m".to_owned(),
            target,
            interval_s: 60,
            timeout_ms: 1_000,
        };
        let now = self.clock.now();
        let standing = Standing::unknown(now);
        let added = self.store.add_monitor(project, settings, &standing, 200, now);
        added.await.unwrap().unwrap()
    }

    /// A monitor of project 1 that asks for a page.
    pub(crate) async fn page(&self, url: &str) -> i64 {
        self.add(1, json!({"http": {"url": url}})).await
    }

    pub(crate) async fn monitor(&self, id: i64) -> MonitorRow {
        self.store.monitor(1, id).await.unwrap().unwrap()
    }

    /// The incidents of project 1, oldest first.
    pub(crate) async fn incidents(&self) -> Vec<IncidentRow> {
        let page = IncidentPage {
            limit: 1_000,
            ..IncidentPage::default()
        };
        let mut incidents = self.store.incidents(1, &page).await.unwrap();
        incidents.reverse();
        incidents
    }

    /// Checks what is due by now. Returns how many that were.
    pub(crate) async fn run(&self) -> usize {
        let started = self.runner.run_due().await.unwrap();
        self.runner.settled().await;
        started
    }

    /// Lets time pass, second by second, until a monitor is so. Returns how many seconds that took.
    pub(crate) async fn until(&self, id: i64, state: State) -> i64 {
        for seconds in 0..=600 {
            self.run().await;
            if self.monitor(id).await.state == state {
                return seconds;
            }
            self.clock.advance_micros(SECOND);
        }
        panic!("never {state:?}: {:?}", self.monitor(id).await);
    }

    /// What one check of a target says.
    pub(crate) async fn ask(&self, target: Value) -> Outcome {
        let target = serde_json::from_value(target).unwrap();
        let timeout = std::time::Duration::from_secs(1);
        check(&outbound(), &self.store, &target, timeout).await.unwrap()
    }

    /// Why a check fails: kind and text; two empty texts if it does not.
    pub(crate) async fn failure(&self, target: Value) -> (&'static str, String) {
        let failure = self.ask(target).await.failure;
        failure.map_or_else(Default::default, |failure| (failure.kind, failure.text))
    }
}
