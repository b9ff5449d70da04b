//! Who is calling: the peer of the connection, or what a trusted proxy says.

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderMap;
use ipnet::IpNet;

use super::edge::{Peer, Scheme};

/// The client's address. `X-Forwarded-For` counts only from trusted peers and is read from the right: the first address
/// that is not itself a trusted proxy is the client; everything left of it the client may have made up.
#[must_use]
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    if !is_trusted(peer) {
        return peer;
    }
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = hops.flat_map(|value| value.split(',')).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
        client = ip.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// How the client spoke to the first proxy that is trusted, or to us.
#[must_use]
pub fn forwarded_scheme(peer: Peer, headers: &HeaderMap, trusted: &[IpNet]) -> Scheme {
    if !trusted.iter().any(|net| net.contains(&peer.ip.to_canonical())) {
        return peer.scheme;
    }
    match headers.get("x-forwarded-proto").map(http::HeaderValue::as_bytes) {
        Some(b"https") => Scheme::Https,
        _ => peer.scheme,
    }
}

/// What one client's limits are kept under: an IPv4 address, or the /64 that an IPv6 customer gets whole.
#[must_use]
pub fn limit_key(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_static(value));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_ip("10.0.0.1".parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(ip(&["1.2.3.4"], &[]), "10.0.0.1");
        assert_eq!(ip(&["1.2.3.4"], &["192.168.0.0/16"]), "10.0.0.1");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_client() {
        assert_eq!(ip(&["6.6.6.6, 1.2.3.4, 10.0.0.9"], &["10.0.0.0/8"]), "1.2.3.4");
        assert_eq!(ip(&["6.6.6.6", "1.2.3.4"], &["10.0.0.0/8"]), "1.2.3.4");
        assert_eq!(ip(&["1.2.3.4, garbage"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(ip(&[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn ipv6_neighbours_share_a_limit_and_ipv4_ones_do_not() {
        let key = |text: &str| limit_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
