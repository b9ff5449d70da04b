//! Repairing: the two things that JSON may hold and PostgreSQL's `jsonb` may not.

use super::scan::{code_unit, position};

/// Replaces each `\u0000` and each half surrogate pair in `json` by `\ufffd`, the replacement character.
///
/// `json` must have passed [`scan`](super::scan); anything else comes back with its escapes possibly changed but never
/// panics.
#[must_use]
pub fn repair(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = position(rest, b'\\') {
        let (clean, escape) = rest.split_at(at);
        out.push_str(clean);
        let taken = match (escaped_unit(escape), escape.get(6..).and_then(escaped_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0 | 0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        let (kept, after) = escape.split_at_checked(taken).unwrap_or((escape, ""));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn escaped_unit(escape: &str) -> Option<u16> {
    code_unit(escape.as_bytes().strip_prefix(b"\\u")?)
}
