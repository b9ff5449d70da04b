//! From names to addresses, and which addresses nobody may be sent to.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

/// How long a name may take to resolve: the C library's own first timeout.
const LOOKUP: Duration = Duration::from_secs(5);

/// EC2's metadata service by IPv6, which is not link-local.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// Asks for the addresses of a name.
pub(super) type Lookup = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The system's resolver.
pub(super) fn system() -> Lookup {
    Arc::new(|host, port| {
        Box::pin(async move {
            let found = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, port))).await;
            Ok(found.map_err(|_| io::ErrorKind::TimedOut)??.collect())
        })
    })
}

/// Whether an address is never an upstream: link-local ones are where clouds hand out credentials (169.254.169.254), and
/// nothing that a gateway leads to is there.
pub(super) fn is_refused(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address == METADATA_V6,
    }
}

/// The addresses of one endpoint, each once, in an order that does not change with the resolver's mood.
///
/// # Errors
/// The resolver's, or that there is none that may be used.
pub(super) async fn addresses(lookup: &Lookup, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let mut found = lookup(host.to_owned(), port).await?;
    found.retain(|address| !is_refused(address.ip()));
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Err(io::Error::other("no address that may be used"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_refused_in_every_spelling() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
        ] {
            assert!(is_refused(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "169.253.1.1", "::1", "fd00:ec2::1"] {
            assert!(!is_refused(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_metadata_alone_leads_nowhere() {
        let lookup: Lookup = Arc::new(|_, port| {
            Box::pin(async move { Ok(vec![SocketAddr::new("169.254.169.254".parse().unwrap(), port)]) })
        });
        assert!(addresses(&lookup, "rebound.example", 80).await.is_err());
    }

    #[tokio::test]
    async fn the_system_knows_localhost() {
        let found = addresses(&system(), "localhost", 80).await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
    }
}
