//! Which addresses may be called on somebody's behalf. Who may make a monitor or an alert must not reach through this server
//! what only the server reaches: services beside it, a cloud's metadata, the network behind it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use tokio::sync::Semaphore;
use url::Url;

/// Most addresses of a name that are tried: a balancer has two to four, and each takes its share of the time.
const ADDRESSES_TRIED: usize = 8;

/// Lookups by the system at once: 32. While its resolver hangs, each takes one of the 512 threads that the journal's disk
/// needs as well.
const LOOKUPS_AT_ONCE: usize = 32;

/// Asks for the addresses of a name.
pub type Lookup = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// IPv4 networks that are not the public Internet, by IANA's registry of special-purpose addresses
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>), and what is beyond unicast.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    // This host.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Behind a carrier's NAT.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, where clouds hand out credentials.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // AS112's own sinks.
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    // 6to4 relays, which were given up.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What of IPv6's global unicast (2000::/3) is not the public Internet
/// (<https://www.iana.org/assignments/iana-ipv6-special-registry>).
const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    // Protocol assignments: Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Why there is no address to call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no host.
    #[error("{0:?} is no host")]
    Host(String),
    /// The name has no address, or nobody says so.
    #[error("the name {host} cannot be looked up: {why}")]
    Dns {
        /// Which.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// Where it leads may not be called.
    #[error("{0} leads to an address that may not be called; `[outbound] allow` names what else may")]
    Address(String),
}

/// What may be called: everything but private, link-local, loopback, multicast, documentation, carrier-grade NAT and benchmark
/// addresses, in any of IPv6's spellings of them, unless `allow` names the range.
#[derive(Clone)]
pub struct Guard {
    allow: Vec<IpNet>,
    lookup: Lookup,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// What is public, and what `allow` names; names are looked up by the system.
    #[must_use]
    pub fn new(allow: Vec<IpNet>) -> Self {
        let turns = Arc::new(Semaphore::new(LOOKUPS_AT_ONCE));
        let lookup: Lookup = Arc::new(move |host, port| Box::pin(system(Arc::clone(&turns), host, port)));
        Self::asking(allow, lookup)
    }

    /// The same with another resolver.
    #[must_use]
    pub fn asking(allow: Vec<IpNet>, lookup: Lookup) -> Self {
        Self { allow, lookup }
    }

    /// Whether an address may be called.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allow.iter().any(|network| network.contains(&ip)) || is_public(ip)
    }

    /// The addresses of a host that may be called, in the resolver's order.
    ///
    /// # Errors
    /// [`Refused`]: there is none.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
        let host = normal_host(host)?;
        let found = match literal(&host) {
            Some(ip) => vec![SocketAddr::new(ip, port)],
            None => self.look_up(&host, port).await?,
        };
        let mut permitted: Vec<_> = found.into_iter().filter(|address| self.permits(address.ip())).collect();
        permitted.truncate(ADDRESSES_TRIED);
        if permitted.is_empty() {
            return Err(Refused::Address(host));
        }
        Ok(permitted)
    }

    /// Refuses a host that is an address and may not be called. A name says nothing yet: it is looked up for each call.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check_literal(&self, host: &str) -> Result<(), Refused> {
        let host = normal_host(host)?;
        match literal(&host) {
            Some(ip) if !self.permits(ip) => Err(Refused::Address(host)),
            _ => Ok(()),
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
        let failed = |why: String| Refused::Dns {
            host: host.to_owned(),
            why,
        };
        let found = (self.lookup)(host.to_owned(), port).await;
        let found = found.map_err(|error| failed(error.to_string()))?;
        if found.is_empty() {
            return Err(failed("it has no address".to_owned()));
        }
        Ok(found)
    }
}

/// The system's resolver. A lookup cannot be given up: it keeps its turn, and its thread, until the resolver is done with it,
/// also where nobody waits for it any more.
async fn system(turns: Arc<Semaphore>, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
    let looked_up = tokio::spawn(async move {
        let _turn = turn;
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    });
    looked_up.await.map_err(io::Error::other)?
}

/// A host as a URL has it: in lower case and ASCII, and an IPv4 address in whatever spelling (`0x7f.1`, `2130706433`) as four
/// numbers. A resolver that reads such a spelling itself would say the same address, so nothing hangs on it: it is for what
/// people are told.
///
/// # Errors
/// [`Refused::Host`].
pub fn normal_host(host: &str) -> Result<String, Refused> {
    let refused = || Refused::Host(host.to_owned());
    let is_bare_v6 = host.parse::<Ipv6Addr>().is_ok();
    let odd = |c: char| matches!(c, '/' | '\\' | '?' | '#' | '@') || c.is_whitespace() || c.is_control();
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    if host.contains(odd) || (host.contains(':') && !is_bare_v6 && !is_bracketed) {
        return Err(refused());
    }
    let url = if is_bare_v6 {
        format!("http://[{host}]/")
    } else {
        format!("http://{host}/")
    };
    let url = Url::parse(&url).map_err(|_| refused())?;
    let read = url.host_str().filter(|_| url.port().is_none()).ok_or_else(refused)?;
    Ok(read.to_owned())
}

/// The address that a normal host is, if it is one.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    v6.unwrap_or(host).parse().ok()
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let within = |(network, prefix): &(Ipv4Addr, u32)| (ip.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0;
    !SPECIAL_V4.iter().any(within)
}

/// Of IPv6, global unicast alone is public, and NAT64's well-known prefix; where an IPv4 address is inside, that has to be.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let within = |(network, prefix): &(Ipv6Addr, u32)| (ip.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0;
    match ip.segments() {
        // RFC 6052 §2.1: 64:ff9b::/96.
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(v4(high, low)),
        // RFC 3056 §2: 2002:a.b.c.d::/48.
        [0x2002, high, low, ..] => is_public_v4(v4(high, low)),
        [0x2000..=0x3fff, ..] => !SPECIAL_V6.iter().any(within),
        _ => false,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
