//! Shortening: no string in a JSON text longer than a limit.

use std::borrow::Cow;

use super::scan::position;

/// `json` with every string (keys too) cut to `max_chars` characters, and how many were. The text must have passed
/// [`scan`](super::scan).
///
/// ```
/// use trailmark_protocol::json::shorten;
/// assert_eq!(shorten(r#"{"a":"abcdef"}"#, 3), (r#"{"a":"abc"}"#.into(), 1));
/// assert_eq!(shorten(r#"{"a":"a\n\ud83d\ude00b"}"#, 3), (r#"{"a":"a\n\ud83d\ude00"}"#.into(), 1));
/// ```
#[must_use]
pub fn shorten(json: &str, max_chars: usize) -> (Cow<'_, str>, u32) {
    // A string of so many characters, with its quotes, is longer than that in bytes.
    if json.len() <= max_chars {
        return (Cow::Borrowed(json), 0);
    }
    let (mut out, mut cut, mut rest) = (String::new(), 0, json);
    while let Some(quote) = position(rest, b'"') {
        let (before, string) = rest.split_at(quote + 1);
        out.push_str(before);
        let (kept, len) = measure(string, max_chars);
        out.push_str(string.get(..kept).unwrap_or_default());
        out.push('"');
        cut += u32::from(kept < len);
        rest = string.get(len + 1..).unwrap_or_default();
    }
    if cut == 0 {
        return (Cow::Borrowed(json), 0);
    }
    out.push_str(rest);
    (Cow::Owned(out), cut)
}

/// How many bytes of the string's inside to keep, and how many it has.
fn measure(inside: &str, max_chars: usize) -> (usize, usize) {
    let (mut at, mut chars, mut kept) = (0, 0, 0);
    while let Some(len) = character(inside.get(at..).unwrap_or_default()) {
        at += len;
        chars += 1;
        if chars <= max_chars {
            kept = at;
        }
    }
    (kept, at)
}

/// Bytes of the character at the start, an escape or a pair of them being one; `None` at the closing quote.
fn character(rest: &str) -> Option<usize> {
    match rest.as_bytes() {
        [] | [b'"', ..] => None,
        [
            b'\\',
            b'u',
            b'd' | b'D',
            b'8' | b'9' | b'a' | b'A' | b'b' | b'B',
            _,
            _,
            b'\\',
            b'u',
            ..,
        ] => Some(12),
        [b'\\', b'u', ..] => Some(6),
        [b'\\', ..] => Some(2),
        _ => rest.chars().next().map(char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_within_the_limit_are_left_alone() {
        for json in [
            "{}",
            r#"{"abc":"def","n":123456789}"#,
            r#"["äöü","\u00e4bc"]"#,
            r#"{"q":"a\"b"}"#,
        ] {
            assert_eq!(shorten(json, 3), (Cow::Borrowed(json), 0));
        }
    }

    #[test]
    fn every_string_beyond_it_is_cut_between_characters() {
        let (json, cut) = shorten(r#"{"k":["äöüß","a\"bcd",{"x":"\\\\\\\\\\"}],"n":1234567}"#, 3);
        assert_eq!((&*json, cut), (r#"{"k":["äöü","a\"b",{"x":"\\\\\\"}],"n":1234567}"#, 3));
    }
}
