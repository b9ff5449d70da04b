//! The writer's loop.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use trailmark_protocol::Uuid;

use crate::clock::SharedClock;
use crate::journal::{Journal, Record, Seq};
use crate::store::{ErrorClass, Store};

use super::backoff;
use super::stats::{LastError, WriterStats};

/// Most payload taken at once: 2 MiB, about 5,000 events of 400 bytes. Research (storage.md §5): from 1,000 rows on a
/// transaction's own cost is noise, and beyond 5,000 only latency and memory grow.
const GROUP_BYTES: usize = 2 * 1024 * 1024;

/// How long the writer waits for more unless a whole group is waiting: single events, one request each, then cost at most
/// 40 transactions a second, and an event is visible 25 ms later; the promise is 1 s. Against 10 ms this takes 1 µs off an
/// event's time in Postgres and 1 µs off its time here, of 14 and 25 (bench/RESULTS.md).
const LINGER: Duration = Duration::from_millis(25);

/// Drains one journal into one store.
pub struct Writer {
    store: Store,
    journal: Arc<dyn Journal>,
    node: Uuid,
    clock: SharedClock,
    stats: Arc<WriterStats>,
    durable: watch::Receiver<Seq>,
    /// Everything up to here is stored; known once the database was met.
    stored: Option<Seq>,
    /// Everything up to here was read: beyond `stored` only if the journal had nothing readable there.
    looked: Seq,
    /// Failures since the last success.
    failures: u32,
    /// Whether the schema is known to be up to date.
    prepared: bool,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("node", &self.node)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

/// Why a step did not work.
struct Failure {
    class: ErrorClass,
    text: String,
}

impl<E: Into<crate::store::StoreError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        Self {
            class: error.class(),
            text: error.to_string(),
        }
    }
}

impl Writer {
    /// A writer for the journal of `node`. The cursor in the database is kept under `node`, so it must be the
    /// journal's own id: a journal that begins anew needs a new one.
    #[must_use]
    pub fn new(store: Store, journal: Arc<dyn Journal>, node: Uuid, clock: SharedClock) -> Self {
        Self {
            store,
            node,
            clock,
            stats: Arc::new(WriterStats::new(journal.clone())),
            durable: journal.durable(),
            journal,
            stored: None,
            looked: 0,
            failures: 0,
            prepared: false,
        }
    }

    /// How it fares; ask before [`run`](Self::run) takes the writer.
    #[must_use]
    pub fn stats(&self) -> Arc<WriterStats> {
        self.stats.clone()
    }

    /// Brings the schema up to date and stores what becomes durable, until `stop`; then what is durable still, for at
    /// most `drain`. Close the journal before `stop`, so that nothing more comes. What is left is stored after the next start.
    pub async fn run(mut self, stop: CancellationToken, drain: Duration) {
        let stats = self.stats();
        tokio::select! {
            biased;
            () = self.work(&stop) => {}
            () = after(&stop, drain) => {
                let left = stats.status().lag_records;
                tracing::warn!(left, "stopped before everything durable was stored; the rest waits in the journal");
            }
        }
    }

    /// Returns once `stop` is called and nothing durable is left.
    async fn work(&mut self, stop: &CancellationToken) {
        loop {
            let go_on = match self.step().await {
                Ok(()) => self.wait_for_records(stop).await,
                Err(failure) => self.wait_after(failure, stop).await,
            };
            if !go_on {
                return;
            }
        }
    }

    /// Stores one group, from its records to the ack. After a failure the same records are read again.
    async fn step(&mut self) -> Result<(), Failure> {
        self.prepare().await?;
        let durable = *self.durable.borrow_and_update();
        let records = self.read().await?;
        self.looked = match records.last().map(|record| record.seq) {
            None => durable.max(self.looked),
            Some(through) => {
                self.store_records(through, records).await?;
                through
            }
        };
        self.failures = 0;
        self.stats.works(self.stored.unwrap_or(0));
        Ok(())
    }

    /// Says what failed and waits. False: stopped, and nothing is left.
    async fn wait_after(&mut self, Failure { class, text }: Failure, stop: &CancellationToken) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.prepared = false;
        let at = self.clock.now();
        if self.stats.failed(LastError {
            class,
            text: text.clone(),
            at,
        }) {
            tracing::warn!(
                class = class.as_str(),
                "cannot store events, the journal keeps them: {text}"
            );
        }
        let wait = backoff::wait(class, self.failures, getrandom::u32().unwrap_or(0));
        let idle = !self.is_behind();
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            () = stop.cancelled(), if idle => false,
        }
    }

    /// Migrates, and learns the cursor the first time.
    async fn prepare(&mut self) -> Result<(), Failure> {
        if !self.prepared {
            self.store.migrate().await?;
            self.prepared = true;
        }
        if self.stored.is_none() {
            let cursor = self.store.cursor(self.node).await?;
            self.journal.ack(cursor);
            self.stored = Some(cursor);
            self.looked = cursor;
        }
        Ok(())
    }

    /// True when there is something to read. False: stopped, and nothing is left.
    async fn wait_for_records(&mut self, stop: &CancellationToken) -> bool {
        let looked = self.looked;
        tokio::select! {
            biased;
            more = self.durable.wait_for(|durable| *durable > looked) => {
                if more.is_err() {
                    return false;
                }
            }
            () = stop.cancelled() => return false,
        }
        if self.journal.stats().backlog_bytes < GROUP_BYTES as u64 {
            tokio::select! {
                () = tokio::time::sleep(LINGER) => {}
                () = stop.cancelled() => {}
            }
        }
        true
    }

    async fn read(&self) -> Result<Vec<Record>, Failure> {
        let (journal, after) = (self.journal.clone(), self.looked);
        let read = tokio::task::spawn_blocking(move || journal.read(after, GROUP_BYTES)).await;
        let transient = |text| Failure {
            class: ErrorClass::Transient,
            text,
        };
        read.map_err(|error| transient(format!("reading the journal: {error}")))?
            .map_err(|error| transient(error.to_string()))
    }

    async fn store_records(&mut self, through: Seq, records: Vec<Record>) -> Result<(), Failure> {
        let payloads: Vec<Bytes> = records.into_iter().map(|record| record.payload).collect();
        let started = Instant::now();
        let written = self.store.write(self.node, through, &payloads).await?;
        self.journal.ack(through);
        self.stored = Some(through);
        self.stats.stored(through, written, started.elapsed());
        Ok(())
    }

    /// Whether something durable is not stored, as far as is known.
    fn is_behind(&self) -> bool {
        self.stored.is_none_or(|stored| stored < *self.durable.borrow())
    }
}

async fn after(stop: &CancellationToken, drain: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(drain).await;
}
