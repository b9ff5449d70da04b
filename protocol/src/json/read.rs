//! Reading: the fields of an object and the elements of an array as slices of the text, unescaped only when asked.

use std::borrow::Cow;

use super::scan::{Fault, Scanner, Shape, code_unit, position};

/// The fields of an object, in order: `(key, value)`, the key unescaped, the value as raw JSON.
#[derive(Debug)]
pub struct Fields<'a> {
    scanner: Scanner<'a>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    First,
    Later,
    Done,
}

/// Reads `text` as an object. Limits of [`scan`](super::scan) apply to each value, not to the number of fields.
#[must_use]
pub fn fields(text: &str) -> Fields<'_> {
    Fields {
        scanner: Scanner::new(text),
        state: State::First,
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(Cow<'a, str>, &'a str), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.field().transpose();
        if !matches!(field, Some(Ok(_))) {
            self.state = State::Done;
        }
        field
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<Option<(Cow<'a, str>, &'a str)>, Fault> {
        if !step(&mut self.scanner, &mut self.state, b'{', b'}')? {
            return Ok(None);
        }
        self.scanner.white_space();
        let start = self.scanner.at;
        if self.scanner.peek() != Some(b'"') {
            return self.scanner.fault();
        }
        self.scanner.string()?;
        let key = unescape(self.scanner.text(start));
        self.scanner.expect(b':')?;
        Ok(Some((key, raw_value(&mut self.scanner)?)))
    }
}

/// The raw values of the fields of these names; of one that is there twice, the last.
///
/// ```
/// use trailmark_protocol::json::pick;
/// let [seq, alias] = pick(r#"{"id":"a","seq":41}"#, ["seq", "alias"]).unwrap_or_default();
/// assert_eq!((seq, alias), (Some("41"), None));
/// ```
///
/// # Errors
/// The first [`Fault`] met, if it is not JSON or not an object.
// Inlined, because a page loads less code when the array is not copied out of a result.
#[inline(always)]
pub fn pick<'a, const N: usize>(text: &'a str, names: [&str; N]) -> Result<[Option<&'a str>; N], Fault> {
    let mut values = [None; N];
    fill(text, &names, &mut values)?;
    Ok(values)
}

fn fill<'a>(text: &'a str, names: &[&str], values: &mut [Option<&'a str>]) -> Result<(), Fault> {
    let mut fields = fields(text);
    for field in fields.by_ref() {
        let (key, value) = field?;
        for (name, found) in names.iter().zip(&mut *values) {
            if *name == key {
                *found = Some(value);
            }
        }
    }
    fields.scanner.end()
}

/// Reads `text` as an array and returns its elements as raw JSON.
///
/// # Errors
/// The first [`Fault`] met.
pub fn elements(text: &str) -> Result<Vec<&str>, Fault> {
    let (mut scanner, mut state, mut found) = (Scanner::new(text), State::First, Vec::new());
    while step(&mut scanner, &mut state, b'[', b']')? {
        found.push(raw_value(&mut scanner)?);
    }
    Ok(found)
}

/// Moves to the next entry of a container; `false` at its end.
fn step(scanner: &mut Scanner<'_>, state: &mut State, open: u8, close: u8) -> Result<bool, Fault> {
    match *state {
        State::Done => return Ok(false),
        State::First => scanner.expect(open)?,
        State::Later => {}
    }
    scanner.white_space();
    if scanner.peek() == Some(close) {
        scanner.at += 1;
        *state = State::Done;
        return Ok(false);
    }
    if *state == State::Later {
        scanner.expect(b',')?;
    }
    *state = State::Later;
    Ok(true)
}

fn raw_value<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str, Fault> {
    scanner.white_space();
    let start = scanner.at;
    scanner.shape = Shape::default();
    scanner.value()?;
    Ok(scanner.text(start))
}

/// The text of a raw JSON string; `None` if it is another kind of value. Half a surrogate pair becomes U+FFFD.
#[must_use]
pub fn as_string(raw: &str) -> Option<Cow<'_, str>> {
    (raw.len() >= 2 && raw.starts_with('"')).then(|| unescape(raw))
}

/// The value of a raw JSON non-negative integer.
#[must_use]
pub fn as_u64(raw: &str) -> Option<u64> {
    raw.parse().ok()
}

/// The value of a raw JSON integer.
#[must_use]
pub fn as_i64(raw: &str) -> Option<i64> {
    match raw.strip_prefix('-') {
        Some(digits) => 0i64.checked_sub_unsigned(as_u64(digits)?),
        None => as_u64(raw)?.try_into().ok(),
    }
}

/// Takes the quotes off a scanned string and resolves its escapes.
fn unescape(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if position(inner, b'\\').is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = position(rest, b'\\') {
        let (clean, escape) = (rest.get(..at), rest.get(at + 1..));
        out.push_str(clean.unwrap_or_default());
        let escape = escape.unwrap_or_default();
        let mut chars = escape.chars();
        match chars.next() {
            Some('u') => {
                rest = code_point(escape.get(1..).unwrap_or_default(), &mut out);
                continue;
            }
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Resolves `XXXX` (and a second half `\uXXXX`) at the start of `text`; returns what follows.
fn code_point<'a>(text: &'a str, out: &mut String) -> &'a str {
    let unit = |text: &str| code_unit(text.as_bytes());
    let rest = text.get(4..).unwrap_or_default();
    let first = unit(text).unwrap_or(0xfffd);
    let second = rest
        .strip_prefix("\\u")
        .and_then(unit)
        .filter(|unit| (0xdc00..=0xdfff).contains(unit));
    match (first, second) {
        (0xd800..=0xdbff, Some(second)) => {
            let point = 0x1_0000 + ((u32::from(first) - 0xd800) << 10) + (u32::from(second) - 0xdc00);
            out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest.get(6..).unwrap_or_default()
        }
        _ => {
            out.push(char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest
        }
    }
}
