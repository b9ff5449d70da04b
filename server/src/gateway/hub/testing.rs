//! A hub behind a real HTTP server, and real WebSocket clients.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use http::{HeaderName, HeaderValue, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::config::HubConfig;
use super::deliver::{Deliver, Undelivered};
use super::{Hub, Parts};
use crate::bus::contract::{SURELY, subscribe};
use crate::bus::{LocalBus, Message, SharedBus, Subscription, Topic};
use crate::clock::ManualClock;
use crate::gateway::caller::{Caller, Proof};
use trailmark_protocol::Timestamp;

/// When all tests happen.
pub(super) const NOW_S: i64 = 1_763_600_000;

pub(super) fn caller(user: &str) -> Caller {
    Caller {
        proof: Proof::Token,
        user: Some(user.to_owned()),
        key: None,
        email: None,
        roles: vec!["member".to_owned()],
        scopes: Vec::new(),
        claims: Map::new(),
    }
}

/// A hub, its bus, and where it listens.
pub(super) struct Site {
    pub(super) hub: Arc<Hub>,
    pub(super) bus: SharedBus,
    pub(super) posted: Arc<Posted>,
    address: SocketAddr,
}

/// A service that takes what is posted, or does not.
#[derive(Default)]
pub(super) struct Posted {
    pub(super) bodies: Mutex<Vec<Value>>,
    pub(super) fails: bool,
    /// Holds it up while there is no permit.
    pub(super) gate: Option<Semaphore>,
}

impl Deliver for Posted {
    fn deliver<'a>(&'a self, upstream: &'a str, path: &'a str, body: Bytes) -> BoxFuture<'a, Result<(), Undelivered>> {
        assert_eq!((upstream, path), ("chat", "/messages"));
        async move {
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            if self.fails {
                return Err(Undelivered("503".to_owned()));
            }
            self.bodies.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            Ok(())
        }
        .boxed()
    }
}

/// A client.
pub(super) type Client = WebSocketStream<TcpStream>;

pub(super) fn settings(text: &str) -> HubConfig {
    toml::from_str(text).unwrap()
}

impl Site {
    pub(super) async fn new(settings: &str) -> Self {
        Self::on(Arc::new(LocalBus::default()), settings, Posted::default()).await
    }

    pub(super) async fn on(bus: SharedBus, text: &str, posted: Posted) -> Self {
        let posted = Arc::new(posted);
        let parts = Parts {
            bus: Arc::clone(&bus),
            deliver: Arc::clone(&posted) as Arc<dyn Deliver>,
            clock: ManualClock::at(Timestamp::from_millis(NOW_S * 1000)),
        };
        let hub = Hub::start("chat", settings(text), parts).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Arc::clone(&hub)));
        Self {
            hub,
            bus,
            posted,
            address,
        }
    }

    /// Opens a socket as `user`, or as nobody where it is empty.
    pub(super) async fn open(&self, user: &str) -> Client {
        let mut client = self.try_open(user, &[]).await.unwrap();
        assert_eq!(said(&mut client).await["hub"], "welcome");
        client
    }

    /// What a client with these headers is answered with, where that is no socket.
    pub(super) async fn refused(&self, user: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
        match self.try_open(user, headers).await {
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                (response.status().as_u16(), String::from_utf8(body).unwrap())
            }
            Err(other) => panic!("no HTTP answer: {other}"),
            Ok(_) => (101, String::new()),
        }
    }

    pub(super) async fn try_open(&self, user: &str, headers: &[(&'static str, &str)]) -> Result<Client, Error> {
        let mut request = format!("ws://{}/", self.address).into_client_request().unwrap();
        let user = [("x-test-user", user)];
        for (name, value) in headers.iter().chain(&user) {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        Ok(client_async(request, stream).await?.0)
    }

    /// A socket whose client answers nothing by itself.
    pub(super) async fn open_raw(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let asked = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(asked.as_bytes()).await.unwrap();
        stream
    }

    pub(super) fn listen(&self, pattern: &str) -> Subscription {
        subscribe(&self.bus, pattern)
    }

    /// As a service with a bus does it.
    pub(super) fn publish(&self, topic: &str, payload: impl Into<Bytes>) {
        let message = Message {
            topic: Topic::new(topic).unwrap(),
            payload: payload.into(),
        };
        let _ = self.bus.publish(message);
    }

    /// Waits until something is so.
    pub(super) async fn until(&self, is_so: impl Fn(&Hub) -> bool) {
        let waiting = async {
            while !is_so(&self.hub) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(SURELY, waiting)
            .await
            .unwrap_or_else(|_| panic!("not in time: {:?}", self.hub));
    }
}

async fn serve(listener: TcpListener, hub: Arc<Hub>) {
    while let Ok((stream, _)) = listener.accept().await {
        let hub = Arc::clone(&hub);
        let service = service_fn(move |request: Request<Incoming>| {
            let request = request.map(Body::new);
            let caller = caller_of(&request);
            let mut response = hub.join(caller.as_ref(), "r1", request);
            if let Some(problem) = response.extensions().get::<crate::gateway::problem::Problem>() {
                let rendered = problem.render("r1");
                let (head, body) = rendered.into_parts();
                let headers = response.headers().clone();
                response = http::Response::from_parts(head, body);
                response.headers_mut().extend(headers);
            }
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection.with_upgrades());
    }
}

/// Whom the tests' headers say.
fn caller_of(request: &Request<Body>) -> Option<Caller> {
    let text = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let mut caller = caller(&text("x-test-user").filter(|user| !user.is_empty())?);
    if text("x-test-cookie").is_some() {
        caller.proof = Proof::Session;
    }
    if let Some(exp) = text("x-test-exp") {
        caller
            .claims
            .insert("exp".to_owned(), json!(exp.parse::<f64>().unwrap()));
    }
    Some(caller)
}

pub(super) async fn say(client: &mut Client, text: &str) {
    client.send(Frame::text(text)).await.unwrap();
}

/// The next frame that is no ping.
pub(super) async fn frame(client: &mut Client) -> Frame {
    let next = async {
        loop {
            match client.next().await {
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                Some(Ok(frame)) => return frame,
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(SURELY, next).await.expect("a frame in time")
}

/// What the hub says next.
pub(super) async fn said(client: &mut Client) -> Value {
    let frame = frame(client).await;
    serde_json::from_str(frame.to_text().unwrap()).unwrap()
}

/// The close code, after whatever came before.
pub(super) async fn close_code(client: &mut Client) -> u16 {
    loop {
        if let Frame::Close(close) = frame(client).await {
            return close.expect("a code").code.into();
        }
    }
}

/// The next message on the bus.
pub(super) async fn heard(subscription: &mut Subscription) -> Value {
    let message = timeout(SURELY, subscription.next()).await.expect("a message in time");
    serde_json::from_slice(&message.expect("no end").payload).unwrap()
}

/// The same, without waiting.
pub(super) fn heard_now(subscription: &mut Subscription) -> Option<Value> {
    let message = subscription.next().now_or_never().flatten()?;
    Some(serde_json::from_slice(&message.payload).unwrap())
}
