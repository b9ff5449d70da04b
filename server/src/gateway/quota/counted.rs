//! What a policy counts together.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};

use serde::Deserialize;

/// What a policy counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// All requests of one client address.
    Ip,
    /// All of one user; before anybody is known, nothing.
    User,
    /// All of one API key.
    ApiKey,
    /// All of one route.
    Route,
}

/// Makes the keys of one policy's map: hashes with a seed of this process, so that a key costs 8 bytes however long the
/// user's id is, and nobody outside can aim two callers at one key.
#[derive(Debug, Default)]
pub struct Keys(RandomState);

impl Keys {
    /// The key of an address, by its first `ipv6_prefix` bits where it is of IPv6.
    #[must_use]
    pub fn address(&self, ip: IpAddr, ipv6_prefix: u8) -> u64 {
        self.0.hash_one(network(ip, ipv6_prefix))
    }

    /// The key of a name: a user, an API key, a route.
    #[must_use]
    pub fn name(&self, name: &str) -> u64 {
        self.0.hash_one(name)
    }
}

fn network(ip: IpAddr, ipv6_prefix: u8) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(ipv6_prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_neighbours_are_one_client_and_ipv4_neighbours_are_not() {
        let keys = Keys::default();
        let key = |ip: &str, bits| keys.address(ip.parse().unwrap(), bits);
        assert_eq!(key("2001:db8::1", 64), key("2001:db8::ffff:0:0:1", 64));
        assert_ne!(key("2001:db8::1", 64), key("2001:db8:0:1::1", 64));
        assert_eq!(key("2001:db8::1", 48), key("2001:db8:0:1::1", 48));
        assert_ne!(key("10.0.0.1", 64), key("10.0.0.2", 64));
        assert_eq!(
            key("::ffff:10.0.0.1", 64),
            key("10.0.0.1", 64),
            "the same client, told in two ways"
        );
    }
}
