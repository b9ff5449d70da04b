//! WebSockets for services that hold none: clients keep one socket to the gateway, and what they say goes to the
//! [bus](crate::bus), and what services publish there goes to them. The manual is docs/gateway-hub.md.
//!
//! A socket's way in: `origin` → `handshake` → a place in the `registry` → `socket`, which reads the `protocol`. A client's
//! message: socket → `envelope` → bus, and [`deliver`] for services without one. A service's message: bus, or `publish` →
//! `names` → registry → each socket's `outbox`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{SelectAll, select_all};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::bus::{Message, Pattern, SharedBus, Subscription, Topic};
use crate::clock::SharedClock;
use config::HubConfig;
use count::{Counts, Dropped, HubState};
use data::Data;
use deliver::{Courier, Deliver};
use ending::Ending;
use envelope::{Envelope, Who};
use names::{Names, To};
use origin::Origins;
use outbox::{Outbox, Put};
use protocol::{Says, Wrong};
use registry::{Limits, Registry};

pub mod config;
mod join;
mod origin;
mod handshake;
mod registry;
mod socket;
mod timing;
mod protocol;
mod data;
mod envelope;
mod names;
mod outbox;
pub mod ending;
pub mod deliver;
mod publish;
pub mod count;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use handshake::SUBPROTOCOL;

/// What a hub stands on.
#[derive(Clone)]
pub struct Parts {
    /// Where messages go and come from.
    pub bus: SharedBus,
    /// What posts to upstreams, for hubs with `deliver`.
    pub deliver: Arc<dyn Deliver>,
    /// Tells the time.
    pub clock: SharedClock,
}

/// A hub.
pub struct Hub {
    name: String,
    config: HubConfig,
    origins: Origins,
    /// What clients may subscribe to.
    topics: Vec<Pattern>,
    names: Names,
    inboxes: Vec<Topic>,
    presence: Topic,
    bus: SharedBus,
    courier: Option<Courier>,
    clock: SharedClock,
    registry: Mutex<Registry<Arc<Outbox>>>,
    counts: Arc<Counts>,
    /// How many messages the bus has lost of those for this hub.
    lost: AtomicU64,
    sockets: TaskTracker,
    /// Ends sockets at once.
    cut: CancellationToken,
    _handing_out: DropGuard,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Starts a hub, within a runtime.
    ///
    /// # Errors
    /// What is wrong with its settings or its name, which is of letters, digits, `_` and `-`.
    pub fn start(name: &str, config: HubConfig, parts: Parts) -> Result<Arc<Self>, Vec<String>> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        Self::build(name, config, parts).map_err(|bad| vec![bad.to_string()])
    }

    /// Whether it is the hub that `config` describes, so that it can stay over a reload with its sockets.
    #[must_use]
    pub fn is_same(&self, config: &HubConfig) -> bool {
        self.config == *config
    }

    fn build(name: &str, config: HubConfig, parts: Parts) -> Result<Arc<Self>, crate::bus::topic::BadTopic> {
        let names = Names::new(name);
        let heard = names.outward()?.map(|pattern| parts.bus.subscribe(&pattern));
        let inboxes = match config.publish_to.as_slice() {
            [] => vec![names.inbox()?],
            topics => topics.iter().map(|topic| Topic::new(topic)).collect::<Result<_, _>>()?,
        };
        let counts = Arc::new(Counts::new(name));
        let deliver = config.deliver.as_ref();
        let stop = CancellationToken::new();
        let hub = Arc::new(Self {
            origins: Origins::new(&config.origins),
            topics: config
                .topics
                .iter()
                .map(|topic| Pattern::new(topic))
                .collect::<Result<_, _>>()?,
            inboxes,
            presence: names.presence()?,
            courier: deliver.map(|deliver| Courier::start(deliver, &parts.deliver, &counts)),
            registry: Mutex::new(Registry::new(limits(&config))),
            name: name.to_owned(),
            bus: parts.bus,
            clock: parts.clock,
            lost: AtomicU64::new(0),
            sockets: TaskTracker::new(),
            cut: CancellationToken::new(),
            _handing_out: stop.clone().drop_guard(),
            config,
            names,
            counts,
        });
        let handing_out = hand_out_all(Arc::downgrade(&hub), select_all(heard));
        tokio::spawn(stop.run_until_cancelled_owned(handing_out));
        Ok(hub)
    }

    /// Lets nobody in any more, closes every socket with 1001 and waits until all are gone, at the longest `within`; then
    /// those that are left are cut.
    pub async fn drain(&self, within: Duration) {
        self.close_all();
        self.sockets.close();
        if tokio::time::timeout(within, self.sockets.wait()).await.is_err() {
            tracing::warn!(
                hub = self.name,
                "sockets were cut: their clients did not answer the closing in time"
            );
            self.cut.cancel();
            self.sockets.wait().await;
        }
    }

    fn close_all(&self) {
        let mut registry = self.registry();
        registry.close();
        registry.all().for_each(|outbox| outbox.end(Ending::Draining));
    }

    /// What it is doing, for the admin listing.
    #[must_use]
    pub fn state(&self) -> HubState {
        let registry = self.registry();
        let (messages_in, messages_out) = self.counts.messages();
        HubState {
            hub: self.name.clone(),
            open: registry.sockets(),
            users: registry.owners(),
            topics: registry.topics(),
            draining: registry.is_closed(),
            messages_in,
            messages_out,
            dropped: self.counts.all_dropped(),
            lost_by_bus: self.lost.load(Ordering::Relaxed),
        }
    }

    /// Publishes a client's message.
    fn take_in(&self, who: &Who, data: Data<'_>) -> Result<(), Wrong> {
        self.counts.took_in();
        let envelope = Envelope::message(&self.name, who, self.clock.now(), data);
        let is_sent = self.tell(who, &self.inboxes, &envelope);
        is_sent.then_some(()).ok_or(Wrong::NotSentOn)
    }

    /// Whether it got to all processes.
    fn tell(&self, who: &Who, topics: &[Topic], envelope: &Envelope<'_>) -> bool {
        let payload = envelope.bytes();
        if let Some(courier) = &self.courier {
            courier.take(&who.connection, payload.clone());
        }
        let publish = |topic: &Topic| {
            let message = Message {
                topic: topic.clone(),
                payload: payload.clone(),
            };
            self.bus.publish(message).is_err()
        };
        let unsent = topics.iter().map(publish).filter(|is_unsent| *is_unsent).count();
        self.counts.dropped(Dropped::Unsent, unsent as u64);
        unsent == 0
    }

    fn subscribe(&self, who: &Who, topic: &str) -> Result<(), Wrong> {
        let name = Topic::new(topic).map_err(|_| Wrong::TopicNotAllowed)?;
        if !self.topics.iter().any(|allowed| allowed.matches(&name)) {
            return Err(Wrong::TopicNotAllowed);
        }
        let subscribed = self.registry().subscribe(&who.connection, topic);
        subscribed.map_err(|_| Wrong::TooManyTopics)
    }

    fn unsubscribe(&self, who: &Who, topic: &str) {
        self.registry().unsubscribe(&who.connection, topic);
    }

    /// Puts a service's message into the queues of those it is for. The text is made once and shared by all of them.
    fn hand_out(&self, message: &Message) {
        let Some(to) = self.names.to(&message.topic) else {
            return;
        };
        let topic = match &to {
            To::Topic(topic) => Some(topic.as_str()),
            _ => None,
        };
        let text = Says::message(topic, &message.payload).text();
        if text.len() > self.config.queue_bytes.0 {
            return self.counts.dropped(Dropped::TooLarge, 1);
        }
        let registry = self.registry();
        let outboxes: Box<dyn Iterator<Item = &Arc<Outbox>>> = match &to {
            To::User(user) => Box::new(registry.of_user(user)),
            To::Connection(connection) => Box::new(registry.of_connection(connection)),
            To::Topic(topic) => Box::new(registry.of_topic(topic)),
        };
        let (mut put, mut slow) = (0, 0);
        for outbox in outboxes {
            match outbox.put(text.clone()) {
                Put::Waits => put += 1,
                Put::Overflowed(lost) => slow += lost,
                // It is on its way out: as good as gone.
                Put::Ended => {}
            }
        }
        self.counts.handed_out(put);
        self.counts.dropped(Dropped::TooSlow, slow);
    }

    fn registry(&self) -> MutexGuard<'_, Registry<Arc<Outbox>>> {
        // Each change is whole before anything could panic.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn limits(config: &HubConfig) -> Limits {
    Limits {
        sockets: config.max_sockets,
        per_owner: config.max_per_user,
        topics_per_socket: config.max_topics,
    }
}

async fn hand_out_all(hub: Weak<Hub>, mut heard: SelectAll<Subscription>) {
    while let Some(message) = heard.next().await {
        let Some(hub) = hub.upgrade() else { return };
        hub.hand_out(&message);
        let lost = heard.iter().map(Subscription::lost).sum();
        hub.lost.store(lost, Ordering::Relaxed);
    }
}
