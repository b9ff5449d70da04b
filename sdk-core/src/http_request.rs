//! HTTP requests of the app, as properties of `$request`: what the latency view is made of.

use crate::Properties;

/// An HTTP request that the app made, or served.
///
/// ```
/// # use trailmark_core::{Client, Properties};
/// use trailmark_core::http_request::HttpRequest;
/// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// let request = HttpRequest::new("GET", "https://api.example.com/cart/7?token=secret").status(200).duration_ms(12.5);
/// client.capture_request(&request, Properties::new());
/// assert_eq!(client.stats().captured, 1);
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HttpRequest {
    /// `GET`.
    pub method: String,
    /// Where to. The query, the fragment and a user's name are not captured: they may hold secrets.
    pub url: String,
    /// The answer's status; nothing if there was none.
    pub status: Option<u16>,
    /// From the first byte sent to the answer's head, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl HttpRequest {
    /// A request of which nothing else is known yet.
    ///
    /// ```
    /// # use trailmark_core::http_request::HttpRequest;
    /// assert_eq!(HttpRequest::new("GET", "/health").status, None);
    /// ```
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            ..Self::default()
        }
    }

    /// With the answer's status.
    ///
    /// ```
    /// # use trailmark_core::http_request::HttpRequest;
    /// assert_eq!(HttpRequest::new("GET", "/health").status(200).status, Some(200));
    /// ```
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// With how long it took, in milliseconds.
    ///
    /// ```
    /// # use trailmark_core::http_request::HttpRequest;
    /// assert_eq!(HttpRequest::new("GET", "/health").duration_ms(1.5).duration_ms, Some(1.5));
    /// ```
    #[must_use]
    pub fn duration_ms(self, duration_ms: f64) -> Self {
        Self {
            duration_ms: Some(duration_ms),
            ..self
        }
    }

    /// With why there was no answer.
    ///
    /// ```
    /// # use trailmark_core::http_request::HttpRequest;
    /// assert!(HttpRequest::new("GET", "/health").error("timed out").error.is_some());
    /// ```
    #[must_use]
    pub fn error(self, error: impl Into<String>) -> Self {
        Self {
            error: Some(error.into()),
            ..self
        }
    }

    /// The properties of `$request`, named as those that `trailmark import` makes of a web server's log.
    pub(crate) fn properties(&self) -> Properties {
        let (host, path) = split(&self.url);
        let mut properties = Properties::new().with("method", &self.method);
        if let Some(host) = host {
            properties.insert("host", host);
        }
        properties.insert("path", path);
        if let Some(status) = self.status {
            properties.insert("status", status);
        }
        if let Some(duration_ms) = self.duration_ms {
            properties.insert("duration_ms", duration_ms);
        }
        if let Some(error) = &self.error {
            properties.insert("error", error);
        }
        properties
    }
}

/// Host and path of an address, without what may be secret: an address that is not well-formed has neither, because nobody
/// can say what of it is a password. An address within a path is cut off, for the same reason.
fn split(url: &str) -> (Option<&str>, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match after_scheme(url) {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().filter(|host| is_host(host));
            host.map_or((None, ""), |host| (Some(host), or_root(alone(path))))
        }
        None if url.starts_with('/') => (None, alone(url)),
        None if url.contains(['@', ':']) => (None, ""),
        None => (None, url),
    }
}

/// What follows on `https://`, or on `//`.
fn after_scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("//")?;
    let letters = |scheme: &str| {
        scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let is_scheme = scheme
        .strip_suffix(':')
        .is_some_and(|scheme| !scheme.is_empty() && letters(scheme));
    (scheme.is_empty() || is_scheme).then_some(rest)
}

/// A name or an address, and perhaps a port.
fn is_host(host: &str) -> bool {
    let port = match host.rfind(']') {
        Some(end) if host.starts_with('[') => host.get(end + 1..).unwrap_or_default(),
        Some(_) => return false,
        None => host.find(':').and_then(|colon| host.get(colon..)).unwrap_or_default(),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    !host.is_empty() && !host.starts_with(':') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn alone(path: &str) -> &str {
    path.split("://").next().unwrap_or_default()
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_an_address_is_not_captured() {
        for (url, host, path) in [
            (
                "https://u:p@api.example.com:8443/cart/7?token=s#top",
                Some("api.example.com:8443"),
                "/cart/7",
            ),
            ("https://api.example.com?token=s", Some("api.example.com"), "/"),
            (
                "https://api.example.com/@ann/posts",
                Some("api.example.com"),
                "/@ann/posts",
            ),
            ("http://[::1]:7700/health", Some("[::1]:7700"), "/health"),
            ("//u:p@host/x", Some("host"), "/x"),
            ("/cart?token=s", None, "/cart"),
            ("cart/7", None, "cart/7"),
            ("", None, ""),
            // Not well-formed, and whatever it was meant to be, there may be a password in it.
            ("https:/u:p@host/x", None, ""),
            ("u:p@host/x", None, ""),
            ("https://u:p/w@host/x", None, ""),
            ("https://u:p?w@host/x", None, ""),
            ("https://u:p#w@host/x", None, ""),
            ("https:///x", None, ""),
            // A proxy's.
            ("/proxy/https://u:p@host/x", None, "/proxy/https"),
            (
                "https://proxy.example.com/https://u:p@host/x",
                Some("proxy.example.com"),
                "/https",
            ),
        ] {
            assert_eq!(split(url), (host, path), "{url}");
        }
    }
}
