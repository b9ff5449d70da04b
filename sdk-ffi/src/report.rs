//! What a client tells about itself: mirrors of [`trailmark_core::Stats`], [`trailmark_core::FlushReport`] and
//! [`trailmark_core::Notice`].

use std::collections::HashMap;

use trailmark_core::stats::Dropped;

/// What a flush achieved. See [`trailmark_core::FlushReport`].
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct FlushReport {
    /// Events that the server has on stable storage.
    pub delivered: u64,
    /// Events lost meanwhile, by reason.
    pub dropped: HashMap<String, u64>,
    /// Events still queued.
    pub pending: u64,
}

impl From<trailmark_core::FlushReport> for FlushReport {
    fn from(from: trailmark_core::FlushReport) -> Self {
        Self {
            delivered: from.delivered,
            dropped: counts(&from.dropped),
            pending: from.pending,
        }
    }
}

/// Where events are until they are delivered. See [`trailmark_core::StorageHealth`].
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Enum)]
pub enum StorageHealth {
    /// In memory alone.
    #[default]
    Memory,
    /// In the directory.
    Saved,
    /// In memory alone, because the directory fails.
    Failing {
        /// For people.
        detail: String,
    },
}

impl From<trailmark_core::StorageHealth> for StorageHealth {
    fn from(from: trailmark_core::StorageHealth) -> Self {
        match from {
            trailmark_core::StorageHealth::Saved => Self::Saved,
            trailmark_core::StorageHealth::Failing(detail) => Self::Failing { detail },
            _ => Self::Memory,
        }
    }
}

/// The truth, now: `captured = delivered + dropped + queued`. See [`trailmark_core::Stats`].
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct Stats {
    /// Events ever handed in.
    pub captured: u64,
    /// Events that the server has on stable storage.
    pub delivered: u64,
    /// Events lost, by reason.
    pub dropped: HashMap<String, u64>,
    /// Events waiting or on their way.
    pub queued: u64,
    /// Their size.
    pub queued_bytes: u64,
    /// Requests sent by this process.
    pub attempts: u64,
    /// How the latest attempt failed, for people; nothing after a success.
    pub last_error: Option<String>,
    /// Whether the server refuses the key: events are kept, and it is asked again now and then.
    pub paused: bool,
    /// Where the events are.
    pub storage: StorageHealth,
    /// Whether the person has opted out.
    pub opted_out: bool,
    /// Calls that captured nothing because of it.
    pub ignored: u64,
    /// Strings that were too long and were cut.
    pub truncated: u64,
    /// Calls of `before_send` that failed; the event went on as it was.
    pub hook_panics: u64,
    /// Panics that were caught at the border of the library.
    pub panics: u64,
}

impl Stats {
    pub(crate) fn new(from: trailmark_core::Stats, panics: u64) -> Self {
        Self {
            captured: from.captured,
            delivered: from.delivered,
            dropped: counts(&from.dropped),
            queued: from.queued,
            queued_bytes: from.queued_bytes,
            attempts: from.attempts,
            last_error: from.last_error,
            paused: from.paused,
            storage: from.storage.into(),
            opted_out: from.opted_out,
            ignored: from.ignored,
            truncated: from.truncated,
            hook_panics: from.hook_panics,
            panics,
        }
    }
}

fn counts(dropped: &Dropped) -> HashMap<String, u64> {
    dropped
        .iter()
        .map(|(reason, count)| (reason.to_owned(), count))
        .collect()
}

/// What somebody should know. See [`trailmark_core::Notice`].
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Notice {
    /// `dropped`, `refused`, `truncated`, `hook_panicked`, `storage_failing`, `storage_works` or `key_refused`. Later
    /// versions may know others.
    pub kind: String,
    /// The reason of what was dropped or refused, how many strings were cut, or what the storage or the server said.
    pub detail: Option<String>,
    /// For people.
    pub text: String,
}

impl From<&trailmark_core::Notice> for Notice {
    fn from(from: &trailmark_core::Notice) -> Self {
        Self {
            kind: from.kind().to_owned(),
            detail: from.detail(),
            text: from.to_string(),
        }
    }
}
