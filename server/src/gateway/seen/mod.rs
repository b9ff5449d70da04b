//! What is seen of the gateway's traffic: for each request one line in the access [`log`], its [`metrics`], a span for a
//! trace collector ([`otlp`]), and its share in the latency [`facts`].
//!
//! [`Seen`] is made when a request begins, learns on its way what becomes of it, and is told of all four when the answer's
//! body has ended, or its client has left: exactly once, whatever happens. Traces are in [`trace`], and what must not be
//! shown is left out by [`redact`].

use std::sync::Arc;

use ::metrics::{Counter, counter};

pub mod trace;
pub mod redact;
pub mod log;
pub mod writer;
mod line;
pub mod metrics;
pub mod record;
mod body;
pub mod otlp;
mod spans;
pub mod facts;
mod recipient;
#[cfg(test)]
mod tests;

pub use facts::{Facts, FactsConfig};
pub use log::{LogConfig, LogPolicy};
pub use metrics::RouteMetrics;
pub use otlp::{OtlpConfig, Spans};
pub use recipient::Projects;
pub use record::{Arrival, Outcome, Record, Seen};
pub use trace::{TraceConfig, TraceIds, Traceparent};
pub use writer::LogWriter;

/// What finished requests are told to. A snapshot of the configuration has one; the writer, the exporter and the facts live
/// on across reloads.
#[derive(Debug, Default)]
pub struct Witness {
    /// The access log: what is written, and by whom.
    pub log: Option<(LogPolicy, Arc<LogWriter>)>,
    /// Where spans go.
    pub spans: Option<Arc<Spans>>,
    /// Where latency facts are gathered.
    pub facts: Option<Arc<Facts>>,
}

/// A route as it is seen: its names, and its metrics.
#[derive(Debug)]
pub struct SeenRoute {
    /// Its id.
    pub id: Arc<str>,
    /// Its path, as the configuration has it.
    pub path: Arc<str>,
    /// The upstream that it leads to, if it leads to one.
    pub upstream: Option<Arc<str>>,
    /// Its metrics.
    pub metrics: RouteMetrics,
}

/// The id of requests that no route takes.
pub const UNMATCHED: &str = "unmatched";

impl SeenRoute {
    /// The route `id` with the path template `path`, which leads to no upstream.
    #[must_use]
    pub fn new(id: &str, path: &str) -> Arc<Self> {
        Self::towards(None, id, path)
    }

    /// The same, which leads to the upstream of this name.
    #[must_use]
    pub fn towards(upstream: Option<&str>, id: &str, path: &str) -> Arc<Self> {
        let id = Arc::from(id);
        Arc::new(Self {
            metrics: RouteMetrics::new(&id),
            path: Arc::from(path),
            upstream: upstream.map(Arc::from),
            id,
        })
    }

    /// What requests have until they meet a route.
    #[must_use]
    pub fn unmatched() -> Arc<Self> {
        Self::new(UNMATCHED, "")
    }
}

/// Whether something that drew `number` is among `share` of all.
fn is_sampled(number: u32, share: f64) -> bool {
    // Up to 2^53 whole numbers are exact, so a share of 1 takes every one in, and of 0 none.
    f64::from(number) < share * (f64::from(u32::MAX) + 1.0)
}

fn share_problem(key: &str, share: f64) -> Option<String> {
    (!(0.0..=1.0).contains(&share)).then(|| format!("{key}: {share} is not between 0 and 1"))
}

/// A counter of what was dropped.
fn dropped(name: &'static str) -> Counter {
    counter!(name)
}
