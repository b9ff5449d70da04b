//! One fetch per key: who asks first fetches, who asks meanwhile waits for that (RFC 9111 §4, "collapsed").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::entry::Variant;
use super::key::{Resource, Selector};

/// How long one waits for another's fetch before fetching itself: the time that upstreams have for their headers, unless
/// set otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is fetched once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FlightKey {
    pub(super) resource: Resource,
    pub(super) selector: Selector,
    /// With credentials other answers may be stored than without: one is no use to the other.
    pub(super) credentials: bool,
}

/// How a fetch ended, for those who waited.
#[derive(Debug, Clone, Default)]
pub(super) enum Landing {
    /// Not yet.
    #[default]
    Flying,
    /// With an answer that was stored.
    Stored(Arc<Variant>),
    /// With an answer for one only, or with one that takes longer than patience.
    Alone,
    /// The upstream failed.
    Failed,
    /// Its caller went away before there was an answer.
    Gone,
}

/// All fetches under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<FlightKey, watch::Receiver<Landing>>>);

/// A fetch that others may wait for. Dropped before it landed, it is gone.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Arc<Flights>,
    key: FlightKey,
    landing: watch::Sender<Landing>,
}

/// Another's fetch.
#[derive(Debug)]
pub(super) struct Wait {
    flights: Arc<Flights>,
    key: FlightKey,
    landing: watch::Receiver<Landing>,
}

/// Which part one has in a fetch.
#[derive(Debug)]
pub(super) enum Boarding {
    Lead(Flight),
    Follow(Wait),
}

impl Flights {
    /// Joins the fetch of `key`, or begins it.
    pub(super) fn board(self: &Arc<Self>, key: FlightKey) -> Boarding {
        let flights = Arc::clone(self);
        let mut flying = self.lock();
        if let Some(landing) = flying.get(&key).cloned() {
            return Boarding::Follow(Wait { flights, key, landing });
        }
        let (landing, receiver) = watch::channel(Landing::Flying);
        flying.insert(key.clone(), receiver);
        Boarding::Lead(Flight { flights, key, landing })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FlightKey, watch::Receiver<Landing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes this fetch, and no later one, off the list.
    fn forget(&self, key: &FlightKey, landing: &watch::Receiver<Landing>) {
        let mut flying = self.lock();
        if flying.get(key).is_some_and(|listed| listed.same_channel(landing)) {
            flying.remove(key);
        }
    }
}

impl Flight {
    /// Whether somebody waits: the list itself has a receiver too.
    pub(super) fn is_awaited(&self) -> bool {
        self.landing.receiver_count() > 1
    }

    /// Tells those who wait, and lets the next one begin anew.
    pub(super) fn land(self, landing: Landing) {
        self.landing.send_replace(landing);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.forget(&self.key, &self.landing.subscribe());
        self.landing.send_if_modified(|landing| {
            let gone = matches!(landing, Landing::Flying);
            *landing = if gone { Landing::Gone } else { std::mem::take(landing) };
            gone
        });
    }
}

impl Wait {
    /// How it ended. Who loses patience takes it off the list, so that those who come later do not wait for it too.
    pub(super) async fn landed(mut self) -> Landing {
        let landed = self.landing.wait_for(|landing| !matches!(landing, Landing::Flying));
        let landed = tokio::time::timeout(PATIENCE, landed).await;
        if let Ok(landed) = landed.map(|landed| landed.map_or(Landing::Gone, |landed| landed.clone())) {
            return landed;
        }
        self.flights.forget(&self.key, &self.landing);
        Landing::Alone
    }
}
