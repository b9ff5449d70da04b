//! One spelling for each path. What decides (routes, and through them authentication) and what is forwarded must be the
//! same bytes, or a request is judged as one thing and answered as another.
//!
//! As RFC 3986 §6.2.2 says: escapes of unreserved characters are undone, others are written in capitals, `.` and `..` are
//! walked. Repeated slashes become one. What has no place in a path bare, but is sent so by some (`|`, `"`, `{`), is
//! escaped. What services read in different ways is refused: escaped slashes and backslashes,
//! NUL and other control characters, broken escapes, and `..` above the root.

use std::borrow::Cow;

/// Longest path that is looked at: 8 KiB, which is what most servers take as a whole request line.
pub const LONGEST: usize = 8192;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// It does not begin with a slash.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// It is longer than [`LONGEST`].
    #[error("the path is over 8192 bytes long")]
    TooLong,
    /// A byte that has no place in a path, bare or escaped.
    #[error("the path holds a control character, a backslash or a byte that is not ASCII")]
    Character,
    /// `%2F` or `%5C`: a part of a name for one service, a separator for the next.
    #[error("the path holds an escaped slash or backslash")]
    EscapedSlash,
    /// A `%` without two hexadecimal digits.
    #[error("the path holds a broken escape")]
    BrokenEscape,
    /// It leads above the root.
    #[error("the path leads above the root")]
    AboveRoot,
}

/// The one spelling of `path`, borrowed if it has it already.
///
/// # Errors
/// [`BadPath`].
pub fn canonical(path: &str) -> Result<Cow<'_, str>, BadPath> {
    if path.len() > LONGEST {
        return Err(BadPath::TooLong);
    }
    if !path.starts_with('/') {
        return Err(BadPath::NotAbsolute);
    }
    if is_canonical(path.as_bytes()) {
        return Ok(Cow::Borrowed(path));
    }
    let one = walked(&spelled(path.as_bytes())?)?;
    if one.len() > LONGEST {
        return Err(BadPath::TooLong);
    }
    Ok(Cow::Owned(one))
}

/// Whether nothing needs to be looked at twice: no escape, nothing odd, no empty segment, none that begins with a dot.
fn is_canonical(path: &[u8]) -> bool {
    let plain = path.iter().all(|byte| is_plain(*byte));
    plain
        && !path
            .windows(2)
            .any(|pair| pair[0] == b'/' && matches!(pair[1], b'/' | b'.'))
}

/// Characters that stand for themselves in a path (`pchar` and `/` of RFC 3986).
fn is_plain(byte: u8) -> bool {
    is_unreserved(byte) || b"/!$&'()*+,;=:@".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn spelled(path: &[u8]) -> Result<String, BadPath> {
    let mut text = String::with_capacity(path.len());
    let mut rest = path.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => escape(rest.next(), rest.next(), &mut text)?,
            b'\\' | 0..=0x20 | 0x7f.. => return Err(BadPath::Character),
            byte if is_plain(byte) => text.push(char::from(byte)),
            byte => push_escaped(byte, &mut text),
        }
    }
    Ok(text)
}

fn escape(high: Option<u8>, low: Option<u8>, text: &mut String) -> Result<(), BadPath> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(BadPath::BrokenEscape);
    };
    match (high * 16 + low) as u8 {
        b'/' | b'\\' => return Err(BadPath::EscapedSlash),
        0..0x20 | 0x7f => return Err(BadPath::Character),
        byte if is_unreserved(byte) => text.push(char::from(byte)),
        byte => push_escaped(byte, text),
    }
    Ok(())
}

fn push_escaped(byte: u8, text: &mut String) {
    let hex = |digit: u8| char::from(b"0123456789ABCDEF"[usize::from(digit)]);
    text.extend(['%', hex(byte >> 4), hex(byte & 15)]);
}

fn walked(path: &str) -> Result<String, BadPath> {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_slash = false;
    for segment in path.split('/').skip(1) {
        ends_in_slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => kept.pop().map(drop).ok_or(BadPath::AboveRoot)?,
            name => kept.push(name),
        }
    }
    let mut walked = String::with_capacity(path.len());
    for name in &kept {
        walked.push('/');
        walked.push_str(name);
    }
    if ends_in_slash || kept.is_empty() {
        walked.push('/');
    }
    Ok(walked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelled(path: &str) -> String {
        canonical(path).unwrap().into_owned()
    }

    #[test]
    fn a_path_that_is_canonical_is_not_copied() {
        for path in ["/", "/api/users/1", "/a.b/c-d_e~f", "/a;v=1,2:@!$&'()*+", "/a/"] {
            assert!(
                matches!(canonical(path), Ok(Cow::Borrowed(same)) if same == path),
                "{path}"
            );
        }
    }

    #[test]
    fn dots_are_walked_slashes_merged_and_escapes_spelled_one_way() {
        for (path, one) in [
            ("/api/auth/login/../../users/1", "/api/users/1"),
            ("/a/./b/.", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("//a///b//", "/a/b/"),
            ("/%2e%2E/a", ""),
            ("/a/%2e%2e/b", "/b"),
            ("/%61%7Eb", "/a~b"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b%3f%23", "/a%20b%3F%23"),
            ("/.well-known/x", "/.well-known/x"),
            ("/..a/...", "/..a/..."),
            ("/a|b\"{c}", "/a%7Cb%22%7Bc%7D"),
            ("/a%7cb%22%7bc%7d", "/a%7Cb%22%7Bc%7D"),
        ] {
            match one {
                "" => assert_eq!(canonical(path), Err(BadPath::AboveRoot), "{path}"),
                one => assert_eq!(spelled(path), one, "{path}"),
            }
        }
    }

    #[test]
    fn what_services_read_differently_is_refused() {
        for (path, why) in [
            ("/a%2fb", BadPath::EscapedSlash),
            ("/a%5Cb", BadPath::EscapedSlash),
            ("/a\\b", BadPath::Character),
            ("/a%00", BadPath::Character),
            ("/a%0d%0aHost:x", BadPath::Character),
            ("/a%", BadPath::BrokenEscape),
            ("/a%2", BadPath::BrokenEscape),
            ("/a%zz", BadPath::BrokenEscape),
            ("/..", BadPath::AboveRoot),
            ("/a/../../b", BadPath::AboveRoot),
            ("*", BadPath::NotAbsolute),
            ("/é", BadPath::Character),
        ] {
            assert_eq!(canonical(path), Err(why), "{path}");
        }
        assert_eq!(canonical(&format!("/{}", "a".repeat(LONGEST))), Err(BadPath::TooLong));
        assert_eq!(
            canonical(&format!("/{}", "|".repeat(LONGEST / 2))),
            Err(BadPath::TooLong)
        );
    }

    proptest! {
        #[test]
        fn the_one_spelling_is_its_own_spelling_and_leads_nowhere_else(path in "/([ab./%25ef0cC\\\\]|%2e|%2F|%41|//|/\\.\\./){0,24}") {
            if let Ok(one) = canonical(&path) {
                prop_assert_eq!(canonical(&one).unwrap(), one.clone());
                prop_assert!(one.split('/').all(|segment| segment != ".." && segment != "."));
                prop_assert!(!one.contains("//") && !one.contains('\\'));
            }
        }

        #[test]
        fn no_path_panics(path in "\\PC{0,64}") {
            let _ = canonical(&path);
        }
    }
}
