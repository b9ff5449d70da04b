//! Certificates from an ACME authority: Let's Encrypt's own test server, pebble, checks the listener by TLS-ALPN-01.
//!
//! `make test-acme` runs it, for it needs Debian's `pebble` and the feature `acme`.
#![cfg(feature = "acme")]

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use trailmark_server::Config;
use trailmark_server::config;
use trailmark_server::gateway::accept::serve;
use trailmark_server::gateway::tls::Tls;

/// How long pebble may take: it checks at once, but a busy machine does not.
const SOON: Duration = Duration::from_secs(60);

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(command: &mut Command) -> Running {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(
        quiet
            .spawn()
            .expect("Debian's pebble, which scripts/setup.sh acme installs"),
    )
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acme").join(name)
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// pebble, which knows no other names than ours and finds them all on this machine.
struct Pebble {
    port: u16,
    _programs: [Running; 2],
}

impl Pebble {
    /// One that connects to `listener` where it would to port 443.
    async fn start(directory: &TempDir, listener: SocketAddr) -> Self {
        let (port, management, dns) = (free_port().await, free_port().await, free_port().await);
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": fixture("api.pem"),
            "privateKey": fixture("api.key"),
            "httpPort": 1,
            "tlsPort": listener.port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let file = directory.path().join("pebble.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let names = run(Command::new("pebble-challtestsrv").args([
            "-defaultIPv4=127.0.0.1",
            "-defaultIPv6=",
            "-http01=",
            "-https01=",
            "-tlsalpn01=",
            &format!("-dns01=127.0.0.1:{dns}"),
            &format!("-management=127.0.0.1:{}", free_port().await),
        ]));
        let authority = run(Command::new("pebble")
            .args([
                "-config",
                file.to_str().unwrap(),
                "-dnsserver",
                &format!("127.0.0.1:{dns}"),
            ])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", "0"));
        until(async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        Self {
            port,
            _programs: [names, authority],
        }
    }
}

/// What `look` finds, once it finds it.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < SOON, "nothing came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A listener that gets its certificates from the authority at `port`, until it is dropped.
struct Listener {
    address: SocketAddr,
    stop: CancellationToken,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Listener {
    fn start(listener: TcpListener, directory: &TempDir, port: u16) -> Self {
        let mut config = Config::load(None, [], []).unwrap();
        config.tls.acme = config::Acme {
            domains: vec!["one.example".to_owned(), "two.example".to_owned()],
            contact: vec!["mailto:ops@one.example".to_owned()],
            directory_url: format!("https://localhost:{port}/dir"),
            ca: fixture("ca.pem"),
            ..config.tls.acme
        };
        let tls = Tls::open(&config.tls, directory.path()).unwrap();
        let site = Router::new().route("/", get(async || "hello"));
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let token = stop.clone();
        tokio::spawn(async move { serve(listener, tls, site, &config.http, token).await });
        Self { address, stop }
    }

    /// What openssl's client says of a connection, and what it gets.
    async fn visited(&self) -> String {
        let address = self.address.to_string();
        let visit = tokio::task::spawn_blocking(move || {
            let mut openssl = Command::new("openssl")
                .args([
                    "s_client",
                    "-connect",
                    &address,
                    "-servername",
                    "one.example",
                    "-ign_eof",
                    "-showcerts",
                ])
                .args(["-alpn", "http/1.1"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("openssl");
            let request = b"GET / HTTP/1.1\r\nhost: one.example\r\nconnection: close\r\n\r\n";
            // Without a certificate it ends before it reads.
            let _ = openssl.stdin.take().unwrap().write_all(request);
            openssl.wait_with_output().unwrap().stdout
        });
        String::from_utf8_lossy(&visit.await.unwrap()).into_owned()
    }

    async fn certificate(&self) -> String {
        let seen = until(async || Some(self.visited().await).filter(|seen| seen.contains("Pebble Intermediate"))).await;
        assert!(seen.contains("hello"), "{seen}");
        let end = "-----END CERTIFICATE-----";
        let from = seen.find("-----BEGIN CERTIFICATE-----").unwrap();
        seen[from..].split(end).next().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_ordered_by_tls_alpn_01_used_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pebble = Pebble::start(&directory, listener.local_addr().unwrap()).await;
    let port = pebble.port;
    let first = Listener::start(listener, &directory, port);
    let certificate = first.certificate().await;
    drop((first, pebble));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = Listener::start(listener, &directory, port);
    assert_eq!(
        second.certificate().await,
        certificate,
        "from the directory: there is no authority any more"
    );
}
