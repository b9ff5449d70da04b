//! What an app is told of its own accord, through `on_error`: the few things that somebody should look at.

use std::borrow::Cow;

use trailmark_protocol::Reason;
use trailmark_protocol::json::write_u64;

/// Something that somebody should know.
///
/// ```
/// use trailmark_core::{Client, Notice};
///
/// let client = Client::builder("http://127.0.0.1:9", "tm_pk_example")
///     .on_error(|notice| match notice {
///         Notice::KeyRefused(why) => eprintln!("look at the write key: {why}"),
///         other => eprintln!("{other}"),
///     })
///     .build()?;
/// # drop(client);
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// An event is lost, and why. See [`Reason`]; or a word of a newer server.
    Dropped(Cow<'static, str>),
    /// A call that captures nothing was refused, and changed nothing: super-properties or a context beyond a limit.
    Refused(Reason),
    /// Strings of an event were cut, so many.
    Truncated(u32),
    /// A `before_send` hook panicked; it changed nothing.
    HookPanicked,
    /// The storage failed as it says; events are kept in memory until it works again.
    StorageFailing(String),
    /// The storage works again, and has what was in memory.
    StorageWorks,
    /// The server refuses the key, as it says; events are kept.
    KeyRefused(String),
}

impl Notice {
    /// A stable word for what it is.
    ///
    /// ```
    /// # use trailmark_core::Notice;
    /// assert_eq!(Notice::StorageWorks.kind(), "storage_works");
    /// ```
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dropped(_) => "dropped",
            Self::Refused(_) => "refused",
            Self::Truncated(_) => "truncated",
            Self::HookPanicked => "hook_panicked",
            Self::StorageFailing(_) => "storage_failing",
            Self::StorageWorks => "storage_works",
            Self::KeyRefused(_) => "key_refused",
        }
    }

    /// The reason, the number of strings, or what the storage or the server said.
    ///
    /// ```
    /// # use trailmark_core::{Notice, Reason};
    /// assert_eq!(Notice::Refused(Reason::TooLarge).detail().as_deref(), Some("too_large"));
    /// ```
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Dropped(reason) => Some((**reason).to_owned()),
            Self::Refused(reason) => Some(reason.as_str().to_owned()),
            Self::Truncated(strings) => {
                let mut text = String::new();
                write_u64(&mut text, (*strings).into());
                Some(text)
            }
            Self::StorageFailing(why) | Self::KeyRefused(why) => Some(why.clone()),
            Self::HookPanicked | Self::StorageWorks => None,
        }
    }
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dropped(reason) => write!(f, "an event was dropped: {reason}"),
            Self::Refused(reason) => write!(f, "a call was refused and changed nothing: {reason}"),
            Self::Truncated(1) => f.write_str("a string of an event was too long, and was cut"),
            Self::Truncated(strings) => write!(f, "{strings} strings of an event were too long, and were cut"),
            Self::HookPanicked => f.write_str("a before_send hook panicked; it was passed over"),
            Self::StorageFailing(why) => write!(f, "the storage fails, events are in memory only: {why}"),
            Self::StorageWorks => f.write_str("the storage works again"),
            Self::KeyRefused(why) => write!(f, "the server refuses the write key, events are kept: {why}"),
        }
    }
}

/// Most notices that wait to be fetched: 64. Newer ones are left out then; every one of them is in the counters, too.
const MAX_NOTICES: usize = 64;

/// Notices that wait to be fetched.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    waiting: Vec<Notice>,
}

impl Notices {
    pub(crate) fn add(&mut self, notice: Notice) {
        if self.waiting.len() < MAX_NOTICES {
            self.waiting.push(notice);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.waiting)
    }
}
