//! The accept loop. `axum::serve` sets no timer and no limits, so a client that sends one header byte a minute would hold
//! a connection for ever; here hyper's own deadlines and limits are set.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::edge::Peer;
use crate::config::Http;

/// The wait after a failed accept, which nearly always means that file descriptors ran out: 50 ms.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Whoever answers requests; cloned for each.
pub trait Answer: Clone + Send + Sync + 'static {
    /// The response to a request that came from `peer`.
    fn answer(self, peer: Peer, request: Request<Incoming>) -> impl Future<Output = Response> + Send;
}

/// Marks a response whose body ends only when its listener or the server does: at a stop its connection is not waited for.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// How long such a body has to end by itself at a stop: 1 s. A client that takes what it is sent needs a round trip.
const ENDLESS_GRACE: Duration = Duration::from_secs(1);

/// Lets `site` answer until `stop`, then lets requests in flight finish within the configured time.
pub async fn serve(listener: TcpListener, site: impl Answer, config: &Http, stop: CancellationToken) {
    let builder = Arc::new(builder(config));
    let header_timeout = Duration::from_millis(config.header_timeout_ms);
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(config.max_connections));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            break;
        };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let watcher = graceful.watcher();
        let (builder, site, stop) = (Arc::clone(&builder), site.clone(), stop.clone());
        tokio::spawn(async move {
            let carried = connection(&builder, header_timeout, stream, Peer(peer.ip()), site, watcher, stop);
            carried.await;
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(config.drain_timeout(), graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("connections were cut: their requests did not finish in time");
    }
}

fn builder(config: &Http) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.header_timeout_ms))
        .max_buf_size(config.max_header_bytes.max(MIN_BUFFER))
        .max_headers(config.max_headers);
    let header_list = u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(header_list)
        .keep_alive_interval(KEEP_ALIVE);
    builder
}

/// The smallest read buffer that hyper takes: 8 KiB.
const MIN_BUFFER: usize = 8192;

/// How often an idle HTTP/2 client is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

async fn connection(
    builder: &Builder<TokioExecutor>,
    header_timeout: Duration,
    stream: TcpStream,
    peer: Peer,
    site: impl Answer,
    watcher: hyper_util::server::graceful::Watcher,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let asked = CancellationToken::new();
    let first_request = asked.clone();
    let is_endless = Arc::new(AtomicBool::new(false));
    let endless = Arc::clone(&is_endless);
    let service = service_fn(move |request| {
        asked.cancel();
        let (answer, endless) = (site.clone().answer(peer, request), Arc::clone(&endless));
        async move {
            let answer = answer.await;
            if answer.extensions().get::<Endless>().is_some() {
                endless.store(true, Ordering::Relaxed);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // What the connection's turn has set, `stuck` sees in the same turn: nothing else wakes it.
        biased;
        ended = watcher.watch(connection) => if let Err(error) = ended {
            // The client's: a broken connection, a malformed or late request; hyper has answered what it could.
            tracing::debug!(error, peer = %peer.0, "connection ended");
        },
        () = late(header_timeout, &first_request) => tracing::debug!(peer = %peer.0, "no request came"),
        () = stuck(&stop, &is_endless) => tracing::debug!(peer = %peer.0, "a stream was cut: nobody takes its end"),
    }
}

/// Resolves if, some time after a stop, the connection still carries an endless body: its client has stopped reading.
///
/// Connections without one, nearly all, pay a look at a flag: the token is shared, and each look at it takes its lock.
async fn stuck(stop: &CancellationToken, is_endless: &AtomicBool) {
    let seen = |_: &mut Context<'_>| match is_endless.load(Ordering::Relaxed) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    };
    poll_fn(seen).await;
    stop.cancelled().await;
    tokio::time::sleep(ENDLESS_GRACE).await;
}

/// Resolves if no first request comes in time. hyper's own deadline begins only when the first bytes have told it which
/// HTTP they are, so a client that sends none would keep its connection for ever.
async fn late(header_timeout: Duration, first_request: &CancellationToken) {
    if tokio::time::timeout(header_timeout, first_request.cancelled())
        .await
        .is_ok()
    {
        std::future::pending::<()>().await;
    }
}
