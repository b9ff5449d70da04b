//! Realistic events as templates: JSON with places that are written over for each event, so that making one costs
//! tens of nanoseconds of the cores that are being measured.

/// One template: an event of about 500 bytes with ten properties and a context, as a mobile app sends it.
///
/// The letters in braces mark places: `{I}` id, `{A}` anonymous_id, `{U}` the digits of the user_id, `{N}` a number
/// that differs from event to event. They are replaced by text of a fixed length, see [`Template::new`].
const EVENTS: [(&str, &str); 4] = [
    (
        "product_viewed",
        r#"{"product_id":"sku_{N}","name":"Trail shoe, waterproof","category":"shoes/outdoor","price":129.95,"currency":"EUR","position":3,"list":"search","discounted":false,"rating":4.5,"in_stock":true}"#,
    ),
    (
        "checkout_completed",
        r#"{"order_id":"o_{N}","total":184.4,"currency":"EUR","items":3,"coupon":null,"shipping":"standard","payment":"card","first_order":false,"tax":29.44,"referrer":"newsletter-2026-11"}"#,
    ),
    (
        "$screen",
        r#"{"screen":"SearchResults","previous":"Home","query_id":"q_{N}","results":48,"filters":["size:42","color:blue"],"sort":"relevance","load_ms":183,"cached":false,"orientation":"portrait","page":1}"#,
    ),
    (
        "button_tapped",
        r#"{"label":"add_to_basket","screen":"ProductDetail","x":182,"y":604,"tap_id":"t_{N}","variant":"b","experiment":"sticky-basket","enabled":true,"visible_ms":5240,"product_id":"sku_884122"}"#,
    ),
];

const CONTEXT: &str = r#"{"app":{"name":"Trail Shop","version":"4.12.0"},"os":{"name":"Android","version":"15"},"device":"Pixel 8","screen":{"width":412,"height":915},"locale":"de-DE","timezone":"Europe/Berlin"}"#;

/// Digits of [`Field::Number`] and [`Field::User`].
pub const DIGITS: usize = 8;

/// What is written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The event's id: 36 characters.
    Id,
    /// The device: 36 characters.
    Device,
    /// The number of the user: [`DIGITS`] digits.
    User,
    /// Any number: [`DIGITS`] digits.
    Number,
    /// The time: 24 characters, `2026-11-20T21:13:05.123Z`.
    Time,
}

impl Field {
    const ALL: [(&'static str, Self, usize); 5] = [
        ("{I}", Self::Id, 36),
        ("{A}", Self::Device, 36),
        ("{U}", Self::User, DIGITS),
        ("{N}", Self::Number, DIGITS),
        ("{T}", Self::Time, 24),
    ];
}

/// An event's JSON, and where its fields are.
#[derive(Debug, Clone)]
pub struct Template {
    /// The JSON, its fields filled with zeros.
    pub json: Vec<u8>,
    /// Fields with their offsets.
    pub places: Vec<(usize, Field)>,
}

impl Template {
    /// The `index`th template; they repeat. Every other event has a user beside its device.
    #[must_use]
    pub fn new(index: usize) -> Self {
        let (name, properties) = EVENTS[index % EVENTS.len()];
        let user = if index % 2 == 1 { r#""user_id":"u_{U}","# } else { "" };
        Self::parse(&format!(
            r#"{{"id":"{{I}}","seq":{index},"event":"{name}","anonymous_id":"{{A}}",{user}"session_id":"s-20261120-0042","timestamp":"{{T}}","properties":{properties},"context":{CONTEXT}}}"#
        ))
    }

    /// An event named `name` with no properties, of a device of its own.
    #[must_use]
    pub fn probe(name: &str) -> Self {
        Self::parse(&format!(
            r#"{{"id":"{{I}}","event":"{name}","anonymous_id":"probe","timestamp":"{{T}}"}}"#
        ))
    }

    fn parse(text: &str) -> Self {
        let (mut json, mut places, mut rest) = (Vec::new(), Vec::new(), text);
        let marks = |text: &str| {
            Field::ALL
                .iter()
                .filter_map(|(mark, field, length)| Some((text.find(mark)?, *field, *length)))
                .min_by_key(|m| m.0)
        };
        while let Some((at, field, length)) = marks(rest) {
            json.extend_from_slice(&rest.as_bytes()[..at]);
            places.push((json.len(), field));
            json.resize(json.len() + length, b'0');
            rest = &rest[at + 3..];
        }
        json.extend_from_slice(rest.as_bytes());
        Self { json, places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_json_of_about_five_hundred_bytes() {
        for index in 0..2 * EVENTS.len() {
            let template = Template::new(index);
            let event: serde_json::Value = serde_json::from_slice(&template.json).unwrap();
            assert_eq!(event["properties"].as_object().unwrap().len(), 10, "{event}");
            assert!((450..650).contains(&template.json.len()), "{}", template.json.len());
        }
    }

    #[test]
    fn places_are_where_the_values_are() {
        let template = Template::new(1);
        let at = |wanted| template.places.iter().find(|(_, field)| *field == wanted).unwrap().0;
        assert_eq!(&template.json[..at(Field::Id)], br#"{"id":""#);
        assert!(template.json[..at(Field::User)].ends_with(br#""user_id":"u_"#));
        assert!(template.json[at(Field::Time) + 24..].starts_with(br#"","properties""#));
    }
}
