//! The gateway's metrics: every name with its meaning, and the handles of a route. Labels come from the configuration, but
//! for methods and statuses, of which there are few.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use trailmark_protocol::Timestamp;

use super::record::Outcome;

macro_rules! names {
    ($($(#[$unit:ident])? $kind:ident $name:ident = $text:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $text;)*

        /// Says what each metric of the gateway means.
        pub fn describe() {
            $(names!(@describe $kind $name $meaning $($unit)?);)*
        }
    };
    (@describe counter $name:ident $meaning:literal) => { describe_counter!($name, $meaning) };
    (@describe counter $name:ident $meaning:literal $unit:ident) => { describe_counter!($name, Unit::$unit, $meaning) };
    (@describe gauge $name:ident $meaning:literal) => { describe_gauge!($name, $meaning) };
    (@describe gauge $name:ident $meaning:literal $unit:ident) => { describe_gauge!($name, Unit::$unit, $meaning) };
    (@describe histogram $name:ident $meaning:literal $unit:ident) => {
        describe_histogram!($name, Unit::$unit, $meaning)
    };
}

names! {
    counter REQUESTS = "gateway_requests_total"
        "Requests by route, method and status; 499: the client left before there was an answer.";
    counter CUT = "gateway_cut_total"
        "Answers that did not reach their end, by route and outcome: aborted by the client, or broken on our side.";
    #[Seconds] histogram REQUEST_SECONDS = "gateway_request_duration_seconds"
        "Time from a request's head to the end of its answer, by route; of sockets and event streams to its head.";
    #[Seconds] histogram UPSTREAM_SECONDS = "gateway_upstream_duration_seconds"
        "Time to the head of an upstream's answer, by upstream.";
    gauge INFLIGHT = "gateway_inflight" "Requests being answered, by route.";
    #[Bytes] counter REQUEST_BYTES = "gateway_request_bytes_total" "Request bodies, by route.";
    #[Bytes] counter RESPONSE_BYTES = "gateway_response_bytes_total" "Response bodies, by route.";
    counter RATE_LIMITED = "gateway_rate_limited_total" "Requests refused by a limit, by its name.";
    counter AUTH_FAILURES = "gateway_auth_failures_total" "Requests refused for their credentials, by what is wrong with them.";
    gauge UPSTREAM_UP = "gateway_upstream_up" "1 while an upstream's endpoint may be sent requests.";
    gauge BREAKER_STATE = "gateway_breaker_state" "An upstream's circuit breaker: 0 closed, 1 half open, 2 open.";
    counter RETRIES = "gateway_retries_total" "Second and further attempts, by upstream and result.";
    counter CACHE = "gateway_cache_total" "Requests that met the cache, by route and what it did.";
    gauge WEBSOCKETS_OPEN = "gateway_websockets_open" "Open WebSockets.";
    counter CONFIG_RELOADS = "gateway_config_reloads_total" "Readings of the gateway's file, by result: ok or failed.";
    #[Seconds] gauge LAST_RELOAD_SUCCESS = "gateway_config_last_reload_success_timestamp_seconds"
        "When the present routes were read, in seconds since 1970.";
    #[Seconds] gauge CERT_NOT_AFTER = "gateway_tls_cert_not_after_seconds"
        "When the TLS certificate expires, in seconds since 1970.";
    counter LOG_DROPPED = "gateway_log_dropped_total" "Access log lines dropped: the queue was full, or the target failed.";
    counter SPANS_DROPPED = "gateway_spans_dropped_total"
        "Spans dropped: the queue was full, or the collector did not take them.";
    counter FACTS_DROPPED = "gateway_facts_dropped_total"
        "Latency facts dropped: too many at once, no such project, or the journal did not take them.";
}

/// Counts a request that the limit `policy` refused. For each limit, keep what this returns.
pub fn rate_limited(policy: &str) -> Counter {
    counter!(RATE_LIMITED, "policy" => policy.to_owned())
}

/// Counts a request refused for its credentials; `reason` is a problem code, where no token or key says more.
pub fn auth_failure(reason: &'static str) {
    counter!(AUTH_FAILURES, "reason" => reason).increment(1);
}

/// Counts a reading of the gateway's file, and notes when it worked.
pub fn config_reloaded(worked: bool, now: Timestamp) {
    let result = if worked { "ok" } else { "failed" };
    counter!(CONFIG_RELOADS, "result" => result).increment(1);
    if worked {
        gauge!(LAST_RELOAD_SUCCESS).set(now.millis() as f64 / 1e3);
    }
}

/// How many WebSockets are open. Keep it.
pub fn websockets_open() -> Gauge {
    gauge!(WEBSOCKETS_OPEN)
}

/// The methods that have a label of their own.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE",
];

/// The label of a method: strangers may make up methods, so those are one.
pub(super) fn method_label(method: &Method) -> &'static str {
    let known = METHODS.iter().find(|known| **known == method.as_str());
    known.copied().unwrap_or("other")
}

/// The kept handles for one route's methods and statuses. A route that meets more than these, which none should, has
/// the others looked up each time.
const HANDLES: usize = 32;

/// The handles of one route, made once.
pub struct RouteMetrics {
    route: Arc<str>,
    requests: [OnceLock<(Answered, Counter)>; HANDLES],
    seconds: Histogram,
    inflight: Gauge,
    bytes_in: Counter,
    bytes_out: Counter,
    cut: [OnceLock<Counter>; 2],
}

type Answered = (&'static str, StatusCode);

/// A finished request, as far as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Finished<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its status.
    pub status: StatusCode,
    /// How its answer ended.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// Length of its body, in bytes.
    pub bytes_in: u64,
    /// Length of the answer's body, in bytes.
    pub bytes_out: u64,
}

impl RouteMetrics {
    /// The handles of the route named `route`.
    #[must_use]
    pub fn new(route: &Arc<str>) -> Self {
        let label = || route.to_string();
        Self {
            requests: Default::default(),
            seconds: histogram!(REQUEST_SECONDS, "route" => label()),
            inflight: gauge!(INFLIGHT, "route" => label()),
            bytes_in: counter!(REQUEST_BYTES, "route" => label()),
            bytes_out: counter!(RESPONSE_BYTES, "route" => label()),
            cut: Default::default(),
            route: Arc::clone(route),
        }
    }

    /// A request has come to the route.
    pub fn began(&self) {
        self.inflight.increment(1.0);
    }

    /// A request that had begun here goes elsewhere, or has finished.
    pub fn left(&self) {
        self.inflight.decrement(1.0);
    }

    /// Counts a finished request.
    pub fn finished(&self, finished: &Finished<'_>) {
        self.count((method_label(finished.method), finished.status));
        self.seconds.record(finished.took);
        if finished.bytes_in > 0 {
            self.bytes_in.increment(finished.bytes_in);
        }
        if finished.bytes_out > 0 {
            self.bytes_out.increment(finished.bytes_out);
        }
        if finished.outcome != Outcome::Complete {
            let word = finished.outcome.as_str();
            let slot = &self.cut[usize::from(finished.outcome == Outcome::Broken)];
            slot.get_or_init(|| counter!(CUT, "route" => self.route.to_string(), "outcome" => word))
                .increment(1);
        }
    }

    /// Looks from a slot of the key's own to the next free one; once taken, a slot is its key's for good.
    fn count(&self, answered: Answered) {
        let (method, status) = answered;
        let first = usize::from(status.as_u16()) + method.len() * 5;
        for step in 0..HANDLES {
            let slot = &self.requests[(first + step) % HANDLES];
            let (owner, counter) = slot.get_or_init(|| (answered, self.requests_counter(answered)));
            if *owner == answered {
                return counter.increment(1);
            }
        }
        self.requests_counter(answered).increment(1);
    }

    fn requests_counter(&self, (method, status): Answered) -> Counter {
        let code = status.as_str().to_owned();
        counter!(REQUESTS, "route" => self.route.to_string(), "method" => method, "code" => code)
    }
}

impl std::fmt::Debug for RouteMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RouteMetrics")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusHandle;

    use super::*;

    fn recorded(work: impl FnOnce()) -> String {
        let recorder = crate::telemetry::builder().unwrap().build_recorder();
        let handle: PrometheusHandle = recorder.handle();
        metrics::with_local_recorder(&recorder, work);
        handle.render()
    }

    fn finished(method: &Method, status: u16) -> Finished<'_> {
        Finished {
            method,
            status: StatusCode::from_u16(status).unwrap(),
            outcome: Outcome::Complete,
            took: Duration::from_millis(3),
            bytes_in: 10,
            bytes_out: 1_000,
        }
    }

    #[test]
    fn a_request_is_counted_under_its_route_method_and_status_and_in_its_bucket() {
        let text = recorded(|| {
            let route = RouteMetrics::new(&"users".into());
            route.began();
            route.finished(&finished(&Method::GET, 200));
            route.finished(&finished(&Method::GET, 200));
            route.finished(&Finished {
                outcome: Outcome::Aborted,
                ..finished(&Method::POST, 502)
            });
        });
        for line in [
            r#"gateway_requests_total{route="users",method="GET",code="200"} 2"#,
            r#"gateway_requests_total{route="users",method="POST",code="502"} 1"#,
            r#"gateway_request_duration_seconds_bucket{route="users",le="0.0025"} 0"#,
            r#"gateway_request_duration_seconds_bucket{route="users",le="0.005"} 3"#,
            r#"gateway_request_bytes_total{route="users"} 30"#,
            r#"gateway_response_bytes_total{route="users"} 3000"#,
            r#"gateway_inflight{route="users"} 1"#,
            r#"gateway_cut_total{route="users",outcome="aborted"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn more_statuses_than_kept_handles_are_all_counted() {
        let text = recorded(|| {
            let route = RouteMetrics::new(&"r".into());
            for status in (200..300).chain(200..300) {
                route.finished(&finished(&Method::GET, status));
            }
        });
        for status in 200..300 {
            let line = format!(r#"gateway_requests_total{{route="r",method="GET",code="{status}"}} 2"#);
            assert!(text.contains(&line), "{line}");
        }
    }

    #[test]
    fn methods_that_strangers_make_up_are_one_label() {
        let text = recorded(|| {
            let route = RouteMetrics::new(&"r".into());
            for method in ["PROPFIND", "BREW", "get"] {
                route.finished(&finished(&method.parse().unwrap(), 405));
            }
        });
        assert!(
            text.contains(r#"gateway_requests_total{route="r",method="other",code="405"} 3"#),
            "{text}"
        );
    }

    #[test]
    fn limits_credentials_and_reloads_are_counted_under_their_names() {
        let text = recorded(|| {
            rate_limited("ip").increment(1);
            auth_failure("invalid_token");
            config_reloaded(false, Timestamp::from_millis(5_000));
            config_reloaded(true, Timestamp::from_millis(1_500));
            websockets_open().set(2.0);
        });
        for line in [
            r#"gateway_rate_limited_total{policy="ip"} 1"#,
            r#"gateway_auth_failures_total{reason="invalid_token"} 1"#,
            r#"gateway_config_reloads_total{result="failed"} 1"#,
            r#"gateway_config_reloads_total{result="ok"} 1"#,
            "gateway_config_last_reload_success_timestamp_seconds 1.5",
            "gateway_websockets_open 2",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
