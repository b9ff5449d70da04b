//! Super-properties: written into every event of the epoch, below those of the call.

use std::borrow::Cow;

use trailmark_protocol::json::fields;

use crate::Properties;
use crate::properties::Raw;

/// A JSON object that keys can be set in and taken out of. The text is rebuilt at each change, so that an event only
/// copies it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    properties: Properties,
}

impl Registered {
    /// These properties, each key in them once.
    #[must_use]
    pub fn new(properties: Properties) -> Self {
        Self { properties }
    }

    /// All of them.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// With `added`, which win over what was there.
    #[must_use]
    pub fn with(&self, added: &Properties) -> Self {
        Self {
            properties: merged(&self.properties, added),
        }
    }

    /// With those of `added` that were not there.
    #[must_use]
    pub fn with_new(&self, added: &Properties) -> Self {
        Self {
            properties: merged(added, &self.properties),
        }
    }

    /// Without this key.
    #[must_use]
    pub fn without(&self, key: &str) -> Self {
        let kept = pairs(&self.properties).filter(|(name, _)| name != key);
        Self {
            properties: object(kept, self.properties.as_json().len()),
        }
    }
}

/// Both objects as one; the keys of `above` win and come last. Each key is in it once. One that is beyond a limit stays
/// alone and as it is, for the check to refuse it: reading it would silently end at the limit.
#[must_use]
pub(crate) fn merged(below: &Properties, above: &Properties) -> Properties {
    if let Some(beyond) = [above, below].into_iter().find(|object| object.check().is_err()) {
        return beyond.clone();
    }
    let room = below.as_json().len() + above.as_json().len();
    let above: Vec<Pair<'_>> = pairs(above).collect();
    let names = |from: usize| above.iter().skip(from).map(|(name, _)| name);
    let kept = pairs(below).filter(|(name, _)| names(0).all(|taken| taken != name));
    let last_of_each = above
        .iter()
        .enumerate()
        .filter(|(at, (name, _))| names(at + 1).all(|later| later != name));
    object(kept.chain(last_of_each.map(|(_, pair)| pair.clone())), room)
}

/// The properties of a screen view.
pub(crate) fn screen_properties(screen: &str, properties: &Properties) -> Properties {
    merged(properties, &Properties::new().with("$screen_name", screen))
}

type Pair<'a> = (Cow<'a, str>, &'a str);

fn pairs(properties: &Properties) -> impl Iterator<Item = Pair<'_>> {
    fields(properties.as_json()).map_while(Result::ok)
}

/// An object of these pairs, which are at most `room` bytes.
fn object<'a>(pairs: impl Iterator<Item = Pair<'a>>, room: usize) -> Properties {
    pairs.fold(Properties::with_capacity(room), |object, (name, value)| {
        object.with(&name, Raw(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Properties {
        Properties::from_json(text).unwrap()
    }

    #[test]
    fn properties_of_the_call_win_and_each_key_is_written_once() {
        let merged = merged(
            &json(r#"{"plan":"free","theme":"dark"}"#),
            &json(r#"{"n":1,"plan":"pro","n":2}"#),
        );
        assert_eq!(merged.as_json(), r#"{"theme":"dark","plan":"pro","n":2}"#);
    }

    #[test]
    fn registering_once_keeps_what_is_there() {
        let registered = Registered::new(json(r#"{"a":1}"#));
        assert_eq!(
            registered.with(&json(r#"{"a":2,"b":3}"#)).properties().as_json(),
            r#"{"a":2,"b":3}"#
        );
        assert_eq!(
            registered.with_new(&json(r#"{"a":2,"b":3}"#)).properties().as_json(),
            r#"{"b":3,"a":1}"#
        );
        assert_eq!(registered.without("a").properties().as_json(), "{}");
        assert_eq!(registered.without("b"), registered);
    }
}
