//! The calls that wait: for room, for an answer, for the end.

use std::sync::PoisonError;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Client;
use crate::FlushReport;

impl Client {
    /// Resolves when fewer than `max_queued` events are queued, or the client has ended. Until then the queue is sent
    /// without waiting for batches to fill. Works on any runtime.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// # let lines = [Capture::new("$request").anonymous_id("visitor-9")];
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// for line in lines {
    ///     client.ready(10_000).await;
    ///     client.capture(line);
    /// }
    /// # });
    /// # Ok::<(), trailmark_core::BuildError>(())
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
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::new());
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let report = client.flush().await;
    /// // There is no server at this address.
    /// assert_eq!((report.delivered, report.pending), (0, 1));
    /// # });
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn flush(&self) -> impl Future<Output = FlushReport> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        self.shared().flush(Box::new(|report| {
            let _ = sender.send(report);
        }));
        // The sender is always used: a client that ends reports, too.
        async { receiver.await.unwrap_or_default() }
    }

    /// [`flush`](Client::flush) for threads: waits at most `timeout` and then reports what is known.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// # use std::time::Duration;
    /// client.track("checkout", Properties::new());
    /// let report = client.flush_blocking(Duration::from_secs(5));
    /// // There is no server at this address.
    /// assert_eq!((report.delivered, report.pending), (0, 1));
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
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
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// # use std::time::Duration;
    /// client.track("checkout", Properties::new());
    /// let report = client.shutdown(Duration::from_secs(5));
    /// assert_eq!(report.delivered + report.dropped_total() + report.pending, 1);
    ///
    /// client.track("too late", Properties::new());
    /// assert_eq!(client.stats().dropped["shut_down"], 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn shutdown(&self, timeout: Duration) -> FlushReport {
        self.shared().change(|engine, _| engine.close());
        let report = self.flush_blocking(timeout);
        let driver = self.inner.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(driver) = driver {
            driver.join();
        }
        self.shared().stop();
        report
    }
}
