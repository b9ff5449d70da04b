//! What the server says about itself: each metric with its meaning, in one place.

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::gateway;
use crate::journal::Journal;
use crate::live::Live;

/// Bounds of the latency histograms, in seconds: from a fast append (250 µs) to a lost client (10 s).
const SECONDS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Installs the process-wide recorder and says what each metric means.
///
/// # Errors
/// [`BuildError`] if another recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = builder()?.install_recorder()?;
    describe();
    Ok(handle)
}

/// A recorder with this server's buckets, not yet built.
pub(crate) fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
}

/// Says what each metric means: those of the gateway stand with their handles, all others here.
pub(crate) fn describe() {
    gateway::seen::metrics::describe();
    describe_counter!("trailmark_http_requests_total", "Requests by route and status.");
    describe_counter!("trailmark_http_refused_total", "Refused requests by problem code.");
    describe_counter!(
        "gateway_cache_total",
        "Requests of routes with a cache, by route and by how they were answered."
    );
    describe_histogram!(
        "trailmark_http_request_seconds",
        Unit::Seconds,
        "Time to answer, by route."
    );
    describe_counter!(
        "trailmark_ingest_accepted_total",
        "Events answered with 202 and on stable storage."
    );
    describe_counter!("trailmark_ingest_dropped_total", "Events refused for good, by reason.");
    describe_counter!(
        "trailmark_ingest_counters_ignored_total",
        "Batches whose counters could not be read."
    );
    describe_gauge!(
        "trailmark_journal_backlog_bytes",
        Unit::Bytes,
        "Journal not yet in Postgres."
    );
    describe_gauge!("trailmark_journal_backlog_records", "Batches not yet in Postgres.");
    describe_gauge!(
        "trailmark_journal_oldest_pending_seconds",
        Unit::Seconds,
        "Age of the oldest batch not yet in Postgres."
    );
    describe_gauge!(
        "trailmark_journal_last_commit_seconds",
        Unit::Seconds,
        "Time of the last write and fdatasync."
    );
    describe_gauge!(
        "trailmark_journal_poisoned",
        "1 after a failed write or fdatasync, until a restart."
    );
    describe_counter!("trailmark_writer_stored_total", "Events stored in Postgres.");
    describe_counter!(
        "trailmark_writer_duplicates_total",
        "Events that were stored already: a client sent them again."
    );
    describe_counter!("trailmark_writer_dead_letters_total", "Events that Postgres refused.");
    describe_counter!(
        "trailmark_writer_erased_total",
        "Accepted events that were dropped: the person was erased after they were captured."
    );
    describe_counter!(
        "trailmark_writer_refused_aliases_total",
        "Aliases that join nobody: they would have made a person of too many users."
    );
    describe_counter!(
        "trailmark_writer_errors_total",
        "Failed writes, tried again, by class of error."
    );
    describe_histogram!(
        "trailmark_writer_write_seconds",
        Unit::Seconds,
        "Time of one transaction."
    );
    describe_gauge!("trailmark_writer_connected", "1 while the last write worked.");
    describe_gauge!(
        "gateway_tls_cert_not_after_seconds",
        Unit::Seconds,
        "When a certificate of the listener ends, in seconds since 1970."
    );
    describe_histogram!(
        "trailmark_job_seconds",
        Unit::Seconds,
        "Time of a run of a background job, by job."
    );
    describe_counter!(
        "trailmark_job_failures_total",
        "Runs of background jobs that failed and are tried again, by job."
    );
    describe_counter!(
        "trailmark_questions_total",
        "Questions answered, by what answered: segments or rows."
    );
    describe_counter!(
        "trailmark_segments_corrupt_total",
        "Segments that could not be opened; rows answer until they are made anew."
    );
    describe_gauge!("trailmark_live_listeners", "Open streams of what happens now.");
    describe_counter!(
        "trailmark_bus_lost_total",
        "Messages that gave way to newer ones: their subscriber was too slow."
    );
    describe_counter!(
        "trailmark_bus_unsent_total",
        "Messages that other processes did not get, by reason."
    );
    describe_gauge!("trailmark_bus_connected", "1 while the bus is connected to its broker.");
    describe_gauge!("gateway_websockets_open", "Open sockets, by hub.");
    describe_counter!("gateway_hub_messages_total", "Messages from and to clients, by hub.");
    describe_counter!(
        "gateway_hub_dropped_total",
        "Messages that did not reach somebody, by hub and reason."
    );
    describe_counter!("gateway_hub_closed_total", "Sockets that ended, by hub and reason.");
}

/// Counts finished requests. Each route's handles are looked up once and kept, because making their labels again took
/// 3 % of the server's time under single events. Routes and statuses are ours, so there are few.
#[derive(Default)]
pub struct Requests {
    finished: RwLock<HashMap<String, HashMap<StatusCode, Finished>>>,
    accepted: OnceLock<Counter>,
}

struct Finished {
    total: Counter,
    seconds: Histogram,
}

impl Requests {
    /// Counts events that a request brought and that are on stable storage.
    pub fn accepted(&self, events: usize) {
        let accepted = self
            .accepted
            .get_or_init(|| counter!("trailmark_ingest_accepted_total"));
        accepted.increment(events as u64);
    }

    /// Counts a request that was answered with `status` after `took`.
    pub fn finished(&self, route: &str, status: StatusCode, took: Duration) {
        let known = self.finished.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(finished) = known.get(route).and_then(|by_status| by_status.get(&status)) {
            return finished.count(took);
        }
        drop(known);
        let mut known = self.finished.write().unwrap_or_else(PoisonError::into_inner);
        let by_status = known.entry(route.to_owned()).or_default();
        by_status
            .entry(status)
            .or_insert_with(|| Finished::new(route, status))
            .count(took);
    }
}

impl Finished {
    fn new(route: &str, status: StatusCode) -> Self {
        let (route, status) = (route.to_owned(), status.as_str().to_owned());
        Self {
            total: counter!("trailmark_http_requests_total", "route" => route.clone(), "status" => status),
            seconds: histogram!("trailmark_http_request_seconds", "route" => route),
        }
    }

    fn count(&self, took: Duration) {
        self.total.increment(1);
        self.seconds.record(took);
    }
}

/// Copies the state of the journal and of the live streams into their gauges; called at each scrape.
pub fn sample(journal: &dyn Journal, live: &Live) {
    gauge!("trailmark_live_listeners").set(live.listeners() as f64);
    let stats = journal.stats();
    gauge!("trailmark_journal_backlog_bytes").set(stats.backlog_bytes as f64);
    gauge!("trailmark_journal_backlog_records").set(stats.backlog_records as f64);
    gauge!("trailmark_journal_oldest_pending_seconds").set(stats.oldest_pending_age.unwrap_or_default().as_secs_f64());
    gauge!("trailmark_journal_last_commit_seconds").set(stats.last_commit_micros as f64 / 1e6);
    gauge!("trailmark_journal_poisoned").set(f64::from(u8::from(stats.poisoned.is_some())));
}
