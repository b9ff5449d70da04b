//! Where keys are fetched: an address that was checked.

use http::Uri;
use http::uri::Scheme;
use rustls_pki_types::ServerName;

/// A place on the network that answers HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whose certificate it must show; `None` for http.
    pub tls: Option<ServerName<'static>>,
    /// What `Host` says.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Place {
    /// The place at `url`: https, or http to this machine, or to any if `allow_http`.
    ///
    /// # Errors
    /// Why it is none, for a person to read.
    pub fn parse(url: &str, allow_http: bool) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
        let authority = uri.authority().ok_or("it has no host")?.clone();
        if authority.as_str().contains('@') {
            return Err("it must hold no password".to_owned());
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        if !is_https && uri.scheme() != Some(&Scheme::HTTP) {
            return Err("it must begin with https://".to_owned());
        }
        if !is_https && !allow_http && !is_this_machine(&host) {
            return Err(
                "over http, whoever is on the way can replace the keys; https, or jwks.allow_http = true".to_owned(),
            );
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| "its host is no name")?;
        Ok(Self {
            port: authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            tls: is_https.then_some(name),
            authority: authority.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            host,
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_apart() {
        let place = Place::parse("https://id.example/keys?v=1", false).unwrap();
        assert_eq!(
            (place.host.as_str(), place.port, place.path.as_str()),
            ("id.example", 443, "/keys?v=1")
        );
        assert!(place.tls.is_some());
        let place = Place::parse("http://[::1]:8080", false).unwrap();
        assert_eq!(
            (place.host.as_str(), place.port, place.path.as_str()),
            ("::1", 8080, "/")
        );
        assert_eq!((place.authority.as_str(), place.tls), ("[::1]:8080", None));
    }

    #[test]
    fn http_stays_on_this_machine_unless_it_is_allowed() {
        for near in ["http://localhost/", "http://127.0.0.2/", "http://[::1]/"] {
            assert!(Place::parse(near, false).is_ok(), "{near}");
        }
        for far in [
            "http://id.example/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
        ] {
            assert!(Place::parse(far, false).is_err(), "{far}");
            assert!(Place::parse(far, true).is_ok(), "{far}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "keys.json",
            "/keys",
            "ftp://id.example/",
            "https://user:pass@id.example/",
            "https:///keys",
        ] {
            assert!(Place::parse(text, true).is_err(), "{text}");
        }
    }
}
