//! A site that does as it is told: answers, hangs, breaks off.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a site does with a request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Sends this and closes.
    Sends(String),
    /// Sends this and then nothing, for ever.
    Hangs(String),
    /// Sends this and then more and more of the same.
    Floods(String),
    /// Resets the connection.
    Resets,
}

/// An answer as it goes over the wire.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Does {
    let length = body.len();
    Does::Sends(format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))
}

pub(crate) fn redirect(to: &str) -> Does {
    answer(302, &format!("location: {to}\r\n"), "")
}

type Manner = Arc<Mutex<Box<dyn Fn(&str) -> Does + Send>>>;

/// A site on loopback.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    manner: Manner,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
    tls: Option<TlsAcceptor>,
}

impl Site {
    /// One that answers 200.
    pub(crate) async fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), None).await
    }

    /// One with TLS that shows this certificate of `fixtures`.
    pub(crate) async fn with_certificate(name: &str) -> Self {
        let chain = CertificateDer::pem_file_iter(fixture(name)).unwrap();
        let key = PrivateKeyDer::from_pem_file(fixture("localhost.key")).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        Self::at("127.0.0.1:0".parse().unwrap(), Some(tls)).await
    }

    async fn at(address: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let manner: Manner = Arc::new(Mutex::new(Box::new(|_| answer(200, "", "all is well"))));
        let requests = Arc::default();
        let serving = tokio::spawn(serve(listener, tls.clone(), Arc::clone(&manner), Arc::clone(&requests)));
        Self {
            address,
            manner,
            requests,
            serving,
            tls,
        }
    }

    /// Lets it do otherwise from now on, by the request.
    pub(crate) fn does(&self, manner: impl Fn(&str) -> Does + Send + 'static) {
        *self.manner.lock().unwrap() = Box::new(manner);
    }

    /// Lets it answer with this status from now on.
    pub(crate) fn says(&self, status: u16) {
        self.does(move |_| answer(status, "", "all is well"));
    }

    /// The requests that it got.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Closes its door.
    pub(crate) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Opens the same door again.
    pub(crate) async fn start(&mut self) {
        let again = Self::at(self.address, self.tls.clone()).await;
        *self = again;
    }
}

/// A file made by openssl 3.0: a root; `localhost` certificates of it, `expired` on 2026-03-01 and `valid` until 2099-12-31;
/// their key.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/observe/fixtures")
        .join(name)
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, manner: Manner, requests: Arc<Mutex<Vec<String>>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, manner, requests) = (tls.clone(), Arc::clone(&manner), Arc::clone(&requests));
        connections.spawn(async move {
            let meet = |request: &str| {
                requests.lock().unwrap().push(request.to_owned());
                (manner.lock().unwrap())(request)
            };
            match tls {
                None => plain(stream, meet).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        speak(stream, meet).await;
                    }
                }
            }
        });
    }
}

async fn plain(stream: TcpStream, meet: impl Fn(&str) -> Does) {
    let mut stream = stream;
    let Some(request) = read(&mut stream).await else { return };
    match meet(&request) {
        Does::Resets => stream.set_zero_linger().unwrap(),
        does => act(&mut stream, does).await,
    }
}

async fn speak(mut stream: impl AsyncRead + AsyncWrite + Unpin, meet: impl Fn(&str) -> Does) {
    if let Some(request) = read(&mut stream).await {
        act(&mut stream, meet(&request)).await;
        let _ = stream.shutdown().await;
    }
}

async fn act(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), does: Does) {
    match does {
        Does::Resets => {}
        Does::Sends(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Does::Hangs(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            // Until the other side has had enough.
            let _ = stream.read(&mut [0; 1]).await;
        }
        Does::Floods(text) => while stream.write_all(text.as_bytes()).await.is_ok() {},
    }
}

/// A request with its body; nothing where the other side only knocked.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Some(text.into_owned());
        }
    }
}
