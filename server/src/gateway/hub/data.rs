//! What clients and services send each other through JSON, whatever it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A message's content. In JSON it is itself if it is JSON, a string if it is other text, else its base64.
#[derive(Debug, Clone, Copy)]
pub(super) enum Data<'a> {
    Json(&'a RawValue),
    Text(&'a str),
    Binary(&'a [u8]),
}

impl<'a> Data<'a> {
    pub(super) fn of_text(text: &'a str) -> Self {
        serde_json::from_str(text).map_or(Self::Text(text), Self::Json)
    }

    pub(super) fn of_bytes(bytes: &'a [u8]) -> Self {
        std::str::from_utf8(bytes).map_or(Self::Binary(bytes), Self::of_text)
    }

    /// How it is written: `json`, `text` or `base64`.
    pub(super) const fn encoding(self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Text(_) => "text",
            Self::Binary(_) => "base64",
        }
    }

    pub(super) const fn is_binary(self) -> bool {
        matches!(self, Self::Binary(_))
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(json) => json.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_sent_can_be_had_back_from_the_json(bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "\\PC{0,30}".prop_map(String::into_bytes),
            "[\\[\\]{},:\"0-9 a]{0,12}".prop_map(String::into_bytes),
        ]) {
            let data = Data::of_bytes(&bytes);
            let written: Value = serde_json::from_str(&serde_json::to_string(&data).unwrap()).unwrap();
            match data.encoding() {
                "json" => prop_assert_eq!(written, serde_json::from_slice::<Value>(&bytes).unwrap()),
                "text" => prop_assert_eq!(written.as_str().unwrap().as_bytes(), &bytes),
                _ => prop_assert_eq!(STANDARD.decode(written.as_str().unwrap()).unwrap(), bytes),
            }
        }
    }
}
