use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

use super::*;
use crate::config::{Acme, TlsPair};

/// How long a test waits for what must come.
const SOON: Duration = Duration::from_secs(20);

pub(in crate::gateway) fn fixture(name: &str) -> PathBuf {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/src/gateway/tls/fixtures");
    PathBuf::from(fixtures).join(name)
}

fn pair(name: &str) -> TlsPair {
    TlsPair {
        cert: fixture(&format!("{name}.pem")),
        key: fixture(&format!("{name}.key")),
    }
}

pub(in crate::gateway) fn config(pairs: impl IntoIterator<Item = TlsPair>) -> config::Tls {
    let mut pairs = pairs.into_iter();
    let first = pairs.next();
    let (cert, key) = first.map(|first| (first.cert, first.key)).unwrap_or_default();
    config::Tls {
        cert,
        key,
        also: pairs.collect(),
        hsts: String::new(),
        acme: Acme {
            domains: Vec::new(),
            contact: Vec::new(),
            cache_dir: "acme".into(),
            directory_url: String::new(),
            ca: PathBuf::new(),
        },
    }
}

pub(in crate::gateway) fn open(name: &str) -> Tls {
    Tls::open(&config([pair(name)]), Path::new("")).unwrap().unwrap()
}

fn der(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(fixture(&format!("{name}.pem"))).unwrap()
}

/// Takes any certificate: the tests look at it themselves.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls12_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A client's connection to `address`, which asks for `name` and speaks `protocol`.
pub(in crate::gateway) async fn connect(
    address: SocketAddr,
    name: &'static str,
    protocol: &str,
) -> io::Result<client::TlsStream<TcpStream>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Accepts for ever.
async fn listen(tls: Tls) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = Arc::new(tls);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let tls = Arc::clone(&tls);
            tokio::spawn(async move {
                let mut stream = tls.accept(stream).await?.unwrap();
                tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
            });
        }
    });
    address
}

async fn certificate(address: SocketAddr, name: &'static str) -> CertificateDer<'static> {
    let stream = connect(address, name, "h2").await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

async fn until_served(address: SocketAddr, name: &str) {
    let wanted = der(name);
    let served = async { while certificate(address, "one.example").await != wanted {} };
    tokio::time::timeout(SOON, served).await.expect("the new certificate");
}

#[tokio::test]
async fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let tls = Tls::open(&config([pair("one"), pair("two")]), Path::new(""));
    let address = listen(tls.unwrap().unwrap()).await;
    assert_eq!(certificate(address, "one.example").await, der("one"));
    assert_eq!(certificate(address, "two.example").await, der("two"));
    assert_eq!(certificate(address, "www.two.example").await, der("two"));
    assert_eq!(certificate(address, "unknown.example").await, der("one"), "the first");
    assert_eq!(certificate(address, "127.0.0.1").await, der("one"), "no name at all");
}

/// What openssl's client says of the connection.
async fn s_client(address: SocketAddr, arguments: &'static [&'static str]) -> String {
    let said = tokio::task::spawn_blocking(move || {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args([
            "s_client",
            "-connect",
            &address.to_string(),
            "-servername",
            "one.example",
        ]);
        openssl.args(arguments).stdin(std::process::Stdio::null()).output()
    });
    let said = said.await.unwrap().expect("openssl, which scripts/setup.sh installs");
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[tokio::test]
async fn openssl_agrees_on_versions_and_protocols() {
    let address = listen(open("one")).await;
    let said = s_client(address, &["-alpn", "h2,http/1.1"]).await;
    assert!(said.contains("TLSv1.3") && said.contains("ALPN protocol: h2"), "{said}");
    let said = s_client(address, &["-tls1_2", "-alpn", "http/1.1"]).await;
    assert!(
        said.contains("TLSv1.2") && said.contains("ALPN protocol: http/1.1"),
        "{said}"
    );
    let said = s_client(address, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).await;
    assert!(said.contains("Cipher is (NONE)"), "{said}");
}

fn copy(name: &str, into: &Path, as_name: &str) {
    for kind in ["pem", "key"] {
        std::fs::copy(
            fixture(&format!("{name}.{kind}")),
            into.join(format!("{as_name}.{kind}")),
        )
        .unwrap();
    }
}

fn pair_in(directory: &TempDir) -> TlsPair {
    TlsPair {
        cert: directory.path().join("tls.pem"),
        key: directory.path().join("tls.key"),
    }
}

#[tokio::test]
async fn files_renamed_over_the_old_ones_are_used() {
    let directory = tempfile::tempdir().unwrap();
    copy("one", directory.path(), "tls");
    let tls = Tls::open(&config([pair_in(&directory)]), Path::new(""));
    let address = listen(tls.unwrap().unwrap()).await;
    until_served(address, "one").await;
    copy("renewed", directory.path(), "new");
    for kind in ["pem", "key"] {
        let path = |name: &str| directory.path().join(format!("{name}.{kind}"));
        std::fs::rename(path("new"), path("tls")).unwrap();
    }
    until_served(address, "renewed").await;
}

#[tokio::test]
async fn a_symbolic_link_swapped_as_kubernetes_does_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for (version, name) in [("..1", "one"), ("..2", "renewed")] {
        std::fs::create_dir(path(version)).unwrap();
        copy(name, &path(version), "tls");
    }
    symlink("..1", path("..data")).unwrap();
    symlink("..data/tls.pem", path("tls.pem")).unwrap();
    symlink("..data/tls.key", path("tls.key")).unwrap();
    let tls = Tls::open(&config([pair_in(&directory)]), Path::new(""));
    let address = listen(tls.unwrap().unwrap()).await;
    until_served(address, "one").await;
    symlink("..2", path("..data_tmp")).unwrap();
    std::fs::rename(path("..data_tmp"), path("..data")).unwrap();
    until_served(address, "renewed").await;
}

fn refusal(config: &config::Tls) -> String {
    Tls::open(config, Path::new("")).err().expect("a refusal").to_string()
}

#[test]
fn a_configuration_that_cannot_work_is_refused_by_name() {
    let mut mixed = pair("one");
    mixed.key = fixture("two.key");
    assert!(refusal(&config([mixed])).contains("two.key"));
    let mut missing = pair("one");
    missing.cert = "no/such.pem".into();
    assert!(refusal(&config([missing])).contains("no/such.pem"));
    let mut empty = pair("one");
    empty.cert = fixture("one.key");
    assert!(refusal(&config([empty])).contains("no certificate"));
    let mut half = config([pair("one")]);
    half.key = PathBuf::new();
    assert!(refusal(&half).starts_with("tls.cert and tls.key"));
    let mut both = config([pair("one")]);
    both.acme.domains.push("one.example".to_owned());
    assert!(refusal(&both).starts_with("tls.acme.domains"));
    let mut hsts = config([pair("one")]);
    hsts.hsts = "always".to_owned();
    assert!(refusal(&hsts).starts_with("tls.hsts"));
}

#[test]
fn nothing_configured_is_no_tls() {
    assert!(Tls::open(&config([]), Path::new("")).unwrap().is_none());
}
