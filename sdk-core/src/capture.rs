//! Capture: the event's JSON is built once, here. Nothing changes its bytes afterwards.

use trailmark_protocol::limits::{EVENT_BYTES, NAME_CHARS};
use trailmark_protocol::{Event, Reason, Timestamp, Uuid, names};

use crate::Properties;
use crate::hooks::Draft;
use crate::identity::{check_anonymous_id, check_length, check_user_id, within};

/// An event that says itself who and when: for backends and imports, where one client speaks for many devices.
///
/// The client's own identity is not used; an event without `anonymous_id` and `user_id` is dropped as
/// [`Reason::MissingIdentity`].
///
/// ```
/// use trailmark_core::{Capture, Properties, Timestamp};
/// let request = Capture::new("$request")
///     .anonymous_id("device-9")
///     .timestamp(Timestamp::from_millis(1_763_600_000_000))
///     .properties(Properties::new().with("path", "/pricing").with("status", 200));
/// # let _ = request;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "pass it to Client::capture"]
pub struct Capture {
    pub(crate) name: String,
    pub(crate) id: Option<Uuid>,
    pub(crate) anonymous_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) timestamp: Option<Timestamp>,
    pub(crate) properties: Properties,
    pub(crate) context: Option<Properties>,
    pub(crate) set: Properties,
    pub(crate) set_once: Properties,
    /// Why what was handed in is no event.
    pub(crate) refused: Option<Reason>,
}

impl Capture {
    /// An event of this name and nothing else.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::new("$request").anonymous_id("visitor-9");
    /// # let _ = capture;
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            id: None,
            anonymous_id: None,
            user_id: None,
            alias: None,
            session_id: None,
            timestamp: None,
            properties: Properties::new(),
            context: None,
            set: Properties::new(),
            set_once: Properties::new(),
            refused: None,
        }
    }

    /// `$identify`: this device belongs to this user.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Properties};
    /// let capture = Capture::identify("visitor-9", "u_7").set(Properties::new().with("plan", "pro"));
    /// # let _ = capture;
    /// ```
    pub fn identify(anonymous_id: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self::new(names::IDENTIFY).anonymous_id(anonymous_id).user_id(user_id)
    }

    /// `$alias`: these two user ids are one person.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::alias("u_7", "ada@example.com");
    /// # let _ = capture;
    /// ```
    pub fn alias(user_id: impl Into<String>, other_user_id: impl Into<String>) -> Self {
        let mut capture = Self::new(names::ALIAS).user_id(user_id);
        capture.alias = Some(other_user_id.into());
        capture
    }

    /// The event's own UUIDv7; made at capture if there is none. An import that derives it from its input can be
    /// repeated and changes nothing.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Uuid};
    /// let id = Uuid::parse_str("01934f3e-8a00-7000-8000-000000000001").unwrap_or_default();
    /// let capture = Capture::new("order").user_id("u_7").id(id);
    /// # let _ = capture;
    /// ```
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// [`id`](Self::id), as a text. One that is no UUID costs the event, which is counted as
    /// [`Reason::InvalidEvent`]: under another id it would be stored again with every attempt to capture it.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.capture(Capture::new("paid").user_id("u_7").id_text("order 7"));
    /// assert_eq!(client.stats().dropped["invalid_event"], 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn id_text(mut self, id: &str) -> Self {
        match Uuid::parse_str(id) {
            Ok(id) => self.id = Some(id),
            Err(_) => self.refused = Some(Reason::InvalidEvent),
        }
        self
    }

    /// For `$alias`: the other id of the same person, as [`alias`](Self::alias) takes it.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let same = Capture::new("$alias").user_id("u_7").other_user_id("ann@example.com");
    /// assert_eq!(same, Capture::alias("u_7", "ann@example.com"));
    /// ```
    pub fn other_user_id(mut self, other_user_id: impl Into<String>) -> Self {
        self.alias = Some(other_user_id.into());
        self
    }

    /// The device.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::new("$request").anonymous_id("visitor-9");
    /// # let _ = capture;
    /// ```
    pub fn anonymous_id(mut self, anonymous_id: impl Into<String>) -> Self {
        self.anonymous_id = Some(anonymous_id.into());
        self
    }

    /// The user.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::new("order").user_id("u_7");
    /// # let _ = capture;
    /// ```
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.user_id = Some(user_id.into());
        self
    }

    /// The session.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::new("order").user_id("u_7").session_id("s-1");
    /// # let _ = capture;
    /// ```
    pub fn session_id(mut self, session_id: impl Into<String>) -> Self {
        self.session_id = Some(session_id.into());
        self
    }

    /// When it happened; the time of the call if there is none.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Timestamp};
    /// let capture = Capture::new("order").user_id("u_7").timestamp(Timestamp::from_millis(1_763_600_000_000));
    /// # let _ = capture;
    /// ```
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// What is known about it.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Properties};
    /// let capture = Capture::new("order").user_id("u_7").properties(Properties::new().with("total", 12.5));
    /// # let _ = capture;
    /// ```
    pub fn properties(mut self, properties: Properties) -> Self {
        self.properties = properties;
        self
    }

    /// The circumstances; the client's own if there are none.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Properties};
    /// let capture = Capture::new("order").user_id("u_7").context(Properties::new().with("locale", "de-DE"));
    /// # let _ = capture;
    /// ```
    pub fn context(mut self, context: Properties) -> Self {
        self.context = Some(context);
        self
    }

    /// Person properties, last writer wins.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Properties};
    /// let capture = Capture::new("order").user_id("u_7").set(Properties::new().with("plan", "pro"));
    /// # let _ = capture;
    /// ```
    pub fn set(mut self, set: Properties) -> Self {
        self.set = set;
        self
    }

    /// Person properties, first writer wins.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Properties};
    /// let capture = Capture::new("order").user_id("u_7").set_once(Properties::new().with("first_order", 41));
    /// # let _ = capture;
    /// ```
    pub fn set_once(mut self, set_once: Properties) -> Self {
        self.set_once = set_once;
        self
    }
}

impl Capture {
    /// What [hooks](crate::hooks) may change.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::new("order").user_id("u_7");
    /// assert_eq!(capture.draft().name, "order");
    /// ```
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft {
            set: self.set.clone(),
            set_once: self.set_once.clone(),
            ..Draft::new(&self.name, self.properties.clone())
        }
    }

    /// As the hooks left it.
    ///
    /// ```
    /// # use trailmark_core::Capture;
    /// let capture = Capture::new("order").user_id("u_7");
    /// let mut draft = capture.draft();
    /// draft.properties.insert("total", 12.5);
    /// let capture = capture.drafted(draft);
    /// # let _ = capture;
    /// ```
    pub fn drafted(self, draft: Draft) -> Self {
        Self {
            name: draft.name,
            properties: draft.properties,
            set: draft.set,
            set_once: draft.set_once,
            ..self
        }
    }

    /// Cuts all strings to [`STRING_CHARS`](crate::properties::STRING_CHARS), and says how many were longer.
    pub(crate) fn shorten(&mut self) -> u32 {
        let context = self.context.as_mut().map_or(0, Properties::shorten);
        context + self.properties.shorten() + self.set.shorten() + self.set_once.shorten()
    }

    /// The event as it will be written; `context` is the client's.
    pub(crate) fn event<'a>(&'a self, id: Uuid, seq: u64, now: Timestamp, context: &'a Properties) -> Event<'a> {
        Event {
            name: &self.name,
            anonymous_id: self.anonymous_id.as_deref(),
            user_id: self.user_id.as_deref(),
            alias: self.alias.as_deref(),
            session_id: self.session_id.as_deref(),
            properties: self.properties.non_empty(),
            context: self.context.as_ref().unwrap_or(context).non_empty(),
            set: self.set.non_empty(),
            set_once: self.set_once.non_empty(),
            ..Event::new(id, seq, self.timestamp.unwrap_or(now))
        }
    }

    /// The objects in it, whose limits are to be checked.
    pub(crate) fn objects(&self) -> [&Properties; 4] {
        let context = self.context.as_ref().unwrap_or(Properties::NONE);
        [&self.properties, &self.set, &self.set_once, context]
    }
}

/// Writes the event's JSON to `out`, or says why it can never be delivered. The rules are those of the server.
///
/// # Errors
/// The reason under which the event is to be counted.
pub(crate) fn freeze(event: &Event<'_>, objects: [&Properties; 4], out: &mut String) -> Result<(), Reason> {
    check_name(event.name)?;
    check_ids(event)?;
    check_timestamp(event.timestamp)?;
    objects.into_iter().try_for_each(Properties::check)?;
    event.write(out);
    if out.len() > EVENT_BYTES {
        return Err(Reason::TooLarge);
    }
    Ok(())
}

pub(crate) fn check_name(name: &str) -> Result<(), Reason> {
    if name.chars().all(char::is_whitespace) {
        return Err(Reason::MissingName);
    }
    within(name, NAME_CHARS, Reason::NameTooLong)
}

pub(crate) fn check_ids(event: &Event<'_>) -> Result<(), Reason> {
    if event.anonymous_id.is_none() && event.user_id.is_none() {
        return Err(Reason::MissingIdentity);
    }
    event.anonymous_id.map_or(Ok(()), check_anonymous_id)?;
    event.user_id.map_or(Ok(()), check_user_id)?;
    event.alias.map_or(Ok(()), check_user_id)?;
    event.session_id.map_or(Ok(()), check_length)?;
    let complete = match event.name {
        names::IDENTIFY => event.anonymous_id.is_some() && event.user_id.is_some(),
        names::ALIAS => event.user_id.is_some() && event.alias.is_some() && event.alias != event.user_id,
        _ => true,
    };
    if complete {
        Ok(())
    } else {
        Err(Reason::IncompleteIdentity)
    }
}

/// The first and last microsecond that RFC 3339 can write: the years 0000 and 9999.
const FIRST_MICRO: i64 = -62_167_219_200_000_000;
const LAST_MICRO: i64 = 253_402_300_799_999_999;

fn check_timestamp(time: Timestamp) -> Result<(), Reason> {
    if (FIRST_MICRO..=LAST_MICRO).contains(&time.micros()) {
        Ok(())
    } else {
        Err(Reason::InvalidTimestamp)
    }
}
