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

/// Host and path of an address, without what may be secret.
fn split(url: &str) -> (Option<&str>, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((_, rest)) = url.split_once("://") else {
        return (None, url);
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    (Some(host), if path.is_empty() { "/" } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_an_address_is_not_captured() {
        let split = |url| split(url);
        assert_eq!(
            split("https://u:p@api.example.com:8443/cart/7?token=s#top"),
            (Some("api.example.com:8443"), "/cart/7")
        );
        assert_eq!(split("https://api.example.com?token=s"), (Some("api.example.com"), "/"));
        assert_eq!(split("/cart?token=s"), (None, "/cart"));
        assert_eq!(split(""), (None, ""));
    }
}
