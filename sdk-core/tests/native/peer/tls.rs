//! The same peer behind TLS, as `localhost`, with a certificate of its own root. The key is for these tests only.

use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The root that has signed the peer's certificate.
pub(crate) const ROOT: &str = include_str!("../tls/root.pem");

/// Starts it; it accepts everything. Returns its address.
pub(crate) fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let config = Arc::new(config());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap(), Arc::clone(&config));
        }
    });
    url
}

fn config() -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/localhost.key.pem")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// Serves one request; `None` if the client hangs up, perhaps because it does not trust us.
fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let received = super::read(&mut BufReader::new(&mut stream))?;
    super::write(
        &mut stream,
        202,
        "connection: close\r\n",
        &super::receipt(received.events().len()),
    )
}
