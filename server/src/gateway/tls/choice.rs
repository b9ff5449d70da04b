//! Which certificate a client gets: the first valid for the name that it asks for (RFC 6066 §3), or else the first of all.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::client::verify_server_name;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::ServerName;

/// The certificates of the listener, which may be exchanged at any time; handshakes under way keep theirs.
#[derive(Debug, Default)]
pub struct Certificates(ArcSwap<Vec<Arc<CertifiedKey>>>);

impl Certificates {
    /// From now on, `certificates` in order.
    pub fn set(&self, certificates: Vec<Arc<CertifiedKey>>) {
        self.0.store(Arc::new(certificates));
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        choose(&self.0.load(), hello.server_name(), hello.signature_schemes())
    }
}

/// Of certificates for one name, one with an elliptic curve may stand before one with RSA: a client that cannot check the
/// first gets the second.
fn choose(
    certificates: &[Arc<CertifiedKey>],
    name: Option<&str>,
    schemes: &[SignatureScheme],
) -> Option<Arc<CertifiedKey>> {
    let can_check = |certificate: &&Arc<CertifiedKey>| certificate.key.choose_scheme(schemes).is_some();
    let name = name.and_then(|name| ServerName::try_from(name).ok());
    let named = || {
        certificates
            .iter()
            .filter(|certificate| is_for(certificate, name.as_ref()))
    };
    let chosen = named().find(can_check).or_else(|| named().next());
    let chosen = chosen.or_else(|| certificates.iter().find(can_check));
    chosen.or(certificates.first()).cloned()
}

fn is_for(certificate: &CertifiedKey, name: Option<&ServerName<'_>>) -> bool {
    let (Some(name), Ok(end_entity)) = (name, certificate.end_entity_cert()) else {
        return false;
    };
    ParsedCertificate::try_from(end_entity).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
}
