//! A bus within this process.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::queue::Queue;
use super::{Bus, Message, Pattern, Subscription, Unsent};

/// Carries messages within this process.
///
/// Each message is compared with every subscription's pattern: there are a few for each hub, not one for each client.
#[derive(Debug, Default)]
pub struct LocalBus {
    subscribers: RwLock<Vec<Subscriber>>,
}

#[derive(Debug)]
struct Subscriber {
    pattern: Pattern,
    queue: Weak<Queue>,
}

impl LocalBus {
    /// Hands what is published to `queue` while somebody holds it.
    pub(super) fn add(&self, pattern: &Pattern, queue: &Arc<Queue>) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        subscribers.retain(|subscriber| subscriber.queue.strong_count() > 0);
        subscribers.push(Subscriber {
            pattern: pattern.clone(),
            queue: Arc::downgrade(queue),
        });
    }

    /// Hands a message to the subscribers of this process.
    pub(super) fn hand_out(&self, message: &Message) {
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner);
        subscribers
            .iter()
            .filter(|subscriber| subscriber.pattern.matches(&message.topic))
            .filter_map(|subscriber| subscriber.queue.upgrade())
            .for_each(|queue| queue.push(message.clone()));
    }
}

impl Bus for LocalBus {
    fn publish(&self, message: Message) -> Result<(), Unsent> {
        self.hand_out(&message);
        Ok(())
    }

    fn subscribe(&self, pattern: &Pattern) -> Subscription {
        let queue = Queue::new();
        self.add(pattern, &queue);
        Subscription::new(queue)
    }
}

impl Drop for LocalBus {
    fn drop(&mut self) {
        let subscribers = self.subscribers.get_mut().unwrap_or_else(PoisonError::into_inner);
        subscribers
            .iter()
            .filter_map(|subscriber| subscriber.queue.upgrade())
            .for_each(|queue| queue.close());
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{Ends, keeps_the_contract};
    use super::*;

    async fn one_bus() -> Ends {
        let bus: Arc<dyn Bus> = Arc::new(LocalBus::default());
        Ends {
            here: Arc::clone(&bus),
            there: bus,
            broker: None,
        }
    }

    keeps_the_contract!(super::one_bus);
}
