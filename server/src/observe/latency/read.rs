//! From a `$request` event to what is counted. Events come from many hands, so whatever can be understood is: a number may
//! be a text, an address may be whole or in parts. What names no path is counted as unreadable.

use serde_json::{Map, Value};

use super::durations::within;
use super::endpoint::{Endpoint, Source};
use super::tally::Tally;
use super::template::template;

/// Most requests that one event may stand for: 10^9, a second's hour of 277,000 requests. A write key is public.
const COUNT_MAX: u64 = 1_000_000_000;

/// Longest duration, in microseconds: a day. What says more has another unit, or an absurd clock.
const DURATION_MAX_US: f64 = 86_400e6;

/// The methods that are told apart (RFC 9110, RFC 5789); others are `OTHER`, and `ANY` where none is said.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// Longest host, in bytes (RFC 1035: 253, and a port).
const HOST_BYTES: usize = 260;

/// What an event says of a request, or of many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What answered.
    pub endpoint: Endpoint,
    /// What is counted.
    pub tally: Tally,
    /// Nobody answers this path, or this method on it.
    pub unknown_path: bool,
}

/// Reads the properties of a `$request`. `None`: unreadable.
#[must_use]
pub fn read(properties: Option<&Value>) -> Option<Read> {
    let said = Said(properties?.as_object()?);
    let (host, path) = said.place()?;
    let source = said.text("source").and_then(Source::parse);
    let source = source.unwrap_or(if host.is_empty() {
        Source::Server
    } else {
        Source::Client
    });
    let gateway = source == Source::Gateway;
    let endpoint = Endpoint {
        source,
        host: if source == Source::Client { host } else { String::new() },
        method: method(said.text("method")),
        // The gateway's are templates already, and those that no route takes have none.
        path: if gateway && path == "/" && said.text("path") == Some("") {
            "/:unmatched".to_owned()
        } else {
            template(path)
        },
    };
    let status = said.whole("status").filter(|status| *status > 0);
    let tally = if gateway && said.0.contains_key("count") {
        said.many()?
    } else {
        said.one(status)
    };
    Some(Read {
        endpoint,
        tally,
        unknown_path: !gateway && matches!(status, Some(404 | 405)),
    })
}

/// The side that an event was told from, as far as it says; for those that cannot be read.
#[must_use]
pub fn source(properties: Option<&Value>) -> Source {
    let said = properties.and_then(|properties| properties.get("source")?.as_str());
    said.and_then(Source::parse).unwrap_or(Source::Client)
}

fn method(said: Option<&str>) -> String {
    let Some(said) = said.filter(|said| !said.is_empty()) else {
        return "ANY".to_owned();
    };
    let known = METHODS.iter().find(|known| known.eq_ignore_ascii_case(said));
    (*known.unwrap_or(&"OTHER")).to_owned()
}

/// What an event says.
struct Said<'a>(&'a Map<String, Value>);

impl<'a> Said<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    /// A number, or a text that is one.
    fn number(&self, key: &str) -> Option<f64> {
        let value = self.0.get(key)?;
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    fn whole(&self, key: &str) -> Option<u64> {
        self.number(key).map(|number| number as u64)
    }

    /// A duration in milliseconds, as microseconds.
    fn micros(&self, key: &str) -> Option<u64> {
        self.number(key)
            .map(|millis| (millis * 1e3).round().min(DURATION_MAX_US) as u64)
    }

    /// Host, which may be empty, and path.
    fn place(&self) -> Option<(String, &'a str)> {
        let path = self.text("path").or_else(|| self.text("url"))?;
        let (host, path) = match path.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (authority, path) = rest.split_at_checked(end)?;
                (authority.rsplit('@').next(), path)
            }
            _ => (None, path),
        };
        let from_gateway = self.text("source") == Some("gateway");
        let is_said = from_gateway || !path.is_empty() || host.is_some();
        let host = host.or_else(|| self.text("host")).unwrap_or_default();
        let host = host[..host.floor_char_boundary(HOST_BYTES)].to_ascii_lowercase();
        is_said.then_some((host, if path.is_empty() { "/" } else { path }))
    }

    /// One request.
    fn one(&self, status: Option<u64>) -> Tally {
        let error = self.text("error").filter(|error| !error.is_empty());
        let unanswered = status.is_none() && error.is_some();
        // Who asked did not wait: `AbortError` of a page that was left is nobody's failure.
        let given_up = unanswered && error.is_some_and(|error| error.to_ascii_lowercase().contains("abort"));
        let failed = status.is_some_and(|status| status >= 500) || (unanswered && !given_up);
        let refused = status.is_some_and(|status| (400..500).contains(&status)) || given_up;
        let mut tally = Tally {
            requests: 1,
            errors: u64::from(failed),
            client_errors: u64::from(refused),
            ..Tally::default()
        };
        if let Some(micros) = self.micros("duration_ms") {
            tally.sum_us = micros;
            tally.max_us = micros;
            tally.durations.add(micros, 1);
        }
        tally
    }

    /// The gateway's: many of a class of status.
    fn many(&self) -> Option<Tally> {
        let requests = self.whole("count").filter(|count| (1..=COUNT_MAX).contains(count))?;
        let errors = self.whole("errors").unwrap_or_default().min(requests);
        let refused = self.text("status_class") == Some("4xx");
        let mut tally = Tally {
            requests,
            errors,
            client_errors: if refused { requests - errors } else { 0 },
            sum_us: self.number("sum_ms").map_or(0, |millis| (millis * 1e3).round() as u64),
            max_us: self.micros("max_ms").unwrap_or_default(),
            ..Tally::default()
        };
        let mut left = requests;
        for pair in self.0.get("buckets_us").and_then(Value::as_array).into_iter().flatten() {
            let (below, count) = (pair.get(0)?.as_u64()?, pair.get(1)?.as_u64()?.min(left));
            tally.durations.add(within(below), count);
            left -= count;
        }
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn named(properties: &Value) -> String {
        let endpoint = read(Some(properties)).unwrap().endpoint;
        format!("{} {endpoint}", endpoint.source.as_str())
    }

    #[test]
    fn an_endpoint_is_told_by_whoever_tells_of_it() {
        for (properties, expected) in [
            (
                json!({"method": "POST", "host": "api.example.com:8443", "path": "/carts/7", "status": 201}),
                "client POST api.example.com:8443/carts/:id",
            ),
            (
                json!({"method": "get", "path": "/health", "status": "200"}),
                "server GET /health",
            ),
            (
                json!({"method": "PROPFIND", "path": "/x", "source": "client"}),
                "client OTHER /x",
            ),
            (
                json!({"path": "/x", "host": "internal:80", "source": "server"}),
                "server ANY /x",
            ),
            (
                json!({"url": "https://u:p@API.example.com/a/1?q=2#f", "method": "GET"}),
                "client GET api.example.com/a/:id",
            ),
            (
                json!({"url": "https://api.example.com?q=2", "method": "GET"}),
                "client GET api.example.com/",
            ),
            (
                json!({"url": "/a?to=https://x.example.com/b", "method": "GET"}),
                "server GET /a",
            ),
            (
                json!({"source": "gateway", "route": "users", "method": "GET", "path": "/api/{id}/{*rest}", "count": 3}),
                "gateway GET /api/{id}/{*rest}",
            ),
            (
                json!({"source": "gateway", "route": "unmatched", "method": "GET", "path": "", "count": 3}),
                "gateway GET /:unmatched",
            ),
        ] {
            assert_eq!(named(&properties), expected, "{properties}");
        }
    }

    #[test]
    fn errors_are_answers_of_500_and_more_and_no_answers() {
        for (said, errors, client_errors) in [
            (json!({"status": 200}), 0, 0),
            (json!({"status": 500}), 1, 0),
            (json!({"status": "503"}), 1, 0),
            (json!({"status": 404}), 0, 1),
            (json!({"error": "timed out"}), 1, 0),
            (json!({"status": 0, "error": "TypeError: Failed to fetch"}), 1, 0),
            (json!({"error": "AbortError: the user aborted a request."}), 0, 1),
            (json!({"status": 200, "error": "the body ended early"}), 0, 0),
            (json!({}), 0, 0),
        ] {
            let mut properties = said.clone();
            properties["path"] = json!("/");
            let tally = read(Some(&properties)).unwrap().tally;
            assert_eq!(
                (tally.requests, tally.errors, tally.client_errors),
                (1, errors, client_errors),
                "{said}"
            );
        }
    }

    #[test]
    fn durations_are_counted_where_they_are_said() {
        let tally = |ms: Value| read(Some(&json!({"path": "/", "duration_ms": ms}))).unwrap().tally;
        assert_eq!(
            (tally(json!(12.5)).sum_us, tally(json!("12.5")).max_us),
            (12_500, 12_500)
        );
        for nothing in [json!(-1), json!("soon"), Value::Null, json!([])] {
            assert_eq!(
                (tally(nothing.clone()).durations.count(), tally(nothing).sum_us),
                (0, 0)
            );
        }
        assert_eq!(tally(json!(1e300)).max_us, 86_400_000_000);
    }

    #[test]
    fn the_gateways_facts_are_many_requests() {
        let fact = json!({"source": "gateway", "route": "r", "method": "GET", "path": "/r", "status_class": "4xx",
            "interval_s": 60.0, "count": 5, "errors": 1, "sum_ms": 10.5, "max_ms": 8.0, "buckets_us": [[1024, 3], [8192, 2]]});
        let tally = read(Some(&fact)).unwrap().tally;
        assert_eq!((tally.requests, tally.errors, tally.client_errors), (5, 1, 4));
        assert_eq!(
            (tally.sum_us, tally.max_us, tally.durations.count()),
            (10_500, 8_000, 5)
        );
        assert_eq!(tally.percentile(0.5), Some(991), "within 960..1024");
        // Whoever claims more durations than requests is believed as far as the requests go.
        let mut more = fact.clone();
        more["buckets_us"] = json!([[1024, u64::MAX]]);
        assert_eq!(read(Some(&more)).unwrap().tally.durations.count(), 5);
        more["count"] = json!(0);
        assert_eq!(read(Some(&more)), None);
    }

    #[test]
    fn what_names_no_path_is_unreadable() {
        for nothing in [
            json!({}),
            json!({"path": 7}),
            json!({"path": ""}),
            json!([]),
            json!({"request_line": "\u{16}\u{3}"}),
        ] {
            assert_eq!(read(Some(&nothing)), None, "{nothing}");
        }
        assert_eq!(read(None), None);
        assert_eq!(source(Some(&json!({"source": "gateway"}))), Source::Gateway);
        assert_eq!(source(None), Source::Client);
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_bounded(path in ".{0,40}", host in ".{0,300}", method in ".{0,20}", status in any::<i64>(), ms in any::<f64>()) {
            let said = json!({"path": path, "host": host, "method": method, "status": status, "duration_ms": ms});
            if let Some(Read { endpoint, tally, .. }) = read(Some(&said)) {
                prop_assert!(endpoint.host.len() <= 300 && endpoint.method.len() <= 7 && endpoint.path.starts_with('/'));
                prop_assert!(tally.requests == 1 && tally.errors + tally.client_errors <= 1 && tally.durations.count() <= 1);
            }
        }
    }
}
