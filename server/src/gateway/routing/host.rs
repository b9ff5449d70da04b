//! Which host a request is for. Two Hosts, none, or one that is no host are where a gateway and a service behind it may
//! disagree (RFC 9112 §3.2): all are refused.

use std::net::Ipv6Addr;

use http::{HeaderMap, Uri, Version, header};

/// The host and port that a request names, as they are written; `None` where HTTP/1.0 names none.
///
/// # Errors
/// What is wrong with it.
pub fn authority<'r>(version: Version, uri: &'r Uri, headers: &'r HeaderMap) -> Result<Option<&'r str>, &'static str> {
    let mut given = headers.get_all(header::HOST).iter();
    let (first, second) = (given.next(), given.next());
    if second.is_some() {
        return Err("there is more than one Host");
    }
    let named = match first {
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .filter(|text| is_authority(text))
                .ok_or("Host is no host")?,
        ),
        None => None,
    };
    match (uri.authority(), named) {
        (Some(target), Some(host)) if !target.as_str().eq_ignore_ascii_case(host) => {
            Err("Host and the request's target differ")
        }
        (Some(target), _) if is_authority(target.as_str()) => Ok(Some(target.as_str())),
        (Some(_), _) => Err("the request's target names no host"),
        (None, Some(host)) => Ok(Some(host)),
        (None, None) if version <= Version::HTTP_10 => Ok(None),
        (None, None) => Err("there is no Host"),
    }
}

/// The host of an authority, without its port and last dot.
#[must_use]
pub fn host(authority: &str) -> &str {
    let end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    authority[..end].trim_end_matches('.')
}

/// Whether it is a host as [`host()`] gives one: no port, no last dot.
#[must_use]
pub fn is_host(text: &str) -> bool {
    is_authority(text) && host(text) == text
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, port)) => (ip.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (is_name(name), port)
        }
    };
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn is_name(name: &str) -> bool {
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_host)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(version: Version, uri: &'static str, hosts: &[&'static str]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in hosts {
            headers.append(header::HOST, HeaderValue::from_static(value));
        }
        let uri = Uri::from_static(uri);
        authority(version, &uri, &headers).map(|text| text.map(|text| host(text).to_owned()))
    }

    #[test]
    fn a_host_loses_its_port_and_its_last_dot() {
        for value in ["api.example", "api.example:8080", "api.example.", "api.example:"] {
            assert_eq!(
                read(Version::HTTP_11, "/", &[value]),
                Ok(Some("api.example".to_owned())),
                "{value}"
            );
        }
        assert_eq!(read(Version::HTTP_11, "/", &["[::1]:80"]), Ok(Some("[::1]".to_owned())));
    }

    #[test]
    fn two_hosts_none_and_nonsense_are_refused() {
        assert!(read(Version::HTTP_11, "/", &["a", "a"]).is_err());
        assert!(read(Version::HTTP_11, "/", &[]).is_err());
        for nonsense in [
            "", "a b", "a/b", "user@a", "a,b", "a\t", "a:b", "a:1:2", "[::1", "[a]", ":80", ".a", "a:123456",
        ] {
            assert!(read(Version::HTTP_11, "/", &[nonsense]).is_err(), "{nonsense:?}");
        }
    }

    #[test]
    fn http_1_0_may_name_no_host_and_http_2_names_it_in_its_target() {
        assert_eq!(read(Version::HTTP_10, "/", &[]), Ok(None));
        assert_eq!(
            read(Version::HTTP_2, "http://a.example/x", &[]),
            Ok(Some("a.example".to_owned()))
        );
        assert_eq!(
            read(Version::HTTP_11, "http://A.example/x", &["a.example"]),
            Ok(Some("A.example".to_owned()))
        );
        assert!(read(Version::HTTP_11, "http://a.example/x", &["b.example"]).is_err());
    }
}
