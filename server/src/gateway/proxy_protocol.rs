//! The PROXY protocol, versions 1 and 2: what a TCP balancer says before the client's first byte
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).
//!
//! Only what [`parse`] asks for is read, so not one byte of the client's is taken from TLS or HTTP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// How a header of version 2 begins (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// How one of version 1 begins.
const WORD: &[u8; 6] = b"PROXY ";

/// The longest line of version 1, with its CRLF (§2.1).
const LONGEST_LINE: usize = 107;

/// The shortest line of version 1 is `PROXY UNKNOWN` and CRLF: 15 bytes, so these 12 can be read of either version.
const FIRST: usize = SIGNATURE.len();

/// Signature, command, family, length (§2.2).
const FIXED: usize = SIGNATURE.len() + 4;

/// The longest header of version 2 that is believed: addresses take 216 bytes at the most, the rest is for what balancers
/// add, of which a client's certificate's names are the longest.
const LONGEST_HEADER: usize = 2048;

/// The type of the value that says how the client speaks TLS, and its bit for "it does" (§2.2.6).
const TLS: (u8, u8) = (0x20, 0x01);

/// What a balancer says about a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The client's address; nothing where the balancer speaks for itself, or the client came by other means than TCP.
    pub client: Option<IpAddr>,
    /// Whether the client speaks TLS to the balancer.
    pub over_tls: bool,
}

/// How far a header has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// At least so many bytes are missing; they all belong to the header.
    Missing(usize),
    /// The whole header.
    Whole(Header),
}

/// No header of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PROXY protocol header")]
pub struct NoHeader;

/// Reads the header that `stream` begins with, and nothing after it.
///
/// # Errors
/// Those of the stream; `InvalidData` for [`NoHeader`].
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Header> {
    let mut bytes = Vec::with_capacity(LONGEST_LINE);
    loop {
        match parse(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
            Parsed::Whole(header) => return Ok(header),
            Parsed::Missing(missing) => {
                let read = bytes.len();
                bytes.resize(read + missing, 0);
                stream.read_exact(&mut bytes[read..]).await?;
            }
        }
    }
}

/// What `bytes`, the first of a connection, say so far.
///
/// # Errors
/// [`NoHeader`], as soon as it is clear.
pub fn parse(bytes: &[u8]) -> Result<Parsed, NoHeader> {
    match bytes.first_chunk::<FIRST>() {
        None => Ok(Parsed::Missing(FIRST - bytes.len())),
        Some(SIGNATURE) => version_2(bytes),
        Some(first) if first.starts_with(WORD) => version_1(bytes),
        Some(_) => Err(NoHeader),
    }
}

fn version_1(bytes: &[u8]) -> Result<Parsed, NoHeader> {
    match bytes {
        [line @ .., b'\r', b'\n'] => line_1(std::str::from_utf8(line).map_err(|_| NoHeader)?).map(Parsed::Whole),
        line if line.contains(&b'\n') => Err(NoHeader),
        line if line.len() >= LONGEST_LINE => Err(NoHeader),
        // One is sure, and two unless the next is the LF.
        line if line.ends_with(b"\r") => Ok(Parsed::Missing(1)),
        line => Ok(Parsed::Missing(2.min(LONGEST_LINE - line.len()))),
    }
}

fn line_1(line: &str) -> Result<Header, NoHeader> {
    let mut words = line.split(' ').skip(1);
    let client = match words.next() {
        Some("UNKNOWN") => None,
        Some(family @ ("TCP4" | "TCP6")) => Some(addresses_1(family == "TCP4", words)?),
        _ => return Err(NoHeader),
    };
    Ok(Header {
        client,
        over_tls: false,
    })
}

/// Source, destination, source port, destination port; all of them must be what they say.
fn addresses_1<'a>(is_v4: bool, mut words: impl Iterator<Item = &'a str>) -> Result<IpAddr, NoHeader> {
    let mut address = || -> Option<IpAddr> { words.next()?.parse().ok() };
    let (source, destination) = (address().ok_or(NoHeader)?, address().ok_or(NoHeader)?);
    let ports: Vec<_> = words.map(str::parse::<u16>).collect();
    let is_whole = source.is_ipv4() == is_v4 && destination.is_ipv4() == is_v4;
    match ports.as_slice() {
        [Ok(_), Ok(_)] if is_whole => Ok(source),
        _ => Err(NoHeader),
    }
}

fn version_2(bytes: &[u8]) -> Result<Parsed, NoHeader> {
    let Some((fixed, rest)) = bytes.split_first_chunk::<FIXED>() else {
        return Ok(Parsed::Missing(FIXED - bytes.len()));
    };
    let [.., command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    match (command, length.checked_sub(rest.len())) {
        (0x20 | 0x21, _) if length > LONGEST_HEADER => Err(NoHeader),
        // LOCAL: the balancer itself asks, for example whether this server is healthy.
        (0x20, Some(0)) => Ok(Parsed::Whole(Header {
            client: None,
            over_tls: false,
        })),
        (0x21, Some(0)) => addresses_2(family, rest).map(Parsed::Whole),
        (0x20 | 0x21, Some(missing)) => Ok(Parsed::Missing(missing)),
        _ => Err(NoHeader),
    }
}

fn addresses_2(family: u8, rest: &[u8]) -> Result<Header, NoHeader> {
    let (client, extra) = match family {
        0x11 => {
            let (source, extra) = source::<4>(rest)?;
            (Some(IpAddr::V4(Ipv4Addr::from(source))), extra)
        }
        0x21 => {
            let (source, extra) = source::<16>(rest)?;
            (Some(IpAddr::V6(Ipv6Addr::from(source))), extra)
        }
        // Other families have addresses of other lengths, and what follows them is not looked for.
        _ => (None, &[][..]),
    };
    Ok(Header {
        client,
        over_tls: is_over_tls(extra),
    })
}

/// The source of two addresses of `N` bytes and two ports, and what follows.
fn source<const N: usize>(rest: &[u8]) -> Result<([u8; N], &[u8]), NoHeader> {
    let (source, _) = rest.split_first_chunk::<N>().ok_or(NoHeader)?;
    let extra = rest.get(2 * N + 4..).ok_or(NoHeader)?;
    Ok((*source, extra))
}

/// Type, length, value, and again (§2.2); a value that is cut says nothing.
fn is_over_tls(mut extra: &[u8]) -> bool {
    while let [kind, high, low, rest @ ..] = extra {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, next)) = rest.split_at_checked(length) else {
            return false;
        };
        if *kind == TLS.0 {
            return value.first().is_some_and(|client| client & TLS.1 != 0);
        }
        extra = next;
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> Option<Header> {
        match parse(bytes) {
            Ok(Parsed::Whole(header)) => Some(header),
            _ => None,
        }
    }

    fn v1(source: IpAddr, ports: (u16, u16)) -> Vec<u8> {
        let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        format!("PROXY {family} {source} {source} {} {}\r\n", ports.0, ports.1).into_bytes()
    }

    fn v2(source: IpAddr, extra: &[u8]) -> Vec<u8> {
        let (family, address) = match source {
            IpAddr::V4(address) => (0x11, address.octets().to_vec()),
            IpAddr::V6(address) => (0x21, address.octets().to_vec()),
        };
        let rest = [&address[..], &address, &[0, 80, 1, 187], extra].concat();
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[0x21, family], &length, &rest].concat()
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(IpAddr::from)
        ]
    }

    proptest! {
        #[test]
        fn either_version_says_the_client_and_not_a_byte_more_is_read(
            source in address(), ports in any::<(u16, u16)>(), is_v2 in any::<bool>(), after in any::<Vec<u8>>(),
        ) {
            let header = if is_v2 { v2(source, &[]) } else { v1(source, ports) };
            let sent = [&header[..], &after].concat();
            let mut stream = &sent[..];
            let read = futures_util::FutureExt::now_or_never(read(&mut stream)).unwrap().unwrap();
            prop_assert_eq!(read, Header { client: Some(source), over_tls: false });
            prop_assert_eq!(stream, &after[..]);
        }

        #[test]
        fn a_cut_header_asks_for_no_more_than_is_missing(source in address(), is_v2 in any::<bool>(), cut in any::<usize>()) {
            let header = if is_v2 { v2(source, &[4, 0, 1, 9]) } else { v1(source, (1, 65535)) };
            let cut = cut % header.len();
            match parse(&header[..cut]).unwrap() {
                Parsed::Missing(missing) => prop_assert!(missing > 0 && cut + missing <= header.len()),
                Parsed::Whole(_) => prop_assert!(false, "whole at {cut} of {}", header.len()),
            }
        }

        #[test]
        fn garbage_never_panics_and_what_is_missing_is_never_nothing(
            start in prop_oneof![Just(&SIGNATURE[..]), Just(&WORD[..]), Just(&[][..])], bytes in any::<Vec<u8>>(),
        ) {
            if let Ok(Parsed::Missing(missing)) = parse(&[start, &bytes].concat()) {
                prop_assert!(missing > 0);
            }
        }
    }

    #[test]
    fn a_balancer_that_speaks_for_itself_names_no_client() {
        let nobody = Header {
            client: None,
            over_tls: false,
        };
        assert_eq!(whole(b"PROXY UNKNOWN\r\n"), Some(nobody));
        assert_eq!(whole(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), Some(nobody));
        assert_eq!(whole(&[&SIGNATURE[..], &[0x20, 0, 0, 0]].concat()), Some(nobody));
    }

    #[test]
    fn a_balancer_says_whether_the_client_speaks_tls() {
        let source = IpAddr::from([192, 0, 2, 1]);
        let tls = [0x20, 0, 5, 0x01, 0, 0, 0, 0];
        assert!(whole(&v2(source, &tls)).unwrap().over_tls);
        assert!(
            whole(&v2(source, &[&[0x04, 0, 2, 9, 9], &tls[..]].concat()))
                .unwrap()
                .over_tls
        );
        assert!(!whole(&v2(source, &[0x20, 0, 5, 0x00, 0, 0, 0, 0])).unwrap().over_tls);
        assert!(
            !whole(&v2(source, &[0x20, 0, 9, 0x01])).unwrap().over_tls,
            "a cut value"
        );
    }

    #[test]
    fn what_is_no_header_is_refused_at_once() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP5 1.1.1.1 1.1.1.1 1 2\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1 2 3\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1 2\nX",
        ] {
            assert_eq!(parse(bytes), Err(NoHeader), "{}", bytes.escape_ascii());
        }
        let endless = [&WORD[..], &[b'x'; LONGEST_LINE]].concat();
        assert_eq!(parse(&endless), Err(NoHeader));
        let long = [&SIGNATURE[..], &[0x21, 0x11, 0xff, 0xff]].concat();
        assert_eq!(parse(&long), Err(NoHeader));
        let unknown_command = [&SIGNATURE[..], &[0x22, 0x11, 0, 0]].concat();
        assert_eq!(parse(&unknown_command), Err(NoHeader));
        assert_eq!(
            parse(&[&SIGNATURE[..], &[0x21, 0x11, 0, 3, 1, 2, 3]].concat()),
            Err(NoHeader)
        );
    }
}
