//! Writing: objects and arrays appended to a `String`.

use std::fmt::Write;

use uuid::Uuid;

use crate::id;
use crate::time::Timestamp;

/// An object being written. Fields appear in the order of the calls.
///
/// ```
/// let mut out = String::new();
/// trailmark_protocol::json::Object::open(&mut out).str("event", "checkout").int("seq", 41).close();
/// assert_eq!(out, r#"{"event":"checkout","seq":41}"#);
/// ```
#[derive(Debug)]
#[must_use = "an object that is not closed is not JSON"]
pub struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Writes the opening brace.
    pub fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// Writes a key; the value is what the caller appends to the returned text.
    pub fn key(&mut self, key: &str) -> &mut String {
        if !std::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        write_str(self.out, key);
        self.out.push(':');
        self.out
    }

    /// A string field.
    pub fn str(mut self, key: &str, value: &str) -> Self {
        write_str(self.key(key), value);
        self
    }

    /// A string field, left out when there is none.
    pub fn opt_str(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.str(key, value),
            None => self,
        }
    }

    /// An integer field.
    pub fn int(mut self, key: &str, value: u64) -> Self {
        write_u64(self.key(key), value);
        self
    }

    /// A field that holds a UUID.
    pub fn id(mut self, key: &str, id: Uuid) -> Self {
        let out = self.key(key);
        out.push('"');
        id::write(out, id);
        out.push('"');
        self
    }

    /// A field that holds a time.
    pub fn time(mut self, key: &str, time: Timestamp) -> Self {
        let out = self.key(key);
        out.push('"');
        time.write(out);
        out.push('"');
        self
    }

    /// A field whose value is already JSON.
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key).push_str(json);
        self
    }

    /// A field whose value is already JSON, left out when there is none.
    pub fn opt_raw(self, key: &str, json: Option<&str>) -> Self {
        match json {
            Some(json) => self.raw(key, json),
            None => self,
        }
    }

    /// Writes the closing brace.
    pub fn close(self) {
        self.out.push('}');
    }
}

/// An array being written.
#[derive(Debug)]
#[must_use = "an array that is not closed is not JSON"]
pub struct Array<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Array<'a> {
    /// Writes the opening bracket.
    pub fn open(out: &'a mut String) -> Self {
        out.push('[');
        Self { out, empty: true }
    }

    /// Starts an element; its value is what the caller appends to the returned text.
    pub fn element(&mut self) -> &mut String {
        if !std::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        self.out
    }

    /// Writes the closing bracket.
    pub fn close(self) {
        self.out.push(']');
    }
}

/// Appends `text` as a JSON string: quotes, backslashes and control characters escaped, all else as it is (RFC 8259 §7).
pub fn write_str(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        // `at` is a character boundary: only ASCII bytes come here.
        out.push_str(text.get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                out.push_str(if byte < 0x10 { "\\u000" } else { "\\u001" });
                out.push(char::from_digit(u32::from(byte % 0x10), 16).unwrap_or_default());
            }
        }
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('"');
}

/// Appends a number. `core::fmt`, which does the same and more, would be a tenth of what a web page loads.
pub fn write_u64(out: &mut String, number: u64) {
    write_digits(out, number, 1);
}

/// Appends a number in at least so many digits.
pub fn write_digits(out: &mut String, number: u64, at_least: u32) {
    if number >= 10 || at_least > 1 {
        write_digits(out, number / 10, at_least.saturating_sub(1));
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Appends a number that may be negative.
pub fn write_i64(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    write_u64(out, number.unsigned_abs());
}

/// Appends a float in its shortest exact form; NaN and the infinities, which JSON does not have, become `null`.
pub fn write_f64(out: &mut String, value: f64) {
    if value.is_finite() {
        let _ = write!(out, "{value:?}");
    } else {
        out.push_str("null");
    }
}
