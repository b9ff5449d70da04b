//! From an address to a connection that speaks HTTP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::config::Protocol;
use super::connection::Http1;
use super::endpoint::Endpoint;
use super::failure::Trouble;
use super::shared::Sender;
use super::wait::Times;

/// How often a busy HTTP/2 connection that has gone quiet is asked whether it is still there, and how long it may take to
/// say so: a dead host is found in 30 s, where TCP alone takes a quarter of an hour.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);

/// Streams opened before the upstream has said how many it takes, which it does first of all: one more could be refused.
const FIRST_STREAMS: usize = 1;

/// The largest head of an HTTP/2 answer, as for requests: 64 KiB.
const HEADER_BYTES: u32 = 64 * 1024;

/// A connection, in clear or not.
pub(super) enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection for HTTP/1.1.
///
/// # Errors
/// [`Trouble::Unreachable`], or too late.
pub(super) async fn http1(endpoint: &Endpoint, times: &Times) -> Result<Http1, Trouble> {
    let opened = async {
        let io = open(endpoint, Protocol::Http1).await?;
        Http1::new(io).await.map_err(io::Error::other)
    };
    in_time(endpoint, times, opened).await
}

/// A shared connection for HTTP/2: the one there is, or a new one. Says whether it was there.
///
/// # Errors
/// [`Trouble::Unreachable`], or too late.
pub(super) async fn h2(endpoint: &Endpoint, times: &Times) -> Result<(Sender, bool), Trouble> {
    if let Some(sender) = endpoint.shared.open() {
        return Ok((sender, true));
    }
    in_time(endpoint, times, endpoint.shared.opened(new_h2(endpoint))).await
}

async fn new_h2(endpoint: &Endpoint) -> io::Result<Sender> {
    let io = open(endpoint, Protocol::H2).await?;
    let (sender, driver) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .initial_max_send_streams(FIRST_STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .handshake(TokioIo::new(io))
        .await
        .map_err(io::Error::other)?;
    // It ends when the last sender is dropped and the last stream is over.
    tokio::spawn(async move {
        if let Err(error) = driver.await {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    Ok(sender)
}

/// Bounds `opened` by the time that connecting may take.
///
/// # Errors
/// [`Trouble::Unreachable`], or too late.
pub(super) async fn in_time<T>(
    endpoint: &Endpoint,
    times: &Times,
    opened: impl Future<Output = io::Result<T>>,
) -> Result<T, Trouble> {
    let now = Instant::now();
    match timeout_at(times.bounded(now + times.connect), opened).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => {
            tracing::debug!(%error, endpoint = endpoint.origin.url, address = %endpoint.address, "no connection");
            Err(Trouble::Unreachable)
        }
        Err(_) if times.is_over(Instant::now()) => Err(Trouble::TotalTimeout),
        Err(_) => Err(Trouble::ConnectTimeout),
    }
}

/// Opens a connection, with TLS if the endpoint's url says so.
///
/// # Errors
/// The system's or rustls', or that the other side does not speak `protocol`.
pub(super) async fn open(endpoint: &Endpoint, protocol: Protocol) -> io::Result<Io> {
    let stream = TcpStream::connect(endpoint.address).await?;
    stream.set_nodelay(true)?;
    let Some((tls, name)) = &endpoint.origin.tls else {
        return Ok(Io::Plain(stream));
    };
    let connector = match protocol {
        Protocol::Http1 => &tls.http1,
        Protocol::H2 => &tls.h2,
    };
    let stream = connector.connect(name.clone(), stream).await?;
    if protocol == Protocol::H2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(io::Error::other("no HTTP/2 there"));
    }
    Ok(Io::Tls(Box::new(stream)))
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
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
