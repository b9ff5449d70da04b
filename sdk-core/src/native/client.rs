//! What an app holds.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::builder::ClientBuilder;
use super::driver::Driver;
use super::shared::Shared;
use crate::{Capture, FlushReport, Properties, Stats};

/// A client of one Trailmark server. Cloning is cheap; clones share everything.
///
/// The calls return at once, never panic and never fail: an event that cannot be delivered is counted under its reason
/// in [`stats`](Client::stats). When the last clone goes, its thread ends and what is still queued is lost: call
/// [`shutdown`](Client::shutdown) first.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// Gone after a shutdown. Dropping it ends the thread.
    driver: Mutex<Option<Driver>>,
}

impl Client {
    /// A client that sends to the server at `url` (`https://analytics.example.com`, a path in front is fine), with a
    /// write key (`tm_pk_…`).
    pub fn builder(url: &str, write_key: &str) -> ClientBuilder {
        ClientBuilder::new(url, write_key)
    }

    pub(super) fn new(shared: Arc<Shared>, driver: Driver) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared,
                driver: Mutex::new(Some(driver)),
            }),
        }
    }

    fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// Captures an event of the current identity.
    ///
    /// ```no_run
    /// # use trailmark_core::{Client, Properties};
    /// # fn example(client: &Client) {
    /// client.track("checkout", Properties::new().with("total", 12.5));
    /// # }
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build properties in the call; a borrow would only be noise"
    )]
    pub fn track(&self, name: &str, properties: Properties) {
        // A refusal is counted in the stats.
        let _ = self.shared().change(|engine, now| engine.track(name, &properties, now));
    }

    /// Captures an event that says itself who and when: for backends and imports.
    ///
    /// When the queue is full the oldest event goes; an import waits for [`ready`](Client::ready) in between.
    #[expect(clippy::needless_pass_by_value, reason = "callers build the capture in the call")]
    pub fn capture(&self, capture: Capture) {
        let _ = self.shared().change(|engine, now| engine.capture(&capture, now));
    }

    /// Says who uses the device, with person properties of which the last writer wins.
    ///
    /// The user who is known already costs nothing. Another user without a [`reset`](Client::reset) between opens a new
    /// epoch with a new anonymous_id. Junk ids (`null`, `undefined`, `0`, …) are refused and change nothing.
    pub fn identify(&self, user_id: &str, set: Properties) {
        self.identify_with(user_id, set, Properties::new());
    }

    /// [`identify`](Client::identify), also with person properties of which the first writer wins.
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn identify_with(&self, user_id: &str, set: Properties, set_once: Properties) {
        let _ = self
            .shared()
            .change(|engine, now| engine.identify(user_id, &set, &set_once, now));
    }

    /// Sets person properties: `set` of which the last writer wins, `set_once` of which the first does.
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn set(&self, set: Properties, set_once: Properties) {
        let _ = self.shared().change(|engine, now| engine.set(&set, &set_once, now));
    }

    /// Says that the current user and `other_user_id` are one person.
    pub fn alias(&self, other_user_id: &str) {
        let _ = self.shared().change(|engine, now| engine.alias(other_user_id, now));
    }

    /// Forgets the user: a new epoch with a new anonymous_id. What is queued keeps its identity and is still delivered.
    pub fn reset(&self) {
        self.shared().change(|engine, now| engine.reset(now));
    }

    /// The device's id in this epoch.
    #[must_use]
    pub fn anonymous_id(&self) -> String {
        self.shared().read(|engine| engine.identity().anonymous_id().to_owned())
    }

    /// The user of this epoch, if identified.
    #[must_use]
    pub fn user_id(&self) -> Option<String> {
        self.shared()
            .read(|engine| engine.identity().user_id().map(str::to_owned))
    }

    /// What was captured, and what became of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().read(crate::Engine::stats)
    }

    /// Events waiting or on their way.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared().read(crate::Engine::queued)
    }

    /// Resolves when fewer than `max_queued` events are queued, or the client has ended. Until then the queue is sent
    /// without waiting for batches to fill. Works on any runtime.
    ///
    /// ```no_run
    /// # use trailmark_core::{Capture, Client};
    /// # async fn example(client: Client, lines: Vec<Capture>) {
    /// for line in lines {
    ///     client.ready(10_000).await;
    ///     client.capture(line);
    /// }
    /// client.flush().await;
    /// # }
    /// ```
    pub fn ready(&self, max_queued: usize) -> impl Future<Output = ()> + Send + use<> {
        let ready = self.shared().ready(max_queued);
        async {
            if let Some(ready) = ready {
                // Dropped by an ended client: there is nothing to wait for either.
                let _ = ready.await;
            }
        }
    }

    /// Sends everything that is queued at the time of the call now, skipping a wait after a failure once.
    ///
    /// Resolves when each of these events is decided or was tried once more; a request that fails as a whole (no
    /// answer, 503, a refused key) stands for everything behind it. Works on any runtime; it begins with the call, also
    /// if the future is never polled.
    pub fn flush(&self) -> impl Future<Output = FlushReport> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        self.shared().flush(Box::new(|report| {
            let _ = sender.send(report);
        }));
        // The sender is always used: a client that ends reports, too.
        async { receiver.await.unwrap_or_default() }
    }

    /// [`flush`](Client::flush) for threads: waits at most `timeout` and then reports what is known.
    #[must_use]
    pub fn flush_blocking(&self, timeout: Duration) -> FlushReport {
        let (sender, receiver) = sync_channel(1);
        let id = self.shared().flush(Box::new(move |report| {
            let _ = sender.send(report);
        }));
        match receiver.recv_timeout(timeout) {
            Ok(report) => report,
            // Finished in this very moment, it is in the channel.
            Err(_) => self
                .shared()
                .end_flush(id)
                .or_else(|| receiver.recv().ok())
                .unwrap_or_default(),
        }
    }

    /// Ends the client: later events are dropped as [`Reason::ShutDown`](crate::Reason::ShutDown), what is queued is
    /// flushed within `timeout`, and the thread is joined. A second call reports what is left.
    ///
    /// It blocks; in async code, `flush().await` first.
    pub fn shutdown(&self, timeout: Duration) -> FlushReport {
        self.shared().change(|engine, _| engine.close());
        let report = self.flush_blocking(timeout);
        let driver = self.inner.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(driver) = driver {
            driver.join();
        }
        report
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared()
            .read(|engine| f.debug_tuple("Client").field(engine).finish())
    }
}
