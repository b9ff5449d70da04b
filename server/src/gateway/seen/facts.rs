//! The gateway's traffic as latency facts: `$request` events in our own journal, from which the dashboard tells volume,
//! error rate and percentiles for each endpoint.
//!
//! An event for each request would make as many events as requests. One stands for all requests of a route, method and
//! class of status in an interval: `count` of them, `errors` among them, and their durations as buckets that can be added
//! up over any time and any number of servers. A duration is the time to the answer's head, as in the SDKs' `$request`. Its `path` is the route's template, so there are as many series as routes,
//! and an hour of 100 busy ones is 6,000 events, whatever the traffic.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::Counter;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use trailmark_protocol::json::{Array, Object, write_f64, write_u64};
use trailmark_protocol::{Timestamp, Uuid, id, limits, names};

use super::metrics::{FACTS_DROPPED, method_label};
use super::recipient::{Projects, Recipient};
use super::record::{CLIENT_LEFT, Record};
use crate::clock::SharedClock;
use crate::digest::Digest;
use crate::event::{AcceptedEvent, BatchHead, BatchWriter};
use crate::gateway::units::Span;
use crate::journal::Journal;

/// Who the facts are of: an event belongs to somebody.
pub const GATEWAY: &str = "$gateway";

/// Most series in one interval: 4,096, at about 1 KiB each. 1,000 routes with two methods and two classes are 4,000.
const SERIES: usize = 4_096;

/// Bytes of one event, for the first guess of a record's size.
const EVENT_BYTES: usize = 512;

/// The shortest interval, which bounds the number of events.
const SHORTEST: Span = Span::seconds(1);

/// The longest, so that the dashboard is not an hour behind.
const LONGEST: Span = Span::seconds(3600);

/// `[facts]`: latency facts about the gateway's own traffic. Without it, there are none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsConfig {
    /// The number of the project that they belong to. While there is no such project, there are no facts, and the log says so.
    pub project: i32,
    /// How often they are written, from `"1s"` to `"1h"`: an event for each route, method and class of status that was
    /// asked for in the meantime.
    #[serde(default = "every_minute")]
    pub flush: Span,
}

fn every_minute() -> Span {
    Span::seconds(60)
}

impl FactsConfig {
    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.project < 1 {
            problems.push(format!("project: {} is not the number of a project", self.project));
        }
        if !(SHORTEST..=LONGEST).contains(&self.flush) {
            problems.push("flush: from \"1s\" to \"1h\"".to_owned());
        }
        problems
    }
}

/// What requests have in common that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Series {
    route: Arc<str>,
    path: Arc<str>,
    method: &'static str,
    class: u16,
}

#[derive(Debug, Default)]
struct Tally {
    errors: u64,
    durations: Digest,
}

#[derive(Debug)]
struct Gathered {
    since: Timestamp,
    series: HashMap<Series, Tally>,
}

/// Gathers facts and, from time to time, makes events of them.
#[derive(Debug)]
pub struct Facts {
    config: FactsConfig,
    gathered: Mutex<Gathered>,
    dropped: Counter,
}

/// An event's own parts; the rest is the same for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    id: Uuid,
    at: Timestamp,
    properties: String,
}

impl Fact {
    /// The event as the journal takes it.
    #[must_use]
    pub fn event(&self) -> AcceptedEvent<'_> {
        AcceptedEvent {
            id: self.id,
            seq: None,
            name: names::REQUEST,
            anonymous_id: Some(GATEWAY),
            user_id: None,
            alias: None,
            session_id: None,
            timestamp: self.at,
            client_timestamp: self.at,
            properties: Some(&self.properties),
            context: None,
            set: None,
            set_once: None,
        }
    }
}

impl Facts {
    /// Gathers from `now` on.
    #[must_use]
    pub fn new(config: FactsConfig, now: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            config,
            gathered: Mutex::new(Gathered {
                since: now,
                series: HashMap::new(),
            }),
            dropped: super::dropped(FACTS_DROPPED),
        })
    }

    /// Takes in a finished request.
    pub fn note(&self, record: &Record) {
        let series = Series {
            route: Arc::clone(&record.route.id),
            path: Arc::clone(&record.route.path),
            method: method_label(&record.method),
            class: record.status().as_u16() / 100,
        };
        self.add(series, record.is_error(), record.latency());
    }

    fn add(&self, series: Series, is_error: bool, took: Duration) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.series.len() >= SERIES && !gathered.series.contains_key(&series) {
            return self.dropped.increment(1);
        }
        let tally = gathered.series.entry(series).or_default();
        tally.errors += u64::from(is_error);
        tally.durations.add(took);
    }

    /// The events of what was gathered since the last time; `entropy` makes unpredictable bytes for their ids.
    pub fn flush(&self, now: Timestamp, mut entropy: impl FnMut() -> [u8; 10]) -> Vec<Fact> {
        let fresh = Gathered {
            since: now,
            series: HashMap::new(),
        };
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        let Gathered { since, series } = std::mem::replace(&mut *gathered, fresh);
        drop(gathered);
        let interval_s = (now.micros().saturating_sub(since.micros())).max(0) as f64 / 1e6;
        let millis = u64::try_from(since.millis()).unwrap_or(0);
        let mut fact = |(series, tally): (&Series, &Tally)| Fact {
            id: id::v7(millis, entropy()),
            at: since,
            properties: properties(series, tally, interval_s),
        };
        series.iter().map(&mut fact).collect()
    }

    /// The records of a flush, as the journal takes them: none is larger than a batch may be.
    #[must_use]
    pub fn records(&self, facts: &[Fact], now: Timestamp) -> Vec<bytes::Bytes> {
        let head = BatchHead {
            project_id: self.config.project,
            received_at: now,
            install_id: None,
        };
        let record = |facts: &[Fact]| {
            let mut writer = BatchWriter::new(&head, facts.len() * EVENT_BYTES);
            facts.iter().for_each(|fact| writer.push(&fact.event()));
            writer.finish()
        };
        facts.chunks(limits::BATCH_EVENTS).map(record).collect()
    }

    /// Writes facts until `stop`, and then what is left; none for a project that is not among `projects`.
    pub async fn run(
        self: Arc<Self>,
        journal: Arc<dyn Journal>,
        projects: Arc<dyn Projects>,
        clock: SharedClock,
        stop: CancellationToken,
    ) {
        let mut recipient = Recipient::new(self.config.project, projects);
        let first = until_next(clock.now(), self.config.flush.0);
        tokio::select! {
            () = recipient.find() => {}
            () = tokio::time::sleep(first) => {}
            () = stop.cancelled() => {}
        }
        loop {
            let wait = until_next(clock.now(), self.config.flush.0);
            let stopped = tokio::time::timeout(wait, stop.cancelled()).await.is_ok();
            // At the end nothing is waited for: the journal is about to be closed.
            if !stopped {
                recipient.look().await;
            }
            self.write(&*journal, &recipient, clock.now()).await;
            if stopped {
                return;
            }
        }
    }

    async fn write(&self, journal: &dyn Journal, recipient: &Recipient, now: Timestamp) {
        let facts = self.flush(now, entropy);
        if recipient.is_missing() {
            return self.dropped.increment(facts.len() as u64);
        }
        for (record, facts) in self
            .records(&facts, now)
            .into_iter()
            .zip(facts.chunks(limits::BATCH_EVENTS))
        {
            if let Err(error) = journal.append(record).await {
                tracing::warn!(%error, "latency facts were dropped");
                self.dropped.increment(facts.len() as u64);
            }
        }
    }
}

/// How long until the clock shows a whole number of intervals: all servers write at the same times, so theirs add up.
fn until_next(now: Timestamp, every: Duration) -> Duration {
    let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
    let left = every - now.micros().rem_euclid(every);
    Duration::from_micros(left.unsigned_abs())
}

/// Ten unpredictable bytes; a v4 UUID has its fixed bits where a v7 has them.
fn entropy() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[6..]);
    bytes
}

/// Named as those of the SDKs' `$request` where they mean the same.
fn properties(series: &Series, tally: &Tally, interval_s: f64) -> String {
    let mut out = String::with_capacity(EVENT_BYTES);
    let durations = &tally.durations;
    let mut object = Object::open(&mut out)
        .str("source", "gateway")
        .str("route", &series.route)
        .str("method", series.method)
        .str("path", &series.path)
        .str("status_class", class(series.class));
    write_f64(object.key("interval_s"), interval_s);
    object = object.int("count", durations.count()).int("errors", tally.errors);
    let millis = |micros: u64| micros as f64 / 1e3;
    for (key, value) in [
        ("sum_ms", durations.sum_micros()),
        ("max_ms", durations.longest_micros()),
        ("p50_ms", durations.percentile(0.50)),
        ("p95_ms", durations.percentile(0.95)),
        ("p99_ms", durations.percentile(0.99)),
    ] {
        write_f64(object.key(key), millis(value));
    }
    let mut buckets = Array::open(object.key("buckets_us"));
    for (below, count) in durations.buckets() {
        let mut pair = Array::open(buckets.element());
        write_u64(pair.element(), below);
        write_u64(pair.element(), u64::from(count));
        pair.close();
    }
    buckets.close();
    object.close();
    out
}

fn class(hundreds: u16) -> &'static str {
    match hundreds {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

// A client that left is not the server's error.
const _: () = assert!(CLIENT_LEFT.as_u16() / 100 == 4);

#[cfg(test)]
mod tests;
