//! The one spelling of a path, in the words of RFC 3986: each rule alone, one after the other, over the whole text.

/// The spelling; nothing where the path is refused.
#[must_use]
pub fn spelled(path: &str) -> Option<String> {
    let is_refused = path.len() > 8192 || !path.starts_with('/') || path.contains(is_refused_bare);
    let path = (!is_refused).then(|| escapes(path))??;
    let path = merged(path);
    (!leads_above(&path)).then(|| remove_dot_segments(&path))
}

fn is_refused_bare(character: char) -> bool {
    !character.is_ascii() || character.is_ascii_control() || character == ' ' || character == '\\'
}

/// §6.2.2.1 and §6.2.2.2: escapes in capitals, none of unreserved characters. What may not stand in a path bare, is escaped.
fn escapes(path: &str) -> Option<String> {
    let mut spelled = String::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let (byte, length) = match first {
            '%' => (u8::from_str_radix(hex(rest.get(1..3)?)?, 16).ok()?, 3),
            bare => (bare as u8, 1),
        };
        let is_escaped = length == 3;
        if is_escaped && (b"/\\".contains(&byte) || byte.is_ascii_control()) {
            return None;
        }
        if is_unreserved(byte) || !is_escaped && b"/!$&'()*+,;=:@".contains(&byte) {
            spelled.push(char::from(byte));
        } else {
            spelled.push_str(&format!("%{byte:02X}"));
        }
        rest = &rest[length..];
    }
    Some(spelled)
}

/// `from_str_radix` would take a sign.
fn hex(digits: &str) -> Option<&str> {
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)
}

/// `unreserved` of §2.3.
#[must_use]
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn merged(mut path: String) -> String {
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

fn leads_above(path: &str) -> bool {
    let mut depth = 0;
    path.split('/').filter(|segment| !segment.is_empty()).any(|segment| {
        depth += match segment {
            "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}

/// §5.2.4, step by step.
fn remove_dot_segments(path: &str) -> String {
    let mut input = path.to_owned();
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") {
            input.replace_range(..2, "");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input = if input == "/.." {
                "/".to_owned()
            } else {
                input[3..].to_owned()
            };
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input.replace_range(..end, "");
        }
    }
    output
}
