//! Upstreams of every temper, over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Failure, Plan, TunnelLimits, Upstream, UpstreamConfig};
use crate::gateway::problem::Problem;

mod bodies;
mod connections;
mod faults;
mod h2;
mod members;
mod retries;
mod tls;
mod tunnels;

/// More than anything here takes.
const SOON: Duration = Duration::from_secs(10);

/// A server that does with each connection what it is told, and counts them.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    async fn new<F, Fut>(handle: F) -> Self
    where
        F: Fn(Peer, usize) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap(), handle)
    }

    fn at<F, Fut>(listener: TcpListener, handle: F) -> Self
    where
        F: Fn(Peer, usize) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let connections = Arc::new(AtomicUsize::new(0));
        let (address, count) = (listener.local_addr().unwrap(), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let nth = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handle(Peer::new(stream), nth));
            }
        });
        Self {
            address,
            connections,
            task,
        }
    }

    /// One that gives every request the same bytes.
    async fn always(answer: &'static str) -> Self {
        Self::new(move |mut peer, _| async move {
            while peer.request().await.is_some() {
                peer.say(answer).await;
            }
        })
        .await
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn upstream(&self, more: &str) -> Arc<Upstream> {
        upstream(&[self.address], more)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The upstream's side of a connection, or a client's.
struct Peer {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }

    /// Bytes up to and with `end`.
    async fn until(&mut self, end: &str) -> Option<String> {
        loop {
            let found = self
                .unread
                .windows(end.len())
                .position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let taken = self.unread.drain(..at + end.len()).collect();
                return Some(String::from_utf8(taken).unwrap());
            }
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// The head of a message.
    async fn head(&mut self) -> Option<String> {
        self.until("\r\n\r\n").await
    }

    /// A request, head and body as far as `content-length` says.
    async fn request(&mut self) -> Option<String> {
        let head = self.head().await?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = self.exactly(length.map_or(0, |length| length.parse().unwrap())).await?;
        Some(head + &body)
    }

    async fn exactly(&mut self, length: usize) -> Option<String> {
        while self.unread.len() < length {
            if self.stream.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
        Some(String::from_utf8(self.unread.drain(..length).collect()).unwrap())
    }

    /// All that comes before the other side closes; `None` if it resets instead.
    async fn rest(&mut self) -> Option<String> {
        while self.stream.read_buf(&mut self.unread).await.ok()? > 0 {}
        Some(String::from_utf8(std::mem::take(&mut self.unread)).unwrap())
    }

    async fn say(&mut self, text: &str) {
        // Whoever no longer listens is not missed.
        let _ = self.stream.write_all(text.as_bytes()).await;
    }

    /// Closes with a reset instead of an end.
    fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// An address at which nobody listens, and nobody will as long as the socket is there.
fn dead() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn upstream(addresses: &[SocketAddr], more: &str) -> Arc<Upstream> {
    started(&config(addresses, more))
}

fn started(config: &UpstreamConfig) -> Arc<Upstream> {
    let upstream = Upstream::new("users", config).unwrap();
    upstream.start();
    upstream
}

fn config(addresses: &[SocketAddr], more: &str) -> UpstreamConfig {
    let endpoint = |address: &SocketAddr| format!("{{ url = \"http://{address}\" }}");
    let endpoints: Vec<_> = addresses.iter().map(endpoint).collect();
    let text = format!("endpoints = [{}]\n{more}", endpoints.join(", "));
    toml::from_str(&text).unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "api.example")
        .body(Body::empty())
        .unwrap()
}

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/").body(body.into()).unwrap()
}

async fn send(upstream: &Upstream, request: Request<Body>) -> Result<Response<Body>, Failure> {
    let plan = Plan::default();
    let sent = upstream.send(request, &plan);
    tokio::time::timeout(SOON, sent).await.expect("an answer or a failure")
}

/// The status and the text of an answer.
async fn answer(upstream: &Upstream, request: Request<Body>) -> (u16, String) {
    let response = send(upstream, request).await.unwrap();
    (response.status().as_u16(), text(response).await.unwrap())
}

async fn text(response: Response<Body>) -> Result<String, axum::Error> {
    let collected = tokio::time::timeout(SOON, response.into_body().collect());
    let bytes = collected.await.expect("the end of the body")?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn status(upstream: &Upstream, request: Request<Body>) -> u16 {
    match send(upstream, request).await {
        Ok(response) => response.status().as_u16(),
        Err(failure) => Problem::from(failure).code().status().as_u16(),
    }
}

/// Waits for something that happens elsewhere.
async fn comes_true(mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + SOON;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "it did not come true");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A gateway of nothing but the upstream: what a client sees of it. Requests with `Upgrade` become tunnels.
async fn gateway(upstream: Arc<Upstream>, idle: Duration, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (upstream, stop) = (Arc::clone(&upstream), stop.clone());
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let (upstream, stop) = (Arc::clone(&upstream), stop.clone());
                async move {
                    let answered = pass(&upstream, request.map(Body::new), idle, stop).await;
                    Ok::<_, Infallible>(answered.unwrap_or_else(|failure| Problem::from(failure).render("r")))
                }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

async fn pass(
    upstream: &Upstream,
    mut request: Request<Body>,
    idle: Duration,
    stop: CancellationToken,
) -> Result<Response<Body>, Failure> {
    request.headers_mut().remove("connection");
    if !request.headers().contains_key("upgrade") {
        return upstream.send(request, &Plan::default()).await;
    }
    let client = hyper::upgrade::on(&mut request);
    let limits = TunnelLimits {
        idle,
        stop,
        guard: Box::new(()),
    };
    upstream.tunnel(request, client, &Plan::default(), limits).await
}
