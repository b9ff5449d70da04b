//! Upstreams behind TLS.

use std::path::{Path, PathBuf};

use hyper_util::rt::TokioExecutor;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A certificate for `localhost` and its authority, as the SDK's tests have them.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../sdk-core/tests/native/tls")
        .join(name)
}

fn acceptor(protocol: &str) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(file("localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("localhost.key.pem")).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn server(protocol: &'static str) -> Server {
    let acceptor = acceptor(protocol);
    Server::new(move |peer, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(peer.stream).await else {
                return;
            };
            let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                Ok::<_, Infallible>(Response::new(Body::from(format!("{:?}", request.version()))))
            });
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    })
    .await
}

fn secure(server: &Server, host: &str, more: &str) -> Arc<Upstream> {
    let port = server.address.port();
    let text = format!("endpoints = [{{ url = \"https://{host}:{port}\" }}]\n{more}");
    started(&toml::from_str(&text).unwrap())
}

fn trusting() -> String {
    format!("ca = {:?}", file("root.pem"))
}

#[tokio::test]
async fn a_certificate_of_the_configured_authority_is_trusted() {
    let server = server("http/1.1").await;
    let upstream = secure(&server, "localhost", &format!("tls = {{ {} }}", trusting()));
    for _ in 0..3 {
        assert_eq!(answer(&upstream, get("/")).await, (200, "HTTP/1.1".to_owned()));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn http_2_is_agreed_upon_or_there_is_no_connection() {
    let both = format!("protocol = \"h2\"\ntls = {{ {} }}", trusting());
    let h2 = server("h2").await;
    assert_eq!(answer(&secure(&h2, "localhost", &both), get("/")).await.1, "HTTP/2.0");
    let http1 = server("http/1.1").await;
    assert_eq!(status(&secure(&http1, "localhost", &both), get("/")).await, 502);
}

#[tokio::test]
async fn an_unknown_authority_or_another_name_is_no_connection() {
    let server = server("http/1.1").await;
    assert_eq!(
        status(&secure(&server, "localhost", ""), get("/")).await,
        502,
        "public authorities alone"
    );
    let other = format!("tls = {{ {}, server_name = \"other.example\" }}", trusting());
    assert_eq!(status(&secure(&server, "localhost", &other), get("/")).await, 502);
    let named = format!("tls = {{ {}, server_name = \"localhost\" }}", trusting());
    let address = server.address.ip().to_string();
    assert_eq!(
        status(&secure(&server, &address, &named), get("/")).await,
        200,
        "by address, with the name given"
    );
}

#[tokio::test]
async fn a_changed_file_is_another_upstream() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::copy(file("root.pem"), &ca).unwrap();
    let text = format!("endpoints = [{{ url = \"https://localhost:1\" }}]\ntls = {{ ca = {ca:?} }}");
    let config: UpstreamConfig = toml::from_str(&text).unwrap();
    let upstream = Upstream::new("users", &config).unwrap();
    assert!(upstream.is_same(&config));
    std::fs::copy(file("localhost.pem"), &ca).unwrap();
    assert!(!upstream.is_same(&config));
}
