//! JSON as text: the vectors are about bytes, so no value is taken apart and written again.

use serde::Deserialize;

/// The text without the white space between its tokens.
#[must_use]
pub fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|c| {
            if in_string {
                in_string = escaped || *c != '"';
                escaped = *c == '\\' && !escaped;
                return true;
            }
            in_string = *c == '"';
            !c.is_ascii_whitespace()
        })
        .collect()
}

/// How a long string is said in a file: `{"$repeat":["x",9000]}`.
const REPEAT: &str = r#"{"$repeat":"#;

#[derive(Deserialize)]
struct Repeat {
    #[serde(rename = "$repeat")]
    of: (String, usize),
}

/// Replaces each `{"$repeat":[text, times]}` of a compact text by the string that it stands for.
///
/// # Errors
/// One of them is not of this form.
pub fn expand(json: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = json;
    while let Some(at) = rest.find(REPEAT) {
        let (before, repeat) = rest.split_at(at);
        let mut values = serde_json::Deserializer::from_str(repeat).into_iter::<Repeat>();
        let Some(Ok(Repeat { of: (text, times) })) = values.next() else {
            return Err(format!("$repeat takes [text, times]: {repeat:.60}"));
        };
        out.push_str(before);
        out.push_str(&quoted(&text.repeat(times)));
        rest = repeat.get(values.byte_offset()..).unwrap_or_default();
    }
    Ok(out + rest)
}

/// Runs of one character from this length on are written as `$repeat`.
const LONG_RUN: usize = 100;

/// A text as the parts of a JSON array, long runs of one character folded.
#[must_use]
pub fn fold(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut times = 1;
        while chars.next_if_eq(&c).is_some() {
            times += 1;
        }
        if times < LONG_RUN {
            plain.extend(std::iter::repeat_n(c, times));
            continue;
        }
        if !plain.is_empty() {
            parts.push(quoted(&std::mem::take(&mut plain)));
        }
        parts.push(format!("{REPEAT}[{},{times}]}}", quoted(&c.to_string())));
    }
    if !plain.is_empty() {
        parts.push(quoted(&plain));
    }
    parts
}

/// A JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_strings_stay() {
        assert_eq!(
            compact("{ \"a b\" :\n[1, \"\\\" , \\\\\", 2] }"),
            r#"{"a b":[1,"\" , \\",2]}"#
        );
    }

    #[test]
    fn what_is_folded_expands_to_the_same_text() {
        let text = format!("a\"b{}c{}", "x".repeat(LONG_RUN), "é".repeat(300));
        let parts = fold(&text);
        assert_eq!(parts.len(), 4);
        let whole: Vec<String> = serde_json::from_str(&expand(&format!("[{}]", parts.join(","))).unwrap()).unwrap();
        assert_eq!(whole.concat(), text);
        assert!(expand(r#"{"$repeat":7}"#).is_err());
    }
}
