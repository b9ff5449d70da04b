//! Carrying requests: reqwest, with everything that could surprise turned off.
//!
//! No redirects (a captive portal's would count as an answer), no cookies, and no proxy from the environment: an app's
//! analytics must not change their way because of a variable in somebody's shell. A proxy is named with
//! [`ClientBuilder::proxy`](super::ClientBuilder::proxy).

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Response, Url};

use super::{BuildError, tls};
use crate::request::{Answer, Outcome, Request};

/// How long a connection may take to come up: 10 s.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an attempt may take as a whole: 30 s. 512 KiB compress to about 64 KiB, 17 kbit/s for that long.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Bodies from 1 KiB on are compressed; below, gzip's 18 bytes and the effort buy less than one packet.
const GZIP_FROM: usize = 1024;

/// Most bytes read of an answer: 256 KiB. A receipt that refuses all of 1,000 events is about 160 KiB; a captive
/// portal's page, or a stream without end, need not be read.
const ANSWER_BYTES: usize = 256 * 1024;

/// How requests are carried.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    /// The server's address without a slash at its end.
    base: String,
}

/// What the builder was told about the network.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) url: String,
    pub(super) root_pems: Vec<Vec<u8>>,
    pub(super) proxy: Option<String>,
    pub(super) request_timeout: Option<Duration>,
}

impl Transport {
    pub(super) fn new(network: &Network) -> Result<Self, BuildError> {
        let url = parse_url(&network.url)?;
        let tls = match url.scheme() {
            "https" => tls::trusting(extra_roots(&network.root_pems)?)?,
            _ => tls::unused()?,
        };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(network.request_timeout.unwrap_or(REQUEST_TIMEOUT))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(crate::config::SDK_NAME)
            .no_proxy();
        let http = match &network.proxy {
            Some(proxy) => http.proxy(reqwest::Proxy::all(proxy).map_err(|error| transport_error(&error))?),
            None => http,
        };
        Ok(Self {
            http: http.build().map_err(|error| transport_error(&error))?,
            base: base_url(&network.url)?,
        })
    }

    /// Sends, and says how it ended.
    pub(super) async fn send(&self, request: &Request) -> Outcome {
        match self.exchange(request).await {
            Ok(answer) => Outcome::Answered(answer),
            Err(error) if error.is_timeout() => Outcome::TimedOut,
            Err(error) => Outcome::Unreachable(chain(&error.without_url())),
        }
    }

    async fn exchange(&self, request: &Request) -> reqwest::Result<Answer> {
        let mut post = self.http.post(format!("{}{}", self.base, request.path));
        for (name, value) in &request.headers {
            post = post.header(*name, value);
        }
        let post = match gzip(&request.body) {
            Some(body) => post.header("content-encoding", "gzip").body(body),
            None => post.body(request.body.to_string()),
        };
        read(post.send().await?).await
    }
}

/// An address with a scheme that we speak and a host, and nothing that would be dropped in silence.
/// The server's address in one form, without the slash at its end.
///
/// # Errors
/// [`BuildError::Url`]: it is none.
pub(super) fn base_url(url: &str) -> Result<String, BuildError> {
    Ok(parse_url(url)?.as_str().trim_end_matches('/').to_owned())
}

fn parse_url(text: &str) -> Result<Url, BuildError> {
    let wrong = |why: &str| BuildError::Url(format!("`{text}`: {why}"));
    let url = Url::parse(text).map_err(|error| wrong(&format!("{error}; it begins with http:// or https://")))?;
    if !matches!(url.scheme(), "http" | "https") {
        Err(wrong("neither http nor https"))
    } else if !url.username().is_empty() || url.password().is_some() {
        Err(BuildError::Url(
            "no user or password in the address: the write key is all it takes".to_owned(),
        ))
    } else if url.query().is_some() || url.fragment().is_some() {
        Err(wrong("no query or fragment, please"))
    } else {
        Ok(url)
    }
}

fn extra_roots(pems: &[Vec<u8>]) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, BuildError> {
    let mut roots = Vec::new();
    for pem in pems {
        roots.extend(tls::read_pem(pem)?);
    }
    Ok(roots)
}

/// Compresses a body that is worth it. The fastest level: event JSON repeats itself so much that the best one gains
/// little.
fn gzip(body: &str) -> Option<Vec<u8>> {
    if body.len() < GZIP_FROM {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body.as_bytes()).ok()?;
    encoder.finish().ok()
}

async fn read(mut response: Response) -> reqwest::Result<Answer> {
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let answer = Answer {
        status: response.status().as_u16(),
        retry_after: header("retry-after"),
        date: header("date"),
        body: String::new(),
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES {
            break;
        }
    }
    Ok(Answer {
        body: String::from_utf8_lossy(&body).into_owned(),
        ..answer
    })
}

fn transport_error(error: &reqwest::Error) -> BuildError {
    BuildError::Transport(chain(error))
}

/// An error with its causes, which is where reqwest says what happened.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_with_a_host_and_nothing_else() {
        for good in ["http://localhost:4000", "https://example.com/analytics/"] {
            assert!(parse_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "http://",
            "http://u:p@example.com",
            "http://a.b?x=1",
        ] {
            assert!(parse_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn short_bodies_are_not_compressed() {
        assert_eq!(gzip(&"x".repeat(GZIP_FROM - 1)), None);
        assert!(gzip(&"x".repeat(GZIP_FROM)).unwrap().len() < 100);
    }
}
