//! What a hub counts, for the metrics and the admin listing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, counter, gauge};
use serde::Serialize;

use super::ending::Ending;

/// Why a message did not reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// The client did not read, and was closed with 1013.
    TooSlow,
    /// A service's message was larger than a client's queue.
    TooLarge,
    /// Other processes did not get it: the broker is away or behind.
    Unsent,
    /// The webhook's queue was full.
    DeliverQueueFull,
    /// The webhook failed.
    DeliverFailed,
}

impl Dropped {
    const ALL: [Self; 5] = [
        Self::TooSlow,
        Self::TooLarge,
        Self::Unsent,
        Self::DeliverQueueFull,
        Self::DeliverFailed,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::TooLarge => "too_large",
            Self::Unsent => "unsent",
            Self::DeliverQueueFull => "deliver_queue_full",
            Self::DeliverFailed => "deliver_failed",
        }
    }
}

/// A hub's counters; the handles are made once.
#[derive(Debug)]
pub(super) struct Counts {
    open: Gauge,
    messages_in: Counted,
    messages_out: Counted,
    dropped: [Counted; Dropped::ALL.len()],
    hub: String,
}

#[derive(Debug)]
struct Counted {
    metric: Counter,
    seen: AtomicU64,
}

impl Counts {
    pub(super) fn new(hub: &str) -> Self {
        let messages = |direction: &'static str| {
            Counted::new(counter!("gateway_hub_messages_total", "hub" => hub.to_owned(), "direction" => direction))
        };
        let dropped = |dropped: Dropped| {
            let reason = dropped.as_str();
            Counted::new(counter!("gateway_hub_dropped_total", "hub" => hub.to_owned(), "reason" => reason))
        };
        Self {
            open: gauge!("gateway_websockets_open", "hub" => hub.to_owned()),
            messages_in: messages("in"),
            messages_out: messages("out"),
            dropped: Dropped::ALL.map(dropped),
            hub: hub.to_owned(),
        }
    }

    pub(super) fn opened(&self) {
        self.open.increment(1.0);
    }

    pub(super) fn closed(&self, ending: Ending) {
        self.open.decrement(1.0);
        counter!("gateway_hub_closed_total", "hub" => self.hub.clone(), "reason" => ending.as_str()).increment(1);
    }

    /// A client's message came.
    pub(super) fn took_in(&self) {
        self.messages_in.add(1);
    }

    /// A service's message was put into `sockets` queues.
    pub(super) fn handed_out(&self, sockets: u64) {
        self.messages_out.add(sockets);
    }

    pub(super) fn dropped(&self, dropped: Dropped, messages: u64) {
        self.dropped[dropped as usize].add(messages);
    }

    pub(super) fn messages(&self) -> (u64, u64) {
        (self.messages_in.seen(), self.messages_out.seen())
    }

    pub(super) fn all_dropped(&self) -> BTreeMap<&'static str, u64> {
        let counts = Dropped::ALL.iter().zip(&self.dropped);
        counts
            .map(|(dropped, counted)| (dropped.as_str(), counted.seen()))
            .collect()
    }
}

impl Counted {
    const fn new(metric: Counter) -> Self {
        let seen = AtomicU64::new(0);
        Self { metric, seen }
    }

    fn add(&self, more: u64) {
        if more > 0 {
            self.metric.increment(more);
            self.seen.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

/// A hub as the admin listing shows it. The counts are those of this process since the hub was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HubState {
    /// Its name.
    pub hub: String,
    /// Open sockets.
    pub open: usize,
    /// Users and keys that have one.
    pub users: usize,
    /// Topics that somebody hears.
    pub topics: usize,
    /// Whether it lets nobody in any more.
    pub draining: bool,
    /// Messages from clients.
    pub messages_in: u64,
    /// Messages to clients, each counted for every socket.
    pub messages_out: u64,
    /// Messages that did not reach somebody, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Messages that the bus lost, because they came faster than they could be handed out.
    pub lost_by_bus: u64,
}
