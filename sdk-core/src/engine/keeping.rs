//! The half of the engine that faces a host with [rows](crate::rows).

use trailmark_protocol::Timestamp;

use super::{Engine, Start};
use crate::config::{Config, ConfigError};
use crate::entropy::Entropy;
use crate::notice::Notice;
use crate::ranges::Ranges;
use crate::rows::{Changes, read, write};
use crate::state::{Past, from_json, to_json};
use crate::stats::StorageHealth;

/// What the host was told of, and what it is still to be told.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Events up to this number have rows, unless they are decided.
    pub(super) told: u64,
    /// Rows of decided events.
    pub(super) gone: Ranges,
}

impl Engine {
    /// An engine that goes on where the last one on this host ended, however it ended: with the rows that it keeps, in any
    /// order. There are none at the first start. Of a row that is missing the event is counted as
    /// [`Reason::StorageLost`](crate::Reason::StorageLost).
    ///
    /// ```
    /// # use trailmark_core::{Config, Engine, Entropy, Timestamp};
    /// # struct Zeros;
    /// # impl Entropy for Zeros { fn fill(&mut self, bytes: &mut [u8]) { bytes.fill(0) } }
    /// # let now = Timestamp::from_millis(1_763_600_000_000);
    /// # let config = || Config::new("tm_pk_0193");
    /// let mut engine = Engine::resume(config()?, Zeros, "", [], now)?;
    /// engine.track("order", &Default::default(), now).ok();
    /// let changes = engine.changes().expect("an event was captured");
    /// assert_eq!(engine.changes(), None);
    ///
    /// let rows = changes.new.iter().map(String::as_str);
    /// let next = Engine::resume(config()?, Zeros, &changes.checkpoint, rows, now)?;
    /// assert_eq!((next.queued(), next.install_id()), (1, engine.install_id()));
    /// # Ok::<(), trailmark_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// See [`Engine::new`].
    pub fn resume<'a>(
        config: Config,
        entropy: impl Entropy + 'static,
        checkpoint: &str,
        rows: impl IntoIterator<Item = &'a str>,
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let config = config.sane();
        let mut start = Start::empty(&config);
        start.past = from_json(checkpoint).map(Past::from).unwrap_or_default();
        for entry in rows.into_iter().filter_map(read) {
            start.past.captured(entry.seq);
            start.queue.restore(entry);
        }
        start.past.balance(start.queue.len() as u64);
        let told = start.past.counters.captured;
        start.rows = Some(Rows {
            told,
            gone: Ranges::default(),
        });
        let mut engine = Self::build(config, Box::new(entropy), start, now);
        engine.process.storage = StorageHealth::Saved;
        Ok(engine)
    }

    /// What has changed for a host with rows since the last call. Until the host has written it, it is in memory alone: ask
    /// after each call, or after all that one task makes.
    #[must_use]
    pub fn changes(&mut self) -> Option<Changes> {
        let rows = self.rows.as_mut()?;
        let captured = self.counters.captured;
        if !self.unsaved.state && rows.told == captured && rows.gone.is_empty() {
            return None;
        }
        let is_new = |seq| seq > rows.told;
        let new = self
            .queue
            .in_memory()
            .filter(|entry| is_new(entry.seq))
            .map(write)
            .collect();
        rows.told = captured;
        self.unsaved.state = false;
        self.unsaved.age = self.state.age.millis;
        Some(Changes {
            checkpoint: to_json(&self.state, &self.counters, &Ranges::default()),
            gone: std::mem::take(&mut rows.gone).to_json(),
            new,
        })
    }

    /// The host says how it fares: it has written all changes, or why it cannot.
    pub fn kept(&mut self, error: Option<String>) {
        let failed_before = matches!(self.process.storage, StorageHealth::Failing(_));
        match &error {
            Some(error) if !failed_before => self.notices.add(Notice::StorageFailing(error.clone())),
            None if failed_before => self.notices.add(Notice::StorageWorks),
            _ => {}
        }
        self.process.storage = error.map_or(StorageHealth::Saved, StorageHealth::Failing);
    }

    /// Has the row of an event removed, if it has one.
    pub(super) fn remove_row(&mut self, seq: u64) {
        if let Some(rows) = &mut self.rows
            && seq <= rows.told
        {
            rows.gone.insert(seq, seq);
        }
    }
}
