//! What an upstream counts, with handles made once.

use metrics::{Counter, Histogram, counter, histogram};

/// The counters of one upstream.
pub(super) struct Meters {
    /// From the choice of an address to the head of its answer.
    pub(super) duration: Histogram,
    /// Retries that brought an answer.
    pub(super) succeeded: Counter,
    /// Retries that did not.
    pub(super) failed: Counter,
    /// Retries that the budget had no room for.
    pub(super) over_budget: Counter,
}

impl Meters {
    pub(super) fn new(upstream: &str) -> Self {
        let retries = |result: &'static str| counter!("gateway_retries_total", "upstream" => upstream.to_owned(), "result" => result);
        Self {
            duration: histogram!("gateway_upstream_duration_seconds", "upstream" => upstream.to_owned()),
            succeeded: retries("succeeded"),
            failed: retries("failed"),
            over_budget: retries("over_budget"),
        }
    }
}
