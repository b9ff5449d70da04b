//! The one way in which this server calls others on somebody's behalf: for a monitor, for a webhook.
//!
//! A call's way: [`read_url`] (http or https, no user in it) → `guard` (the name is looked up, and each address is checked)
//! → `connect` (to exactly such an address: there is no second lookup that could say something else, and no proxy) → one
//! HTTP/1.1 request on a connection of its own → the answer, its body cut. Redirects are answers like any other: who follows
//! one makes another call, and the guard looks again.

mod guard;
mod error;
mod connect;
mod exchange;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use rustls::RootCertStore;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use trailmark_protocol::Timestamp;

pub use error::{ErrorKind, OutboundError};
pub use guard::{Guard, Lookup, Refused, normal_host};
pub use url::Url;

use crate::gateway::trust;

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Call {
    /// How.
    pub method: Method,
    /// Where; see [`read_url`].
    pub url: Url,
    /// Headers. `Host`, `Content-Length` and `Connection` are set here, and `User-Agent` and `Accept` where they are missing.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Bytes,
    /// How long all of it may take, from the lookup of the name to the last byte of the answer.
    pub timeout: Duration,
    /// No more than so much of the answer's body is read.
    pub max_body_bytes: usize,
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to [`Call::max_body_bytes`].
    pub body: Bytes,
    /// Whether there was more of it.
    pub is_cut: bool,
    /// How long it took, from the lookup of the name to the last byte.
    pub took: Duration,
    /// When the server's certificate ends; nothing without TLS.
    pub certificate_not_after: Option<Timestamp>,
}

/// Calls others. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    guard: Guard,
    /// Or why there is no TLS.
    tls: Result<TlsConnector, String>,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

impl Outbound {
    /// Believes the certificate authorities that this machine believes. If it believes none, calls by https fail and say so.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        let tls = trust::authorities(None).and_then(connect::connector);
        Self { guard, tls }
    }

    /// Believes other authorities.
    #[must_use]
    pub fn believing(guard: Guard, roots: RootCertStore) -> Self {
        let tls = connect::connector(roots);
        Self { guard, tls }
    }

    /// What may be called.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends one request to an address that was checked after the lookup of its name, and takes the answer whatever its
    /// status is.
    ///
    /// # Errors
    /// [`OutboundError`]: there is no whole answer in time.
    pub async fn send(&self, call: Call) -> Result<Answer, OutboundError> {
        let began = Instant::now();
        check_url(&call.url)?;
        let stream = self.open(&call.url, began + call.timeout).await?;
        let certificate_not_after = stream.certificate_not_after();
        let deadline = began + call.timeout;
        let exchanged = exchange::exchange(stream, call, deadline).await;
        let answered = exchanged.map_err(|error| error.seen(certificate_not_after))?;
        Ok(Answer {
            status: answered.status,
            headers: answered.headers,
            body: answered.body,
            is_cut: answered.is_cut,
            took: began.elapsed(),
            certificate_not_after,
        })
    }

    /// Opens a TCP connection, and closes it again. Returns how long opening it took.
    ///
    /// # Errors
    /// [`OutboundError`]: nobody takes it in time.
    pub async fn knock(&self, host: &str, port: u16, timeout: Duration) -> Result<Duration, OutboundError> {
        let began = Instant::now();
        connect::tcp(&self.guard, host, port, began + timeout).await?;
        Ok(began.elapsed())
    }

    async fn open(&self, url: &Url, deadline: Instant) -> Result<connect::Stream, OutboundError> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let stream = connect::tcp(&self.guard, host, port, deadline).await?;
        if url.scheme() != "https" {
            return Ok(connect::Stream::Plain(stream));
        }
        let untrusting = |why: &String| OutboundError::new(ErrorKind::Tls, why.clone());
        connect::tls(self.tls.as_ref().map_err(untrusting)?, host, stream, deadline).await
    }
}

/// Longest URL: 2,048 bytes, which every server takes.
pub const URL_BYTES: usize = 2_048;

/// Reads a URL that can be called: `http` or `https`, with a host, without a user or a password. An address in an odd spelling
/// becomes one as it is usually written.
///
/// # Errors
/// What is wrong with it, continuing a sentence that begins with its name.
pub fn read_url(text: &str) -> Result<Url, String> {
    if text.len() > URL_BYTES {
        return Err(format!("is longer than {URL_BYTES} bytes"));
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("holds white space or control characters".to_owned());
    }
    let mut url = Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    url.set_fragment(None);
    check_url(&url).map_err(|error| error.detail)?;
    Ok(url)
}

fn check_url(url: &Url) -> Result<(), OutboundError> {
    let refused = |why: &str| Err(OutboundError::new(ErrorKind::InvalidUrl, why.to_owned()));
    if !matches!(url.scheme(), "http" | "https") {
        return refused("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("holds a user or a password; send them in the header Authorization");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return refused("has no host");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_that_can_be_called_is_read() {
        for (text, why) in [
            ("ftp://a.example/", "is neither http nor https"),
            ("file:///etc/passwd", "is neither http nor https"),
            ("gopher://127.0.0.1:25/", "is neither http nor https"),
            ("javascript:alert(1)", "is neither http nor https"),
            ("http://user@a.example/", "holds a user or a password"),
            ("http://user:secret@a.example/", "holds a user or a password"),
            ("http://127.0.0.1:80@a.example/", "holds a user or a password"),
            ("http://", "is no URL"),
            ("/path", "is no URL"),
            ("a.example", "is no URL"),
            ("http://a.example:99999/", "is no URL"),
            ("http://[::1/", "is no URL"),
            ("http://a.example/\r\nX: y", "holds white space"),
            (" http://a.example/", "holds white space"),
        ] {
            let refused = read_url(text).expect_err(text);
            assert!(refused.starts_with(why), "{text}: {refused}");
        }
        assert!(read_url(&format!("http://a.example/{}", "a".repeat(URL_BYTES))).is_err());
    }

    #[test]
    fn a_url_is_told_as_it_is_usually_written() {
        for (text, read) in [
            ("HTTP://A.Example", "http://a.example/"),
            ("http://0x7f.1/x#y", "http://127.0.0.1/x"),
            ("http://2130706433:8080/", "http://127.0.0.1:8080/"),
            ("https://[::FFFF:127.0.0.1]/", "https://[::ffff:7f00:1]/"),
            ("https:\\\\a.example\\b?c=d", "https://a.example/b?c=d"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(read_url(text).unwrap().as_str(), read);
        }
    }
}
