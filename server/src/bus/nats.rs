//! A bus of many processes: NATS (<https://nats.io>, core messages, not JetStream).
//!
//! Messages of this process reach its own subscriptions directly and the others through the broker, which sends none back
//! (`echo: false`). So with the broker away everything goes on within the process: [`Unsent`] and a counter say that others
//! missed a message, and the client connects again by itself. What others published meanwhile is not made up for.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt;
use metrics::{Gauge, counter, gauge};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::queue::Queue;
use super::{Bus, LocalBus, Message, Pattern, Subscription, Topic, Unsent};
use crate::gateway::units::Secret;

/// Most messages that wait for the broker, here and once more in the client: 256. Of 64 KiB each, twice that is 32 MiB.
const BACKLOG: usize = 256;

/// The longest pause between two attempts to connect: 2 s, so that a broker's restart is noticed soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a connection may take to be made: 2 s, within one data centre.
const CONNECT: Duration = Duration::from_secs(2);

/// A bus of many processes.
#[derive(Debug)]
pub struct NatsBus {
    local: LocalBus,
    client: Client,
    outbox: mpsc::Sender<Message>,
    /// Ends what carries messages, when the bus is dropped.
    stop: CancellationToken,
}

/// Why there is no such bus.
#[derive(Debug, thiserror::Error)]
#[error("the broker's address or its settings cannot be used: {0}")]
pub struct CannotConnect(#[from] async_nats::ConnectError);

impl NatsBus {
    /// A bus over the broker at `urls`: `nats://host:4222` or `tls://…`, several of a cluster with commas between. Whether
    /// it answers is not waited for.
    ///
    /// # Errors
    /// [`CannotConnect`] if an address makes no sense.
    pub async fn connect(urls: &Secret) -> Result<Arc<Self>, CannotConnect> {
        let urls: Vec<String> = urls.reveal().split(',').map(|url| url.trim().to_owned()).collect();
        let client = options().connect(urls).await?;
        let (outbox, waiting) = mpsc::channel(BACKLOG);
        tokio::spawn(send_all(client.clone(), waiting));
        Ok(Arc::new(Self {
            local: LocalBus::default(),
            client,
            outbox,
            stop: CancellationToken::new(),
        }))
    }

    fn send(&self, message: Message) -> Result<(), Unsent> {
        if self.client.connection_state() != State::Connected {
            return Err(Unsent::BrokerAway);
        }
        let limit = self.client.max_payload();
        if message.payload.len() > limit {
            return Err(Unsent::TooLarge { limit });
        }
        self.outbox.try_send(message).map_err(|_| Unsent::Backlog)
    }
}

impl Bus for NatsBus {
    fn publish(&self, message: Message) -> Result<(), Unsent> {
        self.local.hand_out(&message);
        self.send(message).inspect_err(|unsent| count(unsent.as_str()))
    }

    fn subscribe(&self, pattern: &Pattern) -> Subscription {
        let queue = Queue::new();
        self.local.add(pattern, &queue);
        let stop = self.stop.child_token();
        let carrying = carry(self.client.clone(), pattern.clone(), Arc::downgrade(&queue));
        tokio::spawn(stop.clone().run_until_cancelled_owned(carrying));
        Subscription::new(queue).carried(stop.drop_guard())
    }
}

impl Drop for NatsBus {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn options() -> ConnectOptions {
    let connected = gauge!("trailmark_bus_connected");
    ConnectOptions::new()
        .name("trailmark")
        .no_echo()
        .retry_on_initial_connect()
        .connection_timeout(CONNECT)
        .client_capacity(BACKLOG)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            say(&connected, &event);
            std::future::ready(())
        })
}

/// 0, 100, 200, 400 … ms.
fn pause(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(2)).unwrap_or(u32::MAX).min(10);
    let pause = Duration::from_millis(if attempt <= 1 { 0 } else { 100 << doublings });
    pause.min(LONGEST_PAUSE)
}

fn say(connected: &Gauge, event: &Event) {
    match event {
        Event::Connected => {
            connected.set(1.0);
            tracing::info!("the bus is connected to its broker");
        }
        Event::Disconnected | Event::Closed => {
            connected.set(0.0);
            tracing::warn!("the broker is away: messages reach this process alone");
        }
        Event::SlowConsumer(_) => count("slow"),
        other => tracing::warn!(event = %other, "the bus's broker"),
    }
}

fn count(reason: &'static str) {
    counter!("trailmark_bus_unsent_total", "reason" => reason).increment(1);
}

async fn send_all(client: Client, mut waiting: mpsc::Receiver<Message>) {
    while let Some(message) = waiting.recv().await {
        let sent = client.publish(message.topic.to_string(), message.payload).await;
        if let Err(error) = sent {
            count("failed");
            tracing::debug!(%error, "a message was not sent");
        }
    }
}

/// Brings what others publish to one subscription.
async fn carry(client: Client, pattern: Pattern, queue: Weak<Queue>) {
    let mut subscriber = match client.subscribe(pattern.as_str().to_owned()).await {
        Ok(subscriber) => subscriber,
        Err(error) => return tracing::error!(%error, pattern = pattern.as_str(), "the broker cannot be asked for it"),
    };
    while let Some(message) = subscriber.next().await {
        let Some(queue) = queue.upgrade() else { return };
        // What other programs publish under names that are no topics is not for us.
        if let Ok(topic) = Topic::new(message.subject.as_str()) {
            queue.push(Message {
                topic,
                payload: message.payload,
            });
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
