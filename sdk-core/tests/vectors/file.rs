//! A file of vectors: read, and written in the one layout, a step on a line and an event on a line.

use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use trailmark_vectors::text::compact;

/// A file.
pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) needs: Vec<String>,
    /// Everything before the steps, by key.
    head: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
}

/// A step, compact and without its outcome; and its outcome.
pub(crate) struct Step {
    pub(crate) text: String,
    pub(crate) expect: Option<String>,
}

impl File {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let mut file = Self {
            text: text.clone(),
            needs: Vec::new(),
            head: Vec::new(),
            steps: Vec::new(),
        };
        for (key, value) in fields(&text)? {
            match &*key {
                "steps" => file.steps = steps(value)?,
                "needs" => file.needs = serde_json::from_str(value).map_err(|error| error.to_string())?,
                _ => file.head.push((key, trimmed(value))),
            }
        }
        Ok(file)
    }

    pub(crate) fn write(&self) -> String {
        let mut lines: Vec<String> = self
            .head
            .iter()
            .map(|(key, value)| format!("  \"{key}\": {value}"))
            .collect();
        if !self.needs.is_empty() {
            lines.push(format!("  \"needs\": {}", Value::from(self.needs.clone())));
        }
        let steps: Vec<String> = self.steps.iter().map(|step| format!("    {}", step.write())).collect();
        lines.push(format!("  \"steps\": [\n{}\n  ]", steps.join(",\n")));
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// What the steps use that not every platform can do.
    pub(crate) fn needs_found(&self) -> Vec<String> {
        let mut used = Used::default();
        let config = self.head.iter().find(|(key, _)| key == "config");
        config.into_iter().for_each(|(_, config)| used.by(config));
        for step in &self.steps {
            let with = fields(&step.text)
                .unwrap_or_default()
                .into_iter()
                .find(|(key, _)| key == "with");
            with.into_iter().for_each(|(_, with)| used.by(with));
        }
        let found = [
            (used.key_order, "key_order"),
            (used.number_form, "number_form"),
            (used.escape_form, "escape_form"),
        ];
        found
            .into_iter()
            .filter(|(used, _)| *used)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}

impl Step {
    fn write(&self) -> String {
        match &self.expect {
            None => self.text.clone(),
            Some(expect) => {
                let open = self.text.strip_suffix('}').unwrap_or(&self.text);
                format!("{open},\"expect\":{}}}", expect.replace('\n', "\n      "))
            }
        }
    }
}

fn steps(json: &str) -> Result<Vec<Step>, String> {
    let raw: Vec<&RawValue> = serde_json::from_str(json).map_err(|error| error.to_string())?;
    raw.into_iter().map(|step| read_step(step.get())).collect()
}

fn read_step(json: &str) -> Result<Step, String> {
    let mut text = String::new();
    let mut expect = None;
    for (key, value) in fields(json)? {
        if key == "expect" {
            expect = Some(trimmed(value));
        } else {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&format!("\"{key}\":{}", compact(value)));
        }
    }
    Ok(Step {
        text: text + "}",
        expect,
    })
}

/// Without the indentation of its lines.
fn trimmed(json: &str) -> String {
    json.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The keys and values of an object, in their order.
fn fields(json: &str) -> Result<Vec<(String, &str)>, String> {
    let Fields(fields) = serde_json::from_str(json).map_err(|error| format!("{json:.80}: {error}"))?;
    Ok(fields)
}

struct Fields<'a>(Vec<(String, &'a str)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((key, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// What the objects that an app hands in (`properties`, `set`, `context` and the like) ask of a platform.
#[derive(Default)]
struct Used {
    /// Keys that are not in alphabetical order.
    key_order: bool,
    /// Numbers that not every language writes in the same way.
    number_form: bool,
    /// Surrogates written as escapes, which most languages read and write as one character.
    escape_form: bool,
}

impl Used {
    fn by(&mut self, with: &str) {
        const HANDED_IN: [&str; 4] = ["properties", "set", "set_once", "context"];
        let arguments = fields(with).unwrap_or_default();
        let objects = arguments.into_iter().filter(|(key, _)| HANDED_IN.contains(&&**key));
        objects.for_each(|(_, object)| self.by_value(object));
    }

    fn by_value(&mut self, json: &str) {
        match json.as_bytes().first() {
            Some(b'{') => {
                let pairs = fields(json).unwrap_or_default();
                self.key_order |= !pairs.is_sorted_by(|(a, _), (b, _)| a < b);
                pairs.into_iter().for_each(|(_, value)| self.by_value(value));
            }
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
                elements.iter().for_each(|element| self.by_value(element.get()));
            }
            Some(b'"') => self.escape_form |= json.contains(r"\ud"),
            Some(b'-' | b'0'..=b'9') => self.number_form |= !is_plain(json),
            _ => {}
        }
    }
}

/// A number that every language writes in the same way: an integer that an `f64` holds, or some digits with a fraction
/// that does not end in 0.
fn is_plain(number: &str) -> bool {
    let digits = number.trim_start_matches('-');
    let plain = digits.len() < 16 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && number != "-0" && !(number.contains('.') && number.ends_with('0'))
}
