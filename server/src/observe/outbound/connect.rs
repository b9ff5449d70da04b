//! From a host to a connection with it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::RootCertStore;
use rustls::client::Resumption;
use rustls_pki_types::ServerName;
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trailmark_protocol::Timestamp;

use super::error::{ErrorKind, OutboundError};
use super::guard::Guard;
use crate::gateway::tls::validity;
use crate::gateway::trust;

/// A connection, in clear or not.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// TLS that believes `roots`. No session is taken up again: the server is to show its certificate each time.
///
/// # Errors
/// None, as long as ring can do TLS.
pub(super) fn connector(roots: RootCertStore) -> Result<TlsConnector, String> {
    let mut client = trust::client(roots)?.with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    client.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(client)))
}

/// A connection to an address of `host` that may be called, the first that takes one. Each has its share of the time that
/// is left.
///
/// # Errors
/// There is none in time.
pub(super) async fn tcp(guard: &Guard, host: &str, port: u16, deadline: Instant) -> Result<TcpStream, OutboundError> {
    let found = timeout_at(deadline, guard.resolve(host, port)).await;
    let found =
        found.map_err(|_| OutboundError::new(ErrorKind::Dns, format!("nobody says in time where {host} is")))??;
    let mut last = timed_out("no connection in time");
    for (index, address) in found.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(found.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(now) / left;
        match timeout_at(now + share, open(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = OutboundError::of_connecting(&error),
            Err(_) => last = timed_out("no connection in time"),
        }
    }
    Err(last)
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// TLS over a connection to `host`.
///
/// # Errors
/// No TLS there, none in time, or a certificate that is not believed.
pub(super) async fn tls(
    connector: &TlsConnector,
    host: &str,
    stream: TcpStream,
    deadline: Instant,
) -> Result<Stream, OutboundError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let name = ServerName::try_from(bare.to_owned())
        .map_err(|_| OutboundError::new(ErrorKind::Tls, format!("{host} is no name for a certificate")))?;
    let greeted = timeout_at(deadline, connector.connect(name, stream)).await;
    let greeted = greeted.map_err(|_| timed_out("no TLS in time"))?;
    let stream = greeted.map_err(|error| OutboundError::of_tls(&error, host))?;
    Ok(Stream::Tls(Box::new(stream)))
}

pub(super) fn timed_out(detail: &str) -> OutboundError {
    OutboundError::new(ErrorKind::Timeout, detail)
}

impl Stream {
    /// When the certificate that was shown ends.
    pub(super) fn certificate_not_after(&self) -> Option<Timestamp> {
        let Self::Tls(stream) = self else { return None };
        let shown = stream.get_ref().1.peer_certificates()?.first()?;
        let seconds = validity::not_after(shown)?;
        Some(Timestamp::from_millis(seconds.saturating_mul(1_000)))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
