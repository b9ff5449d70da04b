//! Scanning: is this text one JSON value within the limits, and what is its shape? No recursion, no allocation.

use super::magnitude::is_finite;
use super::read::as_u64;
use crate::limits::{DEPTH, KEYS, NUMBER_CHARS};

/// What a scan learned about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Object keys, nested ones counted.
    pub keys: u32,
    /// Deepest nesting; 0 for a scalar.
    pub depth: u32,
    /// Holds `\u0000` or half a surrogate pair, which PostgreSQL's `jsonb` refuses: [`repair`](super::repair) it.
    pub needs_repair: bool,
}

/// Why a text is not acceptable JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON (RFC 8259), from this byte on.
    Syntax(usize),
    /// Nested deeper than [`DEPTH`].
    TooDeep,
    /// More than [`KEYS`] keys.
    TooManyKeys,
    /// A number that no `f64` holds, or longer than [`NUMBER_CHARS`].
    NumberOutOfRange,
}

/// Scans `text`, which must be one JSON value with nothing but white space around it.
///
/// # Errors
/// The first [`Fault`] met.
pub fn scan(text: &str) -> Result<Shape, Fault> {
    let mut scanner = Scanner::new(text);
    scanner.value()?;
    scanner.end()?;
    Ok(scanner.shape)
}

/// Walks over a text, one value at a time.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    pub(super) at: usize,
    pub(super) shape: Shape,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            shape: Shape::default(),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(super) fn fault<T>(&self) -> Result<T, Fault> {
        Err(Fault::Syntax(self.at))
    }

    /// Nothing is left but white space.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.white_space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            self.fault()
        }
    }

    /// Steps over `byte`, white space before it allowed.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        self.white_space();
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.fault()
        }
    }

    /// Steps over one value. The open containers are bits of one word: 1 an object, 0 an array.
    pub(super) fn value(&mut self) -> Result<(), Fault> {
        let (mut kinds, mut depth) = (0u64, 0u32);
        loop {
            self.white_space();
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    depth += 1;
                    self.shape.depth = self.shape.depth.max(depth);
                    if depth > DEPTH {
                        return Err(Fault::TooDeep);
                    }
                    kinds = kinds << 1 | u64::from(open == b'{');
                    self.white_space();
                    if self.peek() != Some(closer(kinds)) {
                        self.key_if_object(kinds)?;
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => self.word()?,
            }
            // A value has ended: close what it ends, or go on to the next element.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                self.white_space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.key_if_object(kinds)?;
                        break;
                    }
                    Some(close) if close == closer(kinds) => {
                        self.at += 1;
                        kinds >>= 1;
                        depth -= 1;
                    }
                    _ => return self.fault(),
                }
            }
        }
    }

    fn key_if_object(&mut self, kinds: u64) -> Result<(), Fault> {
        if kinds & 1 == 0 {
            return Ok(());
        }
        self.shape.keys += 1;
        if self.shape.keys > KEYS {
            return Err(Fault::TooManyKeys);
        }
        self.key()
    }

    /// Steps over `"key" :`.
    pub(super) fn key(&mut self) -> Result<(), Fault> {
        self.white_space();
        if self.peek() != Some(b'"') {
            return self.fault();
        }
        self.string()?;
        self.expect(b':')
    }

    /// Steps over a string, the opening quote being next.
    pub(super) fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                _ => return self.fault(),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let Some(unit) = self.code_unit(self.at) else {
                    return self.fault();
                };
                self.at += 6;
                match unit {
                    0xd800..=0xdbff if matches!(self.code_unit(self.at), Some(0xdc00..=0xdfff)) => self.at += 6,
                    0 | 0xd800..=0xdfff => self.shape.needs_repair = true,
                    _ => {}
                }
            }
            _ => return self.fault(),
        }
        Ok(())
    }

    /// The UTF-16 code unit of the `\uXXXX` at `at`, if there is one.
    fn code_unit(&self, at: usize) -> Option<u16> {
        code_unit(self.text.as_bytes().get(at..)?.strip_prefix(b"\\u")?)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut exponent = 0;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            let digits = self.at;
            self.digits()?;
            exponent = as_u64(self.text(digits)).unwrap_or(u64::MAX);
        }
        let text = self.text(start);
        // A plain number of up to 300 characters always fits an f64; the smallest f64 is 5e-324, so 400 is beyond it.
        let plain = exponent == 0 && text.len() <= 300;
        let fits = plain || exponent <= 400 && is_finite(text);
        if fits && text.len() <= NUMBER_CHARS {
            Ok(())
        } else {
            Err(Fault::NumberOutOfRange)
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.fault() } else { Ok(()) }
    }

    /// The text from `start` to here; both are ASCII boundaries.
    pub(super) fn text(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn word(&mut self) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let word = ["true", "false", "null"]
            .iter()
            .find(|word| rest.starts_with(word.as_bytes()));
        match word {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => self.fault(),
        }
    }
}

/// Where the first such ASCII character is. (`str::find` searches for any character, and its code is ten times this.)
pub(super) fn position(text: &str, byte: u8) -> Option<usize> {
    text.bytes().position(|found| found == byte)
}

/// The UTF-16 code unit of the four hexadecimal digits at the start.
pub(super) fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let unit = bytes
        .get(..4)?
        .iter()
        .try_fold(0, |unit, byte| Some(unit << 4 | digit(*byte)?))?;
    u16::try_from(unit).ok()
}

fn closer(kinds: u64) -> u8 {
    if kinds & 1 == 1 { b'}' } else { b']' }
}
