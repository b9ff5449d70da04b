//! A mirror of [`trailmark_core::Capture`].

use trailmark_core::{Properties, Timestamp};

/// An event that says itself who and when: for backends and imports. See [`trailmark_core::Capture`].
#[derive(Debug, Clone, uniffi::Record)]
pub struct Capture {
    /// The event's name.
    pub name: String,
    /// A UUID; made if it is not said. The same id is stored once.
    #[uniffi(default)]
    pub id: Option<String>,
    /// The device it happened on.
    #[uniffi(default)]
    pub anonymous_id: Option<String>,
    /// Who it happened to.
    #[uniffi(default)]
    pub user_id: Option<String>,
    /// For `$alias`: the other id of the same person.
    #[uniffi(default)]
    pub other_user_id: Option<String>,
    /// The session it belongs to.
    #[uniffi(default)]
    pub session_id: Option<String>,
    /// When, in microseconds since 1970; now, if it is not said.
    #[uniffi(default)]
    pub timestamp_us: Option<i64>,
    /// A JSON object.
    #[uniffi(default)]
    pub properties: Option<String>,
    /// A JSON object; the client's, if it is not said.
    #[uniffi(default)]
    pub context: Option<String>,
    /// Person properties of which the last writer wins, as a JSON object.
    #[uniffi(default)]
    pub set: Option<String>,
    /// Person properties of which the first writer wins, as a JSON object.
    #[uniffi(default)]
    pub set_once: Option<String>,
}

impl From<Capture> for trailmark_core::Capture {
    fn from(from: Capture) -> Self {
        let mut to = Self::new(from.name)
            .properties(json(from.properties))
            .set(json(from.set))
            .set_once(json(from.set_once));
        to = with(to, from.id, |to, id| to.id_text(&id));
        to = with(to, from.anonymous_id, Self::anonymous_id);
        to = with(to, from.user_id, Self::user_id);
        to = with(to, from.other_user_id, Self::other_user_id);
        to = with(to, from.session_id, Self::session_id);
        to = with(to, from.timestamp_us.map(Timestamp::from_micros), Self::timestamp);
        with(to, from.context, |to, context| to.context(Properties::accept(&context)))
    }
}

/// Properties as they cross the border.
pub(crate) fn json(text: Option<String>) -> Properties {
    text.map_or_else(Properties::new, |text| Properties::accept(&text))
}

/// `to`, with a value if there is one.
pub(crate) fn with<B, T>(to: B, value: Option<T>, set: impl FnOnce(B, T) -> B) -> B {
    match value {
        Some(value) => set(to, value),
        None => to,
    }
}
