//! Asking a running server, for `query`, `tail`, `demo` and `doctor`.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::failure::Failure;

/// The URL at which a server that listens on `address` is reached from this machine.
#[must_use]
pub fn local_url(address: SocketAddr) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(host, address.port()))
}

/// A client for local servers (no proxy stands between) that waits at most `patience` for an answer.
///
/// # Errors
/// TLS cannot be set up.
pub fn client(patience: Duration) -> reqwest::Result<Client> {
    // An error means that the process has a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(patience).build()
}

/// The same, for streams: there is no end to wait for, but no silence is longer than `silence`.
///
/// # Errors
/// TLS cannot be set up.
pub fn patient_client(silence: Duration) -> reqwest::Result<Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .connect_timeout(silence)
        .read_timeout(silence)
        .build()
}

/// What a server says that refuses: its problem's detail, which names the place, and its hint.
pub async fn refused(response: reqwest::Response) -> Failure {
    let status = response.status();
    let problem: Value = response.json().await.unwrap_or_default();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let sentence = match text("detail") {
        detail if detail.is_empty() => format!("the server answers {status}"),
        detail => format!("the server refuses: {detail} ({})", text("code")),
    };
    Failure::failed(sentence).hint(text("hint"))
}

/// What `GET url` answers: the status and the JSON body, `null` where it has none.
///
/// # Errors
/// Nobody answers.
pub async fn get(client: &Client, url: &str, key: Option<&str>) -> reqwest::Result<(StatusCode, Value)> {
    let request = client.get(url);
    let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
    let response = request.send().await?;
    Ok((response.status(), response.json().await.unwrap_or_default()))
}

/// The error with everything that led to it; reqwest's own text keeps the cause to itself.
#[must_use]
pub fn explain(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_the_loopback_address() {
        let url = |address: &str| local_url(address.parse().unwrap());
        assert_eq!(url("0.0.0.0:7700"), "http://127.0.0.1:7700");
        assert_eq!(url("[::]:7700"), "http://[::1]:7700");
        assert_eq!(url("10.0.0.7:80"), "http://10.0.0.7:80");
    }
}
