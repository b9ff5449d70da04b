//! The last requests to where events are sent that were refused before it was known whose they are: for whoever waits for a
//! first event and sees none. In memory, few, and never with the text of a key.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Method, Uri, header};
use trailmark_protocol::Timestamp;

use super::problem::{Code, Problem};

/// Strangers that are remembered: 50, at most 50 KB.
pub const STRANGERS_MAX: usize = 50;

/// Most characters of what a stranger has sent that are kept: of the path, the method, the origin.
const TEXT_CHARS: usize = 200;

/// Characters at the end of a key that tell it from others.
const HINT_CHARS: usize = 2;

/// Keys that are shorter than this have no hint: it would be half of them.
const HINTED_CHARS: usize = 8;

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// When it came.
    pub at: Timestamp,
    /// From where, as far as proxies are trusted and the connection is known.
    pub client_ip: Option<IpAddr>,
    /// Its method.
    pub method: String,
    /// Its path, without the query, which may hold a key.
    pub path: String,
    /// The status of its answer.
    pub status: u16,
    /// Why it was refused.
    pub code: Code,
    /// The end of its key, `…3c`.
    pub key_hint: Option<String>,
    /// The page that sent it.
    pub origin: Option<String>,
}

/// What a request says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Where it goes.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its key, wherever it was.
    pub key: Option<&'a str>,
}

/// The last strangers.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<VecDeque<Stranger>>);

impl Strangers {
    /// Remembers a request that was refused with `problem`. Over its rate is no stranger's fault: nothing of that.
    pub fn refused(&self, said: Said<'_>, client_ip: Option<IpAddr>, problem: &Problem, at: Timestamp) {
        let code = problem.code();
        if code != Code::RateLimited {
            self.remember(stranger(said, client_ip, (code, code.status().as_u16()), at));
        }
    }

    /// Remembers a preflight of a page that may not send: it was told so by what its answer lacks, with a 204.
    pub fn page_refused(&self, said: Said<'_>, client_ip: Option<IpAddr>, at: Timestamp) {
        let told = (Code::OriginRefused, http::StatusCode::NO_CONTENT.as_u16());
        self.remember(stranger(said, client_ip, told, at));
    }

    fn remember(&self, stranger: Stranger) {
        let mut strangers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if strangers.len() == STRANGERS_MAX {
            strangers.pop_front();
        }
        strangers.push_back(stranger);
    }

    /// All that are remembered, newest first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<Stranger> {
        let strangers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.iter().rev().cloned().collect()
    }
}

fn stranger(said: Said<'_>, client_ip: Option<IpAddr>, (code, status): (Code, u16), at: Timestamp) -> Stranger {
    let origin = said.headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    Stranger {
        at,
        client_ip,
        method: short(said.method.as_str()),
        path: short(said.uri.path()),
        status,
        code,
        key_hint: said.key.and_then(hint),
        origin: origin.map(|origin| short(&String::from_utf8_lossy(origin))),
    }
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

fn hint(key: &str) -> Option<String> {
    let chars = key.chars().count();
    (chars >= HINTED_CHARS).then(|| {
        key.chars()
            .skip(chars - HINT_CHARS)
            .fold("…".to_owned(), |mut hint, c| {
                hint.push(c);
                hint
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(strangers: &Strangers, uri: &'static str, key: Option<&str>, code: Code) {
        let (method, uri, headers) = (Method::POST, Uri::from_static(uri), HeaderMap::new());
        let said = Said {
            method: &method,
            uri: &uri,
            headers: &headers,
            key,
        };
        strangers.refused(said, None, &Problem::new(code, "x"), Timestamp::from_millis(7));
    }

    #[test]
    fn the_newest_fifty_are_remembered_newest_first() {
        let strangers = Strangers::default();
        refuse(&strangers, "/first", None, Code::MissingKey);
        for _ in 0..STRANGERS_MAX {
            refuse(&strangers, "/v1/batch", None, Code::MissingKey);
        }
        refuse(&strangers, "/last", None, Code::MissingKey);
        refuse(&strangers, "/often", None, Code::RateLimited);
        let shown = strangers.newest_first();
        assert_eq!(shown.len(), STRANGERS_MAX);
        assert_eq!((&*shown[0].path, &*shown[1].path), ("/last", "/v1/batch"));
        assert!(shown.iter().all(|stranger| stranger.path != "/first"));
    }

    #[test]
    fn of_a_key_only_the_end_is_kept_and_of_a_short_one_nothing() {
        let strangers = Strangers::default();
        refuse(
            &strangers,
            "/v1/batch?key=tm_pk_secret",
            Some("tm_pk_secret3c"),
            Code::UnknownKey,
        );
        let shown = &strangers.newest_first()[0];
        assert_eq!(shown.key_hint.as_deref(), Some("…3c"));
        assert_eq!((shown.path.as_str(), shown.status), ("/v1/batch", 401));
        assert!(!format!("{shown:?}").contains("secret"));
        assert_eq!((hint("1234567"), hint("schlüßel")), (None, Some("…el".to_owned())));
    }
}
