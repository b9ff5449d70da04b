//! From a request of the log to an event: who, when, what, and an id that is the same at every import.

use sha2::{Digest, Sha256};
use trailmark_core::Properties;
use trailmark_protocol::{Timestamp, Uuid, id, limits};

use super::combined::{Request, RequestLine};

/// The device behind a visitor: a UUIDv8 from SHA-256 of address and user agent.
///
/// The address itself is never stored. This is a pseudonym, not anonymity: who can try all IPv4 addresses with a known
/// user agent can find the one that fits.
#[must_use]
pub fn visitor(request: &Request<'_>) -> Uuid {
    let agent = request.user_agent.as_deref().unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(b"trailmark visitor\0")
        .chain_update(request.host.as_bytes())
        .chain_update(b"\0")
        .chain_update(agent.as_bytes())
        .finalize();
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What names a line: the first 16 bytes of its SHA-256.
pub type Fingerprint = [u8; 16];

/// The fingerprint of a line without its line feed.
#[must_use]
pub fn fingerprint(line: &[u8]) -> Fingerprint {
    let mut fingerprint = [0u8; 16];
    fingerprint.copy_from_slice(&Sha256::digest(line)[..16]);
    fingerprint
}

/// The event's id: a UUIDv7 of the log's time and of (line, how many identical lines came before it). Importing the
/// same file again makes the same ids, and the events table refuses them; two equal requests within one second stay two.
#[must_use]
pub fn event_id(at: Timestamp, line: Fingerprint, occurrence: u32) -> Uuid {
    let digest = Sha256::new()
        .chain_update(line)
        .chain_update(occurrence.to_be_bytes())
        .finalize();
    let mut tail = [0u8; 10];
    tail.copy_from_slice(&digest[..10]);
    // The parser refuses times before 1990, so the milliseconds are positive.
    id::v7(u64::try_from(at.millis()).unwrap_or_default(), tail)
}

/// The longest text property, in bytes: 8 KiB, as much as Apache and nginx take of a request line or a header. A request
/// has four such texts (path, query, referrer, user agent), half an event together. Longer text is cut.
const TEXT_BYTES: usize = limits::EVENT_BYTES / 8;

/// The properties of a `$request` event. What the log does not say is absent.
#[must_use]
pub fn properties(request: &Request<'_>) -> Properties {
    let mut properties = Properties::new();
    match &request.line {
        RequestLine::Http {
            method,
            path,
            query,
            protocol,
        } => {
            put(&mut properties, "method", Some(method));
            put(&mut properties, "path", Some(path));
            put(&mut properties, "query", query.as_deref());
            put(&mut properties, "protocol", protocol.as_deref());
        }
        RequestLine::Other(text) => put(&mut properties, "request_line", Some(text)),
    }
    properties.insert("status", request.status);
    if let Some(bytes) = request.bytes {
        properties.insert("bytes", bytes);
    }
    put(&mut properties, "referrer", request.referrer.as_deref());
    put(&mut properties, "user_agent", request.user_agent.as_deref());
    properties
}

fn put(properties: &mut Properties, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        properties.insert(key, cut(text));
    }
}

/// The longest prefix of at most [`TEXT_BYTES`] that ends between two characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::super::combined::parse_line;
    use super::*;

    const LINE: &[u8] = br#"::1 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 404 - "-" "curl/8""#;

    #[test]
    fn properties_say_what_the_log_says_and_never_the_address() {
        let properties = properties(&parse_line(LINE).unwrap());
        let expected =
            r#"{"method":"GET","path":"/a","query":"b=c","protocol":"HTTP/1.1","status":404,"user_agent":"curl/8"}"#;
        assert_eq!(properties.as_json(), expected);
    }

    #[test]
    fn a_visitor_is_an_address_and_a_user_agent() {
        let visitor_of = |line: &str| visitor(&parse_line(line.as_bytes()).unwrap());
        let line = std::str::from_utf8(LINE).unwrap();
        assert_eq!(visitor_of(line), visitor_of(&line.replace("/a?b=c", "/other")));
        assert_ne!(visitor_of(line), visitor_of(&line.replace("::1", "::2")));
        assert_ne!(visitor_of(line), visitor_of(&line.replace("curl/8", "curl/9")));
        // Frozen: another value would make every device of an earlier import a stranger.
        assert_eq!(visitor_of(line).to_string(), "4f179c1d-cb3e-8683-9737-e13f9984cc98");
    }

    #[test]
    fn an_event_id_is_a_v7_that_depends_on_time_line_and_occurrence() {
        let at = parse_line(LINE).unwrap().at;
        let first = event_id(at, fingerprint(LINE), 0);
        assert!(id::is_v7(first));
        assert_eq!(id::millis(first), 1_431_857_103_000);
        assert_ne!(first, event_id(at, fingerprint(LINE), 1));
        assert_ne!(first, event_id(at, fingerprint(b"another"), 0));
        // Frozen: another value would store every earlier import twice.
        assert_eq!(first.to_string(), "014d6155-8098-70a9-aa4a-d1499e41b6e7");
    }
}
