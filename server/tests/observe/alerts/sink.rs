//! A small mail server on loopback that keeps what it is sent, or refuses it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It takes everything.
    Takes,
    /// It refuses these recipients with this code; a first failure only, if that is said.
    Refuses { code: u16, to: &'static str, once: bool },
    /// It greets and then says nothing.
    Hangs,
    /// It takes everything over TLS, to which it changes.
    Starttls,
    /// It knows no TLS, and takes a mail all the same.
    Clear,
}

/// A mail as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) data: String,
    pub(super) is_private: bool,
    pub(super) login: Option<String>,
}

impl Kept {
    /// The value of a header, unfolded.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let line = unfolded.lines().find(|line| line.starts_with(&format!("{name}: ")))?;
        Some(line.split_once(": ").unwrap().1.to_owned())
    }
}

#[derive(Debug)]
struct State {
    manner: Manner,
    mails: Mutex<Vec<Kept>>,
    refused: Mutex<u32>,
}

/// It stops when it is dropped.
pub(super) struct Sink {
    address: SocketAddr,
    state: Arc<State>,
    serving: JoinHandle<()>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A file beside the certificates that the SDK's tests have.
pub(super) fn certificate(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk-core/tests/native/tls");
    PathBuf::from(folder).join(name)
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::from_pem_file(certificate("localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificate("localhost.key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

impl Sink {
    pub(super) async fn that(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            manner,
            mails: Mutex::default(),
            refused: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            state,
            serving,
        }
    }

    pub(super) fn port(&self) -> String {
        self.address.port().to_string()
    }

    pub(super) fn mails(&self) -> Vec<Kept> {
        self.state.mails.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    if stream.write_all(b"220 localhost ESMTP\r\n").await.is_err() {
        return;
    }
    if session(&mut stream, &state, false).await == Some(End::Starttls) {
        let Ok(private) = acceptor().accept(stream.into_inner()).await else {
            return;
        };
        session(&mut BufReader::new(private), &state, true).await;
    }
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Quit,
    Starttls,
}

async fn session<S>(stream: &mut BufReader<S>, state: &State, is_private: bool) -> Option<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let fresh = || Kept {
        is_private,
        ..Kept::default()
    };
    let (mut mail, mut login) = (fresh(), None);
    loop {
        let line = line(stream).await?;
        if state.manner == Manner::Hangs {
            std::future::pending::<()>().await;
        }
        let upper = line.to_ascii_uppercase();
        let reply = if upper.starts_with("EHLO") {
            match (state.manner, is_private) {
                (Manner::Starttls, false) => "250-localhost\r\n250-8BITMIME\r\n250 STARTTLS".to_owned(),
                (Manner::Starttls, true) => "250-localhost\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
                _ => "250-localhost\r\n250 8BITMIME".to_owned(),
            }
        } else if upper == "STARTTLS" {
            stream.write_all(b"220 go ahead\r\n").await.ok()?;
            return Some(End::Starttls);
        } else if let Some(plain) = line.strip_prefix("AUTH PLAIN ") {
            login = Some(plain.to_owned());
            "235 welcome".to_owned()
        } else if let Some(from) = line.strip_prefix("MAIL FROM:") {
            mail = Kept {
                from: from.to_owned(),
                login: login.clone(),
                ..fresh()
            };
            "250 ok".to_owned()
        } else if let Some(to) = line.strip_prefix("RCPT TO:") {
            match refusal(state, to) {
                Some(code) => format!("{code} 5.1.1 not {to}"),
                None => {
                    mail.to.push(to.to_owned());
                    "250 ok".to_owned()
                }
            }
        } else if upper == "DATA" {
            stream.write_all(b"354 go on\r\n").await.ok()?;
            mail.data = data(stream).await?;
            state.mails.lock().unwrap().push(std::mem::take(&mut mail));
            "250 2.0.0 kept as 7".to_owned()
        } else if upper == "QUIT" {
            stream.write_all(b"221 bye\r\n").await.ok()?;
            return Some(End::Quit);
        } else {
            "250 ok".to_owned()
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}

fn refusal(state: &State, recipient: &str) -> Option<u16> {
    let Manner::Refuses { code, to, once } = state.manner else {
        return None;
    };
    let mut refused = state.refused.lock().unwrap();
    let so = recipient.contains(to) && !(once && *refused > 0);
    *refused += u32::from(so);
    so.then_some(code)
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    assert!(line.ends_with("\r\n"), "{line:?}");
    Some(line.trim_end().to_owned())
}

async fn data<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut data = String::new();
    loop {
        let start = data.len();
        stream.read_line(&mut data).await.ok().filter(|read| *read > 0)?;
        if &data[start..] == ".\r\n" {
            data.truncate(start);
            return Some(data);
        }
    }
}
