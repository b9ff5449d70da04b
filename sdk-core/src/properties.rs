//! Properties: a JSON object kept as text, valid by construction. The engine needs no other JSON than the protocol's.

use std::borrow::Cow;
use std::fmt::Write;

use trailmark_protocol::json::{Fault, Shape, repair, scan, shorten, write_f64, write_str};
use trailmark_protocol::limits::{DEPTH, KEYS};
use trailmark_protocol::{Reason, Timestamp, Uuid};

/// Longest string in an event's properties, in characters: 8,192. Longer ones are cut, which is counted and reported.
pub const STRING_CHARS: usize = 8_192;

/// Room for the first properties of an object: 128 bytes, about five of them, in one allocation.
const FIRST_ROOM: usize = 128;

/// A JSON object of properties.
///
/// ```
/// use trailmark_core::Properties;
/// let cart = Properties::new().with("total", 12.5).with("items", vec!["tea", "milk"]).with("coupon", None::<&str>);
/// assert_eq!(cart.as_json(), r#"{"total":12.5,"items":["tea","milk"],"coupon":null}"#);
/// ```
///
/// A key given twice is written twice; the last one counts. The limits on the number of keys and on nesting are checked
/// when an event is captured with it: such an event is dropped, with its reason.
#[derive(Debug, Clone, Default)]
pub struct Properties {
    /// Empty for `{}`, otherwise the whole object: `new` allocates nothing.
    json: String,
    keys: u32,
    depth: u32,
    /// Why what was handed in is none.
    refused: Option<Reason>,
}

impl Properties {
    /// No properties.
    pub(crate) const EMPTY: Self = Self {
        json: String::new(),
        keys: 0,
        depth: 0,
        refused: None,
    };

    /// The same, for whoever needs a reference.
    pub(crate) const NONE: &Self = &Self::EMPTY;

    /// No properties yet.
    ///
    /// ```
    /// # use trailmark_core::Properties;
    /// assert!(Properties::new().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No properties yet, and room for so many bytes of them.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            json: String::with_capacity(bytes),
            ..Self::EMPTY
        }
    }

    /// Adds a property.
    ///
    /// ```
    /// # use trailmark_core::Properties;
    /// let cart = Properties::new().with("total", 12.5).with("coupon", None::<&str>);
    /// assert_eq!(cart.as_json(), r#"{"total":12.5,"coupon":null}"#);
    /// ```
    #[must_use]
    pub fn with(mut self, key: &str, value: impl PropertyValue) -> Self {
        self.insert(key, value);
        self
    }

    /// Adds a property to an object that is being filled in a loop.
    ///
    /// ```
    /// # use trailmark_core::Properties;
    /// let mut answers = Properties::new();
    /// for (question, answer) in [("colour", "blue"), ("size", "xl")] {
    ///     answers.insert(question, answer);
    /// }
    /// assert_eq!(answers.as_json(), r#"{"colour":"blue","size":"xl"}"#);
    /// ```
    pub fn insert(&mut self, key: &str, value: impl PropertyValue) {
        if self.json.capacity() == 0 {
            self.json.reserve(FIRST_ROOM);
        }
        // Reopens the object at its closing brace.
        self.json.truncate(self.json.len().saturating_sub(1));
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        write_text(&mut self.json, key);
        self.json.push(':');
        let shape = value.write(&mut self.json);
        self.json.push('}');
        self.keys = self.keys.saturating_add(1).saturating_add(shape.keys);
        self.depth = self.depth.max(shape.depth.saturating_add(1));
    }

    /// Takes over a JSON object. `\u0000` and half surrogate pairs, which PostgreSQL refuses, become U+FFFD.
    ///
    /// ```
    /// # use trailmark_core::Properties;
    /// let cart = Properties::from_json(r#"{"total": 12.50}"#).unwrap();
    /// assert_eq!(cart.as_json(), r#"{"total": 12.50}"#);
    /// assert!(Properties::from_json("[1, 2]").is_err());
    /// ```
    ///
    /// # Errors
    /// It is not one JSON object within the limits.
    pub fn from_json(json: &str) -> Result<Self, PropertiesError> {
        let json = json.trim_ascii();
        let shape = scan(json).map_err(PropertiesError::Fault)?;
        if !json.starts_with('{') {
            return Err(PropertiesError::NotAnObject);
        }
        let text = match (shape.keys, shape.needs_repair) {
            (0, _) => String::new(),
            (_, true) => repair(json),
            (_, false) => json.to_owned(),
        };
        Ok(Self {
            json: text,
            keys: shape.keys,
            depth: shape.depth,
            refused: None,
        })
    }

    /// [`from_json`](Self::from_json) for whoever has nobody to tell an error: what cannot be taken over is refused when
    /// an event is captured with it, and counted under its reason, like any other event that is refused.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties, Reason};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::accept(r#"{"total": 12.5"#));
    /// assert_eq!(client.stats().dropped["invalid_event"], 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn accept(json: &str) -> Self {
        Self::from_json(json).unwrap_or_else(|error| Self {
            refused: Some(error.reason()),
            ..Self::EMPTY
        })
    }

    /// The JSON text.
    ///
    /// ```
    /// # use trailmark_core::Properties;
    /// assert_eq!(Properties::new().as_json(), "{}");
    /// ```
    #[must_use]
    pub fn as_json(&self) -> &str {
        if self.json.is_empty() { "{}" } else { &self.json }
    }

    /// Whether there is none.
    ///
    /// ```
    /// # use trailmark_core::Properties;
    /// assert!(!Properties::new().with("total", 12.5).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.json.is_empty() && self.refused.is_none()
    }

    /// The JSON text, or `None` when there is nothing to say.
    pub(crate) fn non_empty(&self) -> Option<&str> {
        (!self.json.is_empty()).then_some(&self.json)
    }

    /// Cuts all strings to [`STRING_CHARS`], and says how many were longer.
    pub(crate) fn shorten(&mut self) -> u32 {
        let (shorter, cut) = shorten(&self.json, STRING_CHARS);
        if let Cow::Owned(json) = shorter {
            self.json = json;
        }
        cut
    }

    /// With all strings cut to [`STRING_CHARS`], and how many were longer.
    pub(crate) fn shortened(&self) -> (Cow<'_, Self>, u32) {
        match shorten(&self.json, STRING_CHARS) {
            (Cow::Owned(json), cut) => (Cow::Owned(Self { json, ..*self }), cut),
            (Cow::Borrowed(_), cut) => (Cow::Borrowed(self), cut),
        }
    }

    /// Whether the wire's limits allow it.
    ///
    /// ```
    /// # use trailmark_core::{Properties, Reason};
    /// let wide = (0..600).fold(Properties::new(), |wide, n| wide.with(&format!("key {n}"), n));
    /// assert_eq!(wide.check(), Err(Reason::TooManyProperties));
    /// ```
    ///
    /// # Errors
    /// [`Reason::TooManyProperties`] or [`Reason::TooDeep`], or why [`accept`](Self::accept) could not take it over.
    pub fn check(&self) -> Result<(), Reason> {
        if let Some(reason) = self.refused {
            Err(reason)
        } else if self.keys > KEYS {
            Err(Reason::TooManyProperties)
        } else if self.depth > DEPTH {
            Err(Reason::TooDeep)
        } else {
            Ok(())
        }
    }
}

/// Equal when the texts are, and none is refused for another reason than the other.
impl PartialEq for Properties {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json() && self.refused == other.refused
    }
}

impl Eq for Properties {}

/// Why a text cannot be properties.
///
/// ```
/// # use trailmark_core::{Properties, PropertiesError};
/// assert_eq!(Properties::from_json("[]"), Err(PropertiesError::NotAnObject));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertiesError {
    /// Not JSON, or beyond a limit.
    Fault(Fault),
    /// JSON, but an array or a scalar.
    NotAnObject,
}

impl PropertiesError {
    /// The reason under which an event with such properties is refused.
    ///
    /// ```
    /// # use trailmark_core::{PropertiesError, Reason};
    /// assert_eq!(PropertiesError::NotAnObject.reason(), Reason::InvalidEvent);
    /// ```
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Fault(Fault::TooDeep) => Reason::TooDeep,
            Self::Fault(Fault::TooManyKeys) => Reason::TooManyProperties,
            Self::Fault(Fault::NumberOutOfRange) => Reason::NumberOutOfRange,
            Self::Fault(Fault::Syntax(_)) | Self::NotAnObject => Reason::InvalidEvent,
        }
    }
}

impl std::fmt::Display for PropertiesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(Fault::Syntax(at)) => write!(f, "not JSON from byte {at} on"),
            Self::Fault(Fault::TooDeep) => write!(f, "nested deeper than {DEPTH}"),
            Self::Fault(Fault::TooManyKeys) => write!(f, "more than {KEYS} keys"),
            Self::Fault(Fault::NumberOutOfRange) => f.write_str("a number that no f64 holds"),
            Self::NotAnObject => f.write_str("properties are a JSON object"),
        }
    }
}

impl std::error::Error for PropertiesError {}

/// What a property can hold. Floats that JSON does not have (NaN, the infinities) become `null`.
///
/// ```
/// # use trailmark_core::Properties;
/// let kinds = Properties::new().with("text", "tea").with("list", [1, 2]).with("inner", Properties::new().with("n", f64::NAN));
/// assert_eq!(kinds.as_json(), r#"{"text":"tea","list":[1,2],"inner":{"n":null}}"#);
/// ```
pub trait PropertyValue {
    /// Appends the value as JSON and says how many keys and levels it has.
    fn write(&self, out: &mut String) -> Shape;
}

const SCALAR: Shape = Shape {
    keys: 0,
    depth: 0,
    needs_repair: false,
};

/// A JSON string, NUL replaced: PostgreSQL has no place for it.
fn write_text(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte == 0) {
        let printable = |c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
        write_str(out, &text.chars().map(printable).collect::<String>());
    } else {
        write_str(out, text);
    }
}

impl PropertyValue for str {
    fn write(&self, out: &mut String) -> Shape {
        write_text(out, self);
        SCALAR
    }
}

impl PropertyValue for String {
    fn write(&self, out: &mut String) -> Shape {
        self.as_str().write(out)
    }
}

impl PropertyValue for Cow<'_, str> {
    fn write(&self, out: &mut String) -> Shape {
        self.as_ref().write(out)
    }
}

macro_rules! written_as_is {
    ($($type:ty)*) => {$(
        impl PropertyValue for $type {
            fn write(&self, out: &mut String) -> Shape {
                let _ = write!(out, "{self}");
                SCALAR
            }
        }
    )*};
}

written_as_is!(bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl PropertyValue for f64 {
    fn write(&self, out: &mut String) -> Shape {
        write_f64(out, *self);
        SCALAR
    }
}

/// Written with the digits of an `f32`: `0.1f32` is `0.1`.
impl PropertyValue for f32 {
    fn write(&self, out: &mut String) -> Shape {
        if self.is_finite() {
            let _ = write!(out, "{self:?}");
        } else {
            out.push_str("null");
        }
        SCALAR
    }
}

macro_rules! written_in_quotes {
    ($($type:ty)*) => {$(
        impl PropertyValue for $type {
            fn write(&self, out: &mut String) -> Shape {
                let _ = write!(out, "\"{self}\"");
                SCALAR
            }
        }
    )*};
}

written_in_quotes!(Timestamp Uuid);

impl<T: PropertyValue + ?Sized> PropertyValue for &T {
    fn write(&self, out: &mut String) -> Shape {
        (**self).write(out)
    }
}

impl<T: PropertyValue> PropertyValue for Option<T> {
    fn write(&self, out: &mut String) -> Shape {
        match self {
            Some(value) => value.write(out),
            None => {
                out.push_str("null");
                SCALAR
            }
        }
    }
}

impl<T: PropertyValue> PropertyValue for [T] {
    fn write(&self, out: &mut String) -> Shape {
        let mut whole = Shape { depth: 1, ..SCALAR };
        out.push('[');
        for (at, value) in self.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            let shape = value.write(out);
            whole.keys = whole.keys.saturating_add(shape.keys);
            whole.depth = whole.depth.max(shape.depth.saturating_add(1));
        }
        out.push(']');
        whole
    }
}

impl<T: PropertyValue> PropertyValue for Vec<T> {
    fn write(&self, out: &mut String) -> Shape {
        self.as_slice().write(out)
    }
}

impl<T: PropertyValue, const N: usize> PropertyValue for [T; N] {
    fn write(&self, out: &mut String) -> Shape {
        self.as_slice().write(out)
    }
}

/// A value that is valid JSON already, taken out of other properties.
pub(crate) struct Raw<'a>(pub(crate) &'a str);

impl PropertyValue for Raw<'_> {
    fn write(&self, out: &mut String) -> Shape {
        out.push_str(self.0);
        scan(self.0).unwrap_or(SCALAR)
    }
}

impl PropertyValue for Properties {
    fn write(&self, out: &mut String) -> Shape {
        out.push_str(self.as_json());
        Shape {
            // What is refused stays so inside of another object, if not for its own reason.
            keys: if self.refused.is_some() { KEYS + 1 } else { self.keys },
            depth: self.depth.max(1),
            ..SCALAR
        }
    }
}

#[cfg(feature = "native")]
mod from_serde {
    use super::{DEPTH, Fault, KEYS, Properties, PropertiesError, PropertyValue, SCALAR, Shape, repair, scan};
    use serde_json::{Map, Value};

    impl PropertyValue for Value {
        fn write(&self, out: &mut String) -> Shape {
            let text = self.to_string();
            match scan(&text) {
                Ok(shape) if shape.needs_repair => out.push_str(&repair(&text)),
                Err(Fault::Syntax(_) | Fault::NumberOutOfRange) => out.push_str("null"),
                _ => out.push_str(&text),
            }
            shape_of(&text)
        }
    }

    /// The shape of a text; one beyond a limit is said to be just beyond it, which is enough to refuse it at capture.
    fn shape_of(text: &str) -> Shape {
        match scan(text) {
            Ok(shape) => shape,
            Err(Fault::TooManyKeys) => Shape {
                keys: KEYS + 1,
                ..SCALAR
            },
            Err(Fault::TooDeep) => Shape {
                depth: DEPTH + 1,
                ..SCALAR
            },
            Err(_) => SCALAR,
        }
    }

    impl From<Map<String, Value>> for Properties {
        fn from(map: Map<String, Value>) -> Self {
            map.iter()
                .fold(Self::new(), |properties, (key, value)| properties.with(key, value))
        }
    }

    /// Takes an object; anything else is [`PropertiesError::NotAnObject`].
    impl TryFrom<Value> for Properties {
        type Error = PropertiesError;

        fn try_from(value: Value) -> Result<Self, PropertiesError> {
            match value {
                Value::Object(map) => Ok(map.into()),
                _ => Err(PropertiesError::NotAnObject),
            }
        }
    }
}
