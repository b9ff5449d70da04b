//! Sends what is due.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::outcome::Next;
use super::webhook::Senders;
use crate::clock::SharedClock;
use crate::store::alerts::Due;
use crate::store::{Store, StoreError};

/// Messages on their way at once, from this server. Of one alert there is only ever one, so a receiver that hangs holds one
/// place, for ten seconds.
pub const CONCURRENT: usize = 16;

/// How often it is looked whether more is due while some are on their way.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a run takes up messages; what is on its way then is waited for. With the 20 seconds of a mail, a run ends within 50:
/// a job that is cut off after a minute is so never cut off while it sends.
const RUN_FOR: Duration = Duration::from_secs(30);

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that arrived.
    pub delivered: u64,
    /// Attempts that failed and will be made again.
    pub failed: u64,
    /// Messages that were given up.
    pub dead: u64,
}

impl Delivered {
    fn count(&mut self, next: Next) {
        match next {
            Next::Delivered => self.delivered += 1,
            Next::Again(_) => self.failed += 1,
            Next::Dead => self.dead += 1,
        }
    }
}

/// Sends all messages that are due, and returns when none is. Several servers may do so at once: a message is claimed before it
/// is sent, and whoever dies in between leaves a claim that runs out.
///
/// # Errors
/// The database; what was on its way has arrived or not by then.
pub async fn deliver_due(store: &Store, senders: &Senders, clock: &SharedClock) -> Result<Delivered, StoreError> {
    let mut done = Delivered::default();
    // Tasks of their own: they give their connections to the database back while this one waits for one.
    let mut sending = JoinSet::new();
    let mut over = pin!(sleep(RUN_FOR));
    let (mut takes_up, mut failed) = (true, None);
    loop {
        if takes_up && sending.len() < CONCURRENT {
            match store.claim_messages(clock.now(), CONCURRENT - sending.len()).await {
                Ok(claimed) => claimed.into_iter().for_each(|due| {
                    let (store, senders, clock) = (store.clone(), senders.clone(), Arc::clone(clock));
                    sending.spawn(async move { attempt(&store, &senders, &clock, due).await });
                }),
                Err(error) => (takes_up, failed) = (false, Some(error)),
            }
        }
        if sending.is_empty() {
            return failed.map_or(Ok(done), Err);
        }
        tokio::select! {
            Some(ended) = sending.join_next() => ended.into_iter().for_each(|next| done.count(next)),
            () = sleep(LOOK_AGAIN), if takes_up => {}
            () = &mut over, if takes_up => takes_up = false,
        }
    }
}

/// Sends a message that was claimed, and writes down how it went. If that cannot be written, the claim runs out and the message
/// is sent again.
pub async fn attempt(store: &Store, senders: &Senders, clock: &SharedClock, due: Due) -> Next {
    let outcome = senders.send(&due, clock.now()).await;
    let now = clock.now();
    let random = getrandom::u64().unwrap_or_default();
    let next = outcome.next(due.attempt.unsigned_abs(), due.first_attempt_at.0, now, random);
    if let Err(error) = store.finish_attempt(&due, &outcome, next).await {
        tracing::warn!(%error, message = %due.message.id, "how an alert's message went was not written down");
    }
    next
}
