//! From a path to the endpoint's: what differs from request to request gets a name. `/users/7/orders/6f1c…` is
//! `/users/:id/orders/:id`.
//!
//! What a path is made of tells what it is, without any list of routes: numbers, UUIDs, ULIDs and other long tokens are
//! `:id`, e-mail addresses `:email`, `@names` `:name`, dates `:date`, long texts `:text`, and the hash in a built file's name
//! `:hash`. Nothing that names a person is kept. A template is its own template.

/// Most segments of a path; what follows them is `:rest`. With [`SEGMENT_BYTES`] a path is at most 740 bytes, and with
/// method and host still fits an entry of an index (2,704 bytes).
const SEGMENTS: usize = 12;

/// Longest segment, in bytes: nobody names a route so.
const SEGMENT_BYTES: usize = 60;

/// Digits of hexadecimal text from which it is an id: 8, the short form of a UUID or of a commit. One digit of them is
/// decimal, so that no English word is one (`facade`, `defaced`).
const HEX_LEAST: usize = 8;

/// Letters and digits in one piece from which they are an id if both occur: 16 hold 80 bits even in base 32. Words and
/// names of versions are shorter.
const TOKEN_LEAST: usize = 16;

/// The same where small and large letters and digits all occur, as in base 64.
const MIXED_TOKEN_LEAST: usize = 20;

/// Digits at the end of a name from which they are an id (`order-98765`, and not `page-2`).
const TAIL_DIGITS_LEAST: usize = 4;

/// Longest ending of a file's name.
const EXTENSION_CHARS: usize = 5;

/// The template of a path. Query and fragment are dropped.
#[must_use]
pub fn template(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut template = String::with_capacity(path.len() + 8);
    let segments = path.split('/').map(plain).filter(|segment| !segment.is_empty());
    for (index, part) in segments.enumerate() {
        template.push('/');
        if index == SEGMENTS {
            template.push_str(":rest");
            break;
        }
        push_segment(part, &mut template);
    }
    if template.is_empty() {
        template.push('/');
    }
    template
}

/// A segment without its parameters (`;jsessionid=…`).
fn plain(segment: &str) -> &str {
    segment.split(';').next().unwrap_or_default()
}

fn push_segment(segment: &str, out: &mut String) {
    let whole = out_of(segment).map(str::to_owned);
    let named = whole.or_else(|| file(segment)).or_else(|| tail(segment, is_tail));
    let name = named.as_deref().unwrap_or(segment);
    out.push_str(if name.len() > SEGMENT_BYTES { ":text" } else { name });
}

/// The name of what a whole segment is, if it differs from request to request.
fn out_of(text: &str) -> Option<&'static str> {
    let at = text.find('@').or_else(|| text.find("%40"));
    match at {
        Some(0) => Some(":name"),
        Some(_) => Some(":email"),
        None if is_date(text) => Some(":date"),
        None if is_id(text) => Some(":id"),
        None => None,
    }
}

/// `app.3f2a9c1b.js` is `app.:hash.js`, `7.jpg` is `:id.jpg`.
fn file(segment: &str) -> Option<String> {
    let (stem, extension) = segment.rsplit_once('.')?;
    let is_extension = (1..=EXTENSION_CHARS).contains(&extension.len())
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_extension || stem.is_empty() {
        return None;
    }
    // A built file may end in two, as `.js.map`.
    let named = out_of(stem)
        .map(str::to_owned)
        .or_else(|| tail(stem, is_file_hash).map(|stem| stem.replace(":id", ":hash")))
        .or_else(|| file(stem))?;
    Some(format!("{named}.{extension}"))
}

/// A name whose last piece differs: `order-98765` is `order-:id`.
fn tail(text: &str, differs: fn(&str) -> bool) -> Option<String> {
    let at = text.rfind(['-', '_', '.'])?;
    let (name, last) = (text.get(..=at)?, text.get(at + 1..)?);
    (at > 0 && differs(last)).then(|| format!("{name}:id"))
}

fn is_tail(text: &str) -> bool {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits && text.len() >= TAIL_DIGITS_LEAST) || (!all_digits && is_id(text))
}

/// Bundlers write eight letters and digits, not only hexadecimal ones (`main-B4kd93Ja.js`).
fn is_file_hash(text: &str) -> bool {
    let has = Classes::of(text);
    has.only && text.len() >= HEX_LEAST && has.digits > 0 && has.small + has.large > 0 || is_tail(text)
}

/// Whether the text is a number, a UUID, hexadecimal, or another token that nobody would write by hand.
fn is_id(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let bare = text.trim_matches(['{', '}']);
    let is_hex = |text: &str| text.len() >= HEX_LEAST && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_digit = bare.bytes().any(|byte| byte.is_ascii_digit());
    let is_uuid =
        bare.len() == 36 && bare.bytes().filter(|byte| *byte == b'-').count() == 4 && is_hex(&bare.replace('-', ""));
    is_uuid || (has_digit && is_hex(text)) || is_token(text)
}

fn is_token(text: &str) -> bool {
    let pieces = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_long = |piece: &str| {
        let has = Classes::of(piece);
        piece.len() >= TOKEN_LEAST && has.digits > 1 && has.small + has.large > 0
    };
    let has = Classes::of(text);
    let is_mixed = text.len() >= MIXED_TOKEN_LEAST && has.small > 2 && has.large > 2 && has.digits > 1;
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~=+%,".contains(&byte);
    text.bytes().all(in_alphabet) && (is_mixed || pieces.into_iter().any(is_long))
}

/// `2026-11-20`, `2026-11`, and with a time.
fn is_date(text: &str) -> bool {
    let is_number = |text: Option<&str>, digits: usize| {
        text.is_some_and(|text| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut parts = text.split(['-', 'T', ' ']);
    let starts = is_number(parts.next(), 4) && is_number(parts.next(), 2);
    let rest = text.get(7..).unwrap_or_default();
    let of_time = |byte: u8| byte.is_ascii_digit() || b"-:.TZ+% ".contains(&byte);
    starts
        && text.as_bytes().get(4) == Some(&b'-')
        && (rest.is_empty() || rest.starts_with('-'))
        && rest.bytes().all(of_time)
}

/// How many characters of each kind a text has.
struct Classes {
    small: usize,
    large: usize,
    digits: usize,
    /// Whether it has no others.
    only: bool,
}

impl Classes {
    fn of(text: &str) -> Self {
        let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
        let (small, large) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
        let digits = count(u8::is_ascii_digit);
        Self {
            small,
            large,
            digits,
            only: small + large + digits == text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_from_request_to_request_gets_a_name() {
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("users", "/users"),
            ("//users//", "/users"),
            ("/users/123", "/users/:id"),
            ("/users/-1?tab=a#top", "/users/:id"),
            ("/users/123/orders/6f1c2a9b", "/users/:id/orders/:id"),
            ("/o/01a1f8d3-ea00-7627-9e1f-202122232425", "/o/:id"),
            ("/o/{01A1F8D3-EA00-7627-9E1F-202122232425}", "/o/:id"),
            ("/o/01ARZ3NDEKTSV4RRFFQ69G5FAV/x", "/o/:id/x"),
            ("/c/9fceb02d0ae598e95dc970b74767f19372d61af8", "/c/:id"),
            ("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN", "/t/:id"),
            ("/s/V1StGXR8_Z5jdHi6B-myT", "/s/:id"),
            ("/cus_9s6XKzkNRiz8i3Qw/cards", "/:id/cards"),
            ("/orders/order-98765", "/orders/order-:id"),
            ("/orders/order_6f1c2a9b", "/orders/order_:id"),
            ("/users/ann@example.com", "/users/:email"),
            ("/users/ann%40example.com", "/users/:email"),
            ("/@ann/posts", "/:name/posts"),
            ("/days/2026-11-20", "/days/:date"),
            ("/days/2026-11", "/days/:date"),
            ("/days/2026-11-20T10:00:00Z", "/days/:date"),
            ("/2026/11/20/news", "/:id/:id/:id/news"),
            ("/assets/app.3f2a9c1b.js", "/assets/app.:hash.js"),
            ("/assets/main-B4kd93Ja.css", "/assets/main-:hash.css"),
            ("/assets/app.3f2a9c1b.js.map", "/assets/app.:hash.js.map"),
            ("/img/7.jpg", "/img/:id.jpg"),
            ("/img/IMG_20261120.jpg", "/img/IMG_:hash.jpg"),
            ("/cart;jsessionid=0A12", "/cart"),
        ] {
            assert_eq!(template(path), expected, "{path}");
        }
    }

    #[test]
    fn what_a_route_is_named_stays() {
        for path in [
            "/api/v1/users",
            "/api/v2.1/batch",
            "/oauth2/token",
            "/wp-login.php",
            "/.well-known/openid-configuration",
            "/favicon.ico",
            "/jquery-3.7.1.min.js",
            "/page-2",
            "/iphone-15-pro",
            "/facade/defaced/deadbeef",
            "/how-to-install-rust-1-75-on-ubuntu",
            "/api/trpc/user.getById",
            "/internationalization",
            "/users/{id}/orders/:order",
            "/{*rest}",
            "/sha256",
            "/straße/café",
        ] {
            assert_eq!(template(path), path);
        }
    }

    #[test]
    fn a_path_has_a_bound() {
        let deep = template(&"/a".repeat(40));
        assert_eq!(deep, format!("{}/:rest", "/a".repeat(12)));
        assert_eq!(template(&format!("/search/{}", "word-".repeat(20))), "/search/:text");
    }

    proptest! {
        #[test]
        fn a_template_is_bounded_and_its_own_template(path in "(/?[a-zA-Z0-9@%._~;?#:{}ü -]{0,70}){0,15}") {
            let once = template(&path);
            prop_assert!(once.starts_with('/') && once.len() <= 760, "{}", once);
            prop_assert!(!once.contains(['?', '#', '@', ';']), "{}", once);
            prop_assert_eq!(template(&once), once);
        }

        #[test]
        fn any_number_uuid_or_commit_is_an_id(number in any::<u64>(), bits in any::<u128>()) {
            let uuid = uuid::Uuid::from_u128(bits);
            prop_assume!(format!("{bits:032x}").bytes().any(|byte| byte.is_ascii_digit()));
            for id in [number.to_string(), uuid.to_string(), uuid.simple().to_string()] {
                prop_assert_eq!(template(&format!("/a/{id}/b")), "/a/:id/b");
            }
        }
    }
}
