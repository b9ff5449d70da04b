//! The accept loop. `axum::serve` sets no timer and no limits, so a client that sends one header byte a minute would hold
//! a connection for ever; here [deadlines](super::watch) and hyper's own limits are set.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::connection::Connections;
use super::edge::Peer;
use super::tls::Tls;
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

/// Lets `site` answer until `stop`, then lets requests in flight finish within the configured time. An upgraded connection
/// is whoever's who has upgraded it: it still counts as a connection, but at a stop it is not waited for here.
pub async fn serve(listener: TcpListener, tls: Option<Tls>, site: impl Answer, config: &Http, stop: CancellationToken) {
    let connections = Arc::new(Connections::new(config, tls, site, stop.clone()));
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(config.max_connections));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            break;
        };
        let Some((stream, peer)) = next(&listener, &stop).await else {
            break;
        };
        let (connections, watcher) = (Arc::clone(&connections), graceful.watcher());
        tokio::spawn(async move { connections.carry(stream, peer, slot, watcher).await });
    }
    drop(listener);
    if tokio::time::timeout(config.drain_timeout(), graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("connections were cut: their requests did not finish in time");
    }
}

/// The next connection, or nothing after a stop.
async fn next(listener: &TcpListener, stop: &CancellationToken) -> Option<(TcpStream, std::net::IpAddr)> {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => return Some((stream, peer.ip())),
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
