//! Events sent together: how a client writes them, and how a server reads them one by one.

use crate::json::{Array, Object};

/// A batch ready to be written. The events are the frozen JSON of capture.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    /// The install that sends it; its `seq` numbers show losses.
    pub install_id: Option<&'a str>,
    /// The JSON of each event.
    pub events: &'a [&'a str],
    /// The install's own counters, as JSON; see [`counters_json`].
    pub counters: Option<&'a str>,
}

impl Batch<'_> {
    /// Appends the batch's JSON.
    pub fn write(&self, out: &mut String) {
        let mut object = Object::open(out).opt_str("install_id", self.install_id);
        let mut array = Array::open(object.key("batch"));
        for event in self.events {
            array.element().push_str(event);
        }
        array.close();
        object.opt_raw("counters", self.counters).close();
    }

    /// The batch's JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.events.iter().map(|event| event.len() + 1).sum::<usize>() + 128);
        self.write(&mut out);
        out
    }
}

/// The `counters` of a batch: events ever captured by the install, those that stay on the device (undecided, and not in
/// this batch), and those dropped by reason. As the batch is cut, captured = delivered + dropped + queued + its events.
///
/// ```
/// let json = trailmark_protocol::batch::counters_json(42, 3, [("too_large", 1)]);
/// assert_eq!(json, r#"{"captured":42,"queued":3,"dropped":{"too_large":1}}"#);
/// ```
#[must_use]
pub fn counters_json<'a>(captured: u64, queued: u64, dropped: impl IntoIterator<Item = (&'a str, u64)>) -> String {
    let mut out = String::new();
    let mut object = Object::open(&mut out).int("captured", captured).int("queued", queued);
    let reasons = Object::open(object.key("dropped"));
    dropped
        .into_iter()
        .fold(reasons, |reasons, (reason, count)| reasons.int(reason, count))
        .close();
    object.close();
    out
}

#[cfg(feature = "serde")]
mod raw {
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::value::RawValue;

    /// Text borrowed from the body wherever it holds no escape. (serde borrows in a `Cow` field, not inside an `Option`.)
    #[derive(Debug, Deserialize)]
    #[serde(transparent)]
    pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

    impl std::ops::Deref for Text<'_> {
        type Target = str;

        fn deref(&self) -> &str {
            &self.0
        }
    }

    /// A batch as it arrived: each event is still unread, so one bad event cannot sink the others.
    #[derive(Debug, Deserialize)]
    pub struct RawBatch<'a> {
        /// The events, each still raw JSON.
        #[serde(borrow)]
        pub batch: Vec<&'a RawValue>,
        /// The install that sent it.
        #[serde(borrow, default)]
        pub install_id: Option<Text<'a>>,
        /// The key, for clients that cannot set headers.
        #[serde(borrow, default)]
        pub api_key: Option<Text<'a>>,
        /// When it was sent, for clients that cannot set headers.
        #[serde(borrow, default)]
        pub sent_at: Option<Text<'a>>,
        /// The install's own counters.
        #[serde(borrow, default)]
        pub counters: Option<&'a RawValue>,
    }

    /// The counters of a batch as they arrived: types checked, nothing else.
    #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
    pub struct RawCounters {
        /// Events ever captured by the install.
        pub captured: u64,
        /// Events that stayed on the device when the batch was cut. None if an older client does not say.
        #[serde(default)]
        pub queued: u64,
        /// Events dropped on the device, by reason.
        #[serde(default)]
        pub dropped: BTreeMap<String, u64>,
    }

    /// One event as it arrived: types checked, nothing else.
    #[derive(Debug, Deserialize)]
    pub struct RawEvent<'a> {
        /// The event's id, if the client made one.
        #[serde(borrow, default)]
        pub id: Option<Text<'a>>,
        /// Number within the install.
        #[serde(default)]
        pub seq: Option<u64>,
        /// The event's name; `name` in the short form.
        #[serde(borrow, alias = "name", default)]
        pub event: Option<Text<'a>>,
        /// The device's id.
        #[serde(borrow, default)]
        pub anonymous_id: Option<Text<'a>>,
        /// The id the app gave.
        #[serde(borrow, default)]
        pub user_id: Option<Text<'a>>,
        /// The other user id of an `$alias`.
        #[serde(borrow, default)]
        pub alias: Option<Text<'a>>,
        /// The session.
        #[serde(borrow, default)]
        pub session_id: Option<Text<'a>>,
        /// When it happened, by the client's clock.
        #[serde(borrow, default)]
        pub timestamp: Option<Text<'a>>,
        /// What is known about it.
        #[serde(borrow, default)]
        pub properties: Option<&'a RawValue>,
        /// The circumstances.
        #[serde(borrow, default)]
        pub context: Option<&'a RawValue>,
        /// Person properties, last writer wins.
        #[serde(borrow, default)]
        pub set: Option<&'a RawValue>,
        /// Person properties, first writer wins.
        #[serde(borrow, default)]
        pub set_once: Option<&'a RawValue>,
    }
}

#[cfg(feature = "serde")]
pub use raw::{RawBatch, RawCounters, RawEvent, Text};
