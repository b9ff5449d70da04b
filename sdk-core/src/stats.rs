//! The truth about a client: what it captured, and what became of it.

mod dropped;

pub use dropped::Dropped;

/// What a client has done since it was installed. At all times `captured = delivered + dropped + queued`.
///
/// ```
/// # use trailmark_core::{Client, Properties};
/// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// client.track("checkout", Properties::new());
/// client.identify("null", Properties::new()); // no user has this id
/// let stats = client.stats();
/// assert_eq!((stats.captured, stats.queued, stats.dropped["junk_user_id"]), (2, 1, 1));
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Events ever handed in, the refused ones included. It is also the `seq` of the newest.
    pub captured: u64,
    /// Events that the server's receipts say are on its stable storage.
    pub delivered: u64,
    /// Events lost, by reason.
    pub dropped: Dropped,
    /// Events waiting or on their way.
    pub queued: u64,
    /// Bytes of their JSON.
    pub queued_bytes: u64,
    /// HTTP attempts started since the start of the process.
    pub attempts: u64,
    /// What last went wrong, for people; kept until the next success.
    pub last_error: Option<String>,
    /// The server refuses the key: events are kept, and asked about only every
    /// [`PROBE_INTERVAL`](crate::config::PROBE_INTERVAL).
    pub paused: bool,
    /// Where queued events are.
    pub storage: StorageHealth,
    /// The person has opted out: nothing is captured, stored or sent.
    pub opted_out: bool,
    /// Calls since the start of the process that captured nothing because the person has opted out. They are not in
    /// `captured`, and known to this process alone.
    pub ignored: u64,
    /// Strings since the start of the process that were cut to
    /// [`STRING_CHARS`](crate::properties::STRING_CHARS).
    pub truncated: u64,
    /// Panics in `before_send` hooks since the start of the process; such a hook changed nothing.
    pub hook_panics: u64,
}

/// Where queued events are.
///
/// ```
/// # use trailmark_core::{Client, StorageHealth};
/// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// match client.stats().storage {
///     StorageHealth::Saved => println!("events survive the end of the process"),
///     StorageHealth::Failing(why) => println!("in memory, because {why}"),
///     _ => println!("in memory"),
/// }
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StorageHealth {
    /// In memory, because no storage was given: they end with the process.
    #[default]
    Memory,
    /// On the storage: they survive the end of the process.
    Saved,
    /// In memory, because the storage failed as it says here. It is tried again, see
    /// [`STORAGE_RETRY`](crate::log::STORAGE_RETRY).
    Failing(String),
}

impl Stats {
    /// All lost events.
    ///
    /// ```
    /// # use trailmark_core::Stats;
    /// assert_eq!(Stats::default().dropped_total(), 0);
    /// ```
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.total()
    }
}
