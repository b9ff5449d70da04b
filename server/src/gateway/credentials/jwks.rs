//! An issuer's published keys, kept fresh by a task of their own: every `refresh`, and when a token names an unknown key,
//! at most once per `min_refresh`. What was fetched last stays when a fetch fails.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::algorithm::Algorithm;
use super::fetch::{self, FetchError};
use super::key_set::KeySet;
use super::place::Place;

/// While there are no keys at all, nobody gets in: the first retries come sooner than `min_refresh`, after 1, 2, 4 … s.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Published keys, and the task that fetches them. It ends with this.
pub struct Jwks {
    keeper: Arc<Keeper>,
    task: OnceLock<AbortOnDropHandle<()>>,
}

/// Where keys are, and how often they may be asked for.
pub(super) struct Published {
    pub(super) place: Place,
    /// `None` for http.
    pub(super) tls: Option<TlsConnector>,
    /// Algorithms that are taken.
    pub(super) allowed: Vec<Algorithm>,
    pub(super) refresh: Duration,
    pub(super) min_refresh: Duration,
}

struct Keeper {
    published: Published,
    keys: ArcSwap<KeySet>,
    /// Somebody saw an unknown key.
    wanted: Notify,
    /// When the last attempt ended.
    attempted: watch::Sender<Option<Instant>>,
}

impl Jwks {
    pub(super) fn new(published: Published) -> Self {
        let keeper = Keeper {
            published,
            keys: ArcSwap::default(),
            wanted: Notify::new(),
            attempted: watch::Sender::new(None),
        };
        Self {
            keeper: Arc::new(keeper),
            task: OnceLock::new(),
        }
    }

    /// Begins to fetch, if it has not begun. Needs a tokio runtime.
    pub fn start(&self) {
        let start = || AbortOnDropHandle::new(tokio::spawn(Arc::clone(&self.keeper).keep_fresh()));
        self.task.get_or_init(start);
    }

    /// The keys fetched last; none before the first fetch.
    #[must_use]
    pub fn current(&self) -> Arc<KeySet> {
        self.keeper.keys.load_full()
    }

    /// The keys after another look, for a token that names none of [`Self::current`]; at once, if the last look was less
    /// than `min_refresh` ago. All who wait, wait for the same look, which goes on if they go away.
    pub async fn look_again(&self) -> Arc<KeySet> {
        self.start();
        let mut attempted = self.keeper.attempted.subscribe();
        if self.keeper.may_ask(*attempted.borrow_and_update()) {
            self.keeper.wanted.notify_one();
            // It fails when the task is gone, and with it any hope for other keys.
            let _ = attempted.changed().await;
        }
        self.current()
    }
}

impl Keeper {
    async fn keep_fresh(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            failures = match self.fetch().await {
                Ok(()) => 0,
                Err(error) => {
                    tracing::warn!(host = self.published.place.host, %error, "an issuer's keys were not fetched");
                    failures + 1
                }
            };
            self.attempted.send_replace(Some(Instant::now()));
            self.rest(self.pause(failures)).await;
        }
    }

    async fn fetch(&self) -> Result<(), FetchError> {
        let json = fetch::get(&self.published.place, self.published.tls.as_ref()).await?;
        let keys = KeySet::parse(&json, &self.published.allowed).map_err(FetchError::NoKeys)?;
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    fn pause(&self, failures: u32) -> Duration {
        let Published {
            refresh, min_refresh, ..
        } = self.published;
        match failures.checked_sub(1) {
            None => refresh,
            Some(doublings) if self.keys.load().is_empty() => {
                FIRST_RETRY.saturating_mul(1 << doublings.min(16)).min(min_refresh)
            }
            Some(_) => min_refresh,
        }
    }

    /// Waits for `pause` to pass, or for somebody who may ask.
    async fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = self.wanted.notified() => if self.may_ask(*self.attempted.borrow()) { return },
            }
        }
    }

    fn may_ask(&self, attempted: Option<Instant>) -> bool {
        attempted.is_none_or(|at| at.elapsed() >= self.published.min_refresh)
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("host", &self.keeper.published.place.host)
            .finish_non_exhaustive()
    }
}
