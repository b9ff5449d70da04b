//! One connection, from its first byte: PROXY protocol, TLS, then HTTP/1.1 or HTTP/2, each within its deadlines.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::STRICT_TRANSPORT_SECURITY;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::accept::{Answer, Endless};
use super::edge::{Peer, Scheme};
use super::proxy_protocol;
use super::served::Served;
use super::stream::{Transport, Watched};
use super::tls::Tls;
use super::watch::{Patience, Watch};
use crate::config::Http;

/// The smallest read buffer that hyper takes: 8 KiB.
const MIN_BUFFER: usize = 8192;

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests at once on one HTTP/2 connection: 128, over the 100 that RFC 9113 §6.5.2 asks for at the least.
const STREAMS: u32 = 128;

/// What of an answer lies ready for a client that is slower: 64 KiB a stream, so at the most 128 × 64 KiB = 8 MiB a
/// connection, where hyper's 400 KiB would make 50 MiB.
const SEND_BUFFER: usize = 64 * 1024;

/// Streams that a client opens and resets before anybody has looked at them, and streams that we reset for its errors; one
/// more of either closes the connection. Rapid resets (CVE-2023-44487) cost us work and the client nothing. 20 is h2's own;
/// of the second it allows 1,024, and an honest client makes none.
const RESETS: usize = 20;
const ERRORS: usize = 128;

/// How long an endless body has to end by itself at a stop: 1 s. A client that takes what it is sent needs a round trip.
const ENDLESS_GRACE: Duration = Duration::from_secs(1);

/// What all connections of a listener share.
pub(super) struct Connections<S> {
    builder: Builder<TokioExecutor>,
    patience: Patience,
    /// Whose PROXY protocol headers are read; nobody's if it is off.
    balancers: Vec<IpNet>,
    tls: Option<Tls>,
    site: S,
    stop: CancellationToken,
}

impl<S: Answer> Connections<S> {
    pub(super) fn new(config: &Http, tls: Option<Tls>, site: S, stop: CancellationToken) -> Self {
        if let Some(tls) = &tls {
            tls.publish();
        }
        Self {
            builder: builder(config),
            patience: Patience::of(config),
            balancers: match config.proxy_protocol {
                true => config.trusted_proxies.clone(),
                false => Vec::new(),
            },
            tls,
            site,
            stop,
        }
    }

    /// Carries a connection to its end. It takes up `slot`; `watcher` tells it of a stop.
    pub(super) async fn carry(&self, stream: TcpStream, peer: IpAddr, slot: OwnedSemaphorePermit, watcher: Watcher) {
        let _ = stream.set_nodelay(true);
        let watch = Watch::begin();
        let opened = match self.needs_opening(peer) {
            false => Ok(Some((Transport::Plain(stream), Peer::plain(peer)))),
            true => self.open(stream, peer).await,
        };
        match opened {
            Ok(Some((transport, peer))) => {
                let stream = Watched::new(transport, Arc::clone(&watch), slot);
                self.answer(stream, peer, &watch, watcher).await;
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, %peer, "no connection was made"),
        }
    }

    fn needs_opening(&self, peer: IpAddr) -> bool {
        self.tls.is_some() || self.is_balancer(peer)
    }

    fn is_balancer(&self, peer: IpAddr) -> bool {
        self.balancers
            .iter()
            .any(|network| network.contains(&peer.to_canonical()))
    }

    /// What comes before HTTP, within the header timeout.
    async fn open(&self, stream: TcpStream, peer: IpAddr) -> io::Result<Option<(Transport, Peer)>> {
        // Boxed: a handshake's state is 2 KiB, which every connection would carry for as long as it lives.
        let opening = Box::pin(self.introduce(stream, peer));
        let opened = tokio::time::timeout(self.patience.header, opening).await;
        opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn introduce(&self, mut stream: TcpStream, peer: IpAddr) -> io::Result<Option<(Transport, Peer)>> {
        let mut peer = Peer::plain(peer);
        if self.is_balancer(peer.ip) {
            let header = proxy_protocol::read(&mut stream).await?;
            peer.ip = header.client.unwrap_or(peer.ip);
            peer.scheme = if header.over_tls { Scheme::Https } else { Scheme::Http };
        }
        let Some(tls) = &self.tls else {
            return Ok(Some((Transport::Plain(stream), peer)));
        };
        peer.scheme = Scheme::Https;
        let stream = tls.accept(stream).await?;
        Ok(stream.map(|stream| (Transport::Tls(Box::new(stream)), peer)))
    }

    async fn answer(&self, stream: Watched, peer: Peer, watch: &Arc<Watch>, watcher: Watcher) {
        let service = self.service(peer, watch);
        let connection = self
            .builder
            .serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::select! {
            // What the connection's turn has set, `stuck` sees in the same turn: nothing else wakes it.
            biased;
            ended = watcher.watch(connection) => if let Err(error) = ended {
                // The client's: a broken connection, a malformed request; hyper has answered what it could.
                tracing::debug!(error, peer = %peer.ip, "connection ended");
            },
            late = watch.late(&self.patience) => tracing::debug!(?late, peer = %peer.ip, "connection closed"),
            () = stuck(&self.stop, watch) => tracing::debug!(peer = %peer.ip, "a stream was cut: nobody takes its end"),
        }
    }

    fn service(
        &self,
        peer: Peer,
        watch: &Arc<Watch>,
    ) -> impl Service<Request<Incoming>, Response = Response<Served>, Error = Infallible, Future: Send + 'static> + use<S>
    {
        let (site, watch) = (self.site.clone(), Arc::clone(watch));
        let hsts = self.tls.as_ref().and_then(Tls::hsts).cloned();
        service_fn(move |request: Request<Incoming>| {
            let in_flight = watch.request(request.version() == Version::HTTP_2);
            let (answer, hsts, watch) = (site.clone().answer(peer, request), hsts.clone(), Arc::clone(&watch));
            async move {
                let mut answer = answer.await;
                if answer.extensions().get::<Endless>().is_some() {
                    watch.endless();
                }
                if let Some(hsts) = hsts {
                    answer.headers_mut().entry(STRICT_TRANSPORT_SECURITY).or_insert(hsts);
                }
                Ok::<Response<Served>, Infallible>(answer.map(|body| in_flight.answered(body)))
            }
        })
    }
}

fn builder(config: &Http) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        // The watch has it: hyper's would make a timer for each request.
        .header_read_timeout(None)
        .max_buf_size(config.max_header_bytes.max(MIN_BUFFER))
        .max_headers(config.max_headers);
    let header_list = u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(header_list)
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS)
        .max_local_error_reset_streams(ERRORS)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    builder
}

/// Resolves if, some time after a stop, the connection still carries an endless body: its client has stopped reading.
///
/// Connections without one, nearly all, pay a look at a flag: the token is shared, and each look at it takes its lock.
async fn stuck(stop: &CancellationToken, watch: &Watch) {
    let seen = |_: &mut Context<'_>| match watch.is_endless() {
        true => Poll::Ready(()),
        false => Poll::Pending,
    };
    poll_fn(seen).await;
    stop.cancelled().await;
    tokio::time::sleep(ENDLESS_GRACE).await;
}
