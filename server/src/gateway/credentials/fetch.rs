//! One GET, bounded in time and size. No redirects: where keys come from is in the configuration, and nowhere else.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::place::Place;

/// From connecting to the last byte. Requests with an unknown key wait for it.
const WITHIN: Duration = Duration::from_secs(5);

/// Ten keys with their certificates are about 20 KiB, the largest that big providers publish.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Why nothing was fetched. The texts name no address.
#[derive(Debug, Error)]
pub enum FetchError {
    /// No connection, or no good certificate.
    #[error("no connection: {0}")]
    Connection(#[from] std::io::Error),
    /// No HTTP.
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    /// Not what is asked for.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// More than 256 KiB, or cut off.
    #[error("the body: {0}")]
    Body(String),
    /// Longer than 5 s.
    #[error("it took longer than {} s", WITHIN.as_secs())]
    TooSlow,
    /// It came, and holds no keys.
    #[error("{0}")]
    NoKeys(String),
}

/// What `place` answers with 200.
///
/// # Errors
/// What stands in the way.
pub async fn get(place: &Place, tls: Option<&TlsConnector>) -> Result<Bytes, FetchError> {
    let exchange = Box::pin(exchange(place, tls));
    tokio::time::timeout(WITHIN, exchange)
        .await
        .unwrap_or(Err(FetchError::TooSlow))
}

async fn exchange(place: &Place, tls: Option<&TlsConnector>) -> Result<Bytes, FetchError> {
    let stream = TcpStream::connect((place.host.as_str(), place.port)).await?;
    match (&place.tls, tls) {
        (Some(name), Some(tls)) => over(tls.connect(name.clone(), stream).await?, place).await,
        (Some(_), None) => Err(std::io::Error::other("TLS was not set up").into()),
        (None, _) => over(stream, place).await,
    }
}

async fn over<S: AsyncRead + AsyncWrite + Unpin>(stream: S, place: &Place) -> Result<Bytes, FetchError> {
    let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await?;
    let request = Request::get(place.path.as_str())
        .header(header::HOST, place.authority.as_str())
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, concat!("trailmark/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(std::io::Error::other)?;
    let answer = Box::pin(async move {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let body = Limited::new(response.into_body(), MAX_BODY_BYTES).collect().await;
        body.map(|body| body.to_bytes())
            .map_err(|error| FetchError::Body(words(&*error)))
    });
    // The connection works only while it is polled, here beside the answer; it may end first, the answer being read then.
    match select(answer, Box::pin(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, answer)) => answer.await,
    }
}

fn words(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    if error.is::<LengthLimitError>() {
        format!("more than {MAX_BODY_BYTES} bytes")
    } else {
        error.to_string()
    }
}
