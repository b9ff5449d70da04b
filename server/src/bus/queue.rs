//! What waits for a subscriber: bounded, and the oldest gives way.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use metrics::{Counter, counter};
use tokio_util::sync::DropGuard;

use super::Message;

/// Most messages that wait for one subscriber: 4,096, a second of a busy hub.
pub const MESSAGES: usize = 4096;

/// Most bytes that wait for one subscriber: 16 MiB, which are 4,096 messages of 4 KiB. A message alone may be larger.
pub const BYTES: usize = 16 << 20;

/// The messages for one subscriber.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    lost: Counter,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Message>,
    bytes: usize,
    lost: u64,
    is_closed: bool,
    subscriber: Option<Waker>,
}

impl Queue {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            lost: counter!("trailmark_bus_lost_total"),
        })
    }

    /// Adds a message, at the cost of the oldest ones if there is no room.
    pub(super) fn push(&self, message: Message) {
        let mut waiting = self.waiting();
        waiting.bytes += message.payload.len();
        waiting.messages.push_back(message);
        self.lost.increment(waiting.make_room());
        let subscriber = waiting.subscriber.take();
        drop(waiting);
        subscriber.into_iter().for_each(Waker::wake);
    }

    /// Ends the subscription after what waits.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting();
        waiting.is_closed = true;
        let subscriber = waiting.subscriber.take();
        drop(waiting);
        subscriber.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Message>> {
        let mut waiting = self.waiting();
        if let Some(message) = waiting.take() {
            return Poll::Ready(Some(message));
        }
        if waiting.is_closed {
            return Poll::Ready(None);
        }
        waiting.subscriber = Some(context.waker().clone());
        Poll::Pending
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change is whole before anything could panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.payload.len();
        Some(message)
    }

    /// Drops the oldest until the rest is within the bounds; how many those were.
    fn make_room(&mut self) -> u64 {
        let before = self.lost;
        while self.messages.len() > MESSAGES || (self.bytes > BYTES && self.messages.len() > 1) {
            self.take();
            self.lost += 1;
        }
        self.lost - before
    }
}

/// A stream of messages. It ends when its bus does, and dropping it ends the subscription.
#[derive(Debug)]
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    queue: Arc<Queue>,
    /// Stops what carries messages from the broker.
    _carrier: Option<DropGuard>,
}

impl Subscription {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, _carrier: None }
    }

    #[cfg(feature = "nats")]
    pub(super) fn carried(self, carrier: DropGuard) -> Self {
        Self {
            _carrier: Some(carrier),
            ..self
        }
    }

    /// How many messages gave way to newer ones, because they were not taken in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.queue.waiting().lost
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.queue.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::{FutureExt, StreamExt};

    use super::super::Topic;
    use super::*;

    fn message(payload: impl Into<Bytes>) -> Message {
        Message {
            topic: Topic::new("t").unwrap(),
            payload: payload.into(),
        }
    }

    #[test]
    fn a_subscriber_that_is_too_slow_loses_the_oldest_and_hears_how_many() {
        let queue = Queue::new();
        let mut slow = Subscription::new(Arc::clone(&queue));
        for n in 0..MESSAGES + 3 {
            queue.push(message(n.to_string()));
        }
        assert_eq!(slow.lost(), 3);
        assert_eq!(slow.next().now_or_never().flatten().unwrap().payload, "3");
    }

    #[test]
    fn large_messages_wait_within_the_bytes_and_one_alone_may_be_larger() {
        let queue = Queue::new();
        let mut slow = Subscription::new(Arc::clone(&queue));
        for _ in 0..20 {
            queue.push(message(vec![0; 1 << 20]));
        }
        assert_eq!(slow.lost(), 4);
        queue.push(message(vec![1; BYTES + 1]));
        assert_eq!(slow.lost(), 20);
        assert_eq!(slow.next().now_or_never().flatten().unwrap().payload[0], 1);
        assert_eq!(queue.waiting().bytes, 0);
    }

    #[test]
    fn what_waits_is_heard_before_the_end() {
        let queue = Queue::new();
        let mut subscription = Subscription::new(Arc::clone(&queue));
        queue.push(message("last"));
        queue.close();
        assert_eq!(subscription.next().now_or_never().flatten().unwrap().payload, "last");
        assert_eq!(subscription.next().now_or_never(), Some(None));
    }
}
