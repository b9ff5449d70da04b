//! A name for each request, to find it again in logs: the client's own, or a UUIDv7 made here.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use trailmark_protocol::Timestamp;
use uuid::Builder;

/// The header that carries the request's id, both ways.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id taken from a client, in characters.
const LONGEST: usize = 64;

/// Makes ids. They are unique and not secret, so only the process's start is random: random bytes for each id would be a
/// `getrandom` each, 2 % of the time of a single event's request.
#[derive(Debug)]
pub struct RequestIds {
    /// Tells this process's ids from those of others.
    process: u16,
    next: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let random = uuid::Uuid::new_v4().as_u64_pair();
        Self {
            process: random.0 as u16,
            next: AtomicU64::new(random.1),
        }
    }
}

impl RequestIds {
    /// The client's id for the request if it is harmless in a log, else a new one.
    pub fn of(&self, headers: &HeaderMap, now: Timestamp) -> HeaderValue {
        let given = headers.get(X_REQUEST_ID).filter(|value| is_harmless(value));
        given.cloned().unwrap_or_else(|| self.make(now))
    }

    fn make(&self, now: Timestamp) -> HeaderValue {
        let mut unique = [0; 10];
        unique[..2].copy_from_slice(&self.process.to_be_bytes());
        unique[2..].copy_from_slice(&self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let id = Builder::from_unix_timestamp_millis(millis, &unique).into_uuid();
        let text = id.hyphenated().encode_lower(&mut [0; 36]).to_owned();
        HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).unwrap_or(HeaderValue::from_static("none"))
    }
}

fn is_harmless(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    (1..=LONGEST).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_harmless_request_id_is_kept_and_any_other_replaced() {
        let ids = RequestIds::default();
        let id = |value: &'static str| {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(value))]);
            ids.of(&headers, Timestamp::default())
        };
        assert_eq!(id("abc-1.2_3"), "abc-1.2_3");
        for bad in ["", "a b", "a\"b", "<script>"] {
            assert_ne!(id(bad), bad);
        }
    }

    #[test]
    fn ids_made_here_are_distinct_and_tell_their_time() {
        let (ids, now) = (RequestIds::default(), Timestamp::from_millis(1_763_600_000_123));
        let made: HashSet<_> = (0..1_000).map(|_| ids.of(&HeaderMap::new(), now)).collect();
        assert_eq!(made.len(), 1_000);
        for id in made {
            let id = uuid::Uuid::try_parse(id.to_str().unwrap()).unwrap();
            let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
            assert_eq!((seconds, nanos / 1_000_000), (1_763_600_000, 123));
        }
    }
}
