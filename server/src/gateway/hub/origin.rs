//! Which pages may open a socket. Browsers do not ask first, as they do with CORS, and send cookies along from any page: so
//! the `Origin` is looked at before the handshake is answered (RFC 6455 §10.2).

use http::{HeaderMap, HeaderValue, header};

use crate::gateway::caller::{Caller, Proof};
use crate::gateway::problem::{Code, Problem};

/// The origins whose pages may.
#[derive(Debug)]
pub(super) struct Origins {
    any: bool,
    listed: Vec<HeaderValue>,
}

impl Origins {
    pub(super) fn new(origins: &[String]) -> Self {
        let listed = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        Self {
            any: origins.iter().any(|origin| origin == "*"),
            listed: listed.filter(|origin| origin != "*").collect(),
        }
    }

    /// A caller with a cookie needs an origin that is listed by name; of the others, those without an origin are no
    /// browsers and need none.
    pub(super) fn check(&self, caller: Option<&Caller>, headers: &HeaderMap) -> Result<(), Problem> {
        let has_cookie = caller.is_some_and(|caller| caller.proof == Proof::Session);
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let is_good = match (origins.next(), origins.next()) {
            (None, _) => !has_cookie,
            (Some(origin), None) => self.listed.contains(origin) || (self.any && !has_cookie),
            (Some(_), Some(_)) => false,
        };
        let refused = || Problem::new(Code::OriginRefused, "pages of this origin may not open this socket");
        is_good.then_some(()).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::caller;
    use super::*;

    fn may(origins: &[&str], proof: Proof, sent: &[&'static str]) -> bool {
        let origins = Origins::new(&origins.iter().map(|&origin| origin.to_owned()).collect::<Vec<_>>());
        let caller = Caller { proof, ..caller("ann") };
        let mut headers = HeaderMap::new();
        for origin in sent {
            headers.append(header::ORIGIN, HeaderValue::from_static(origin));
        }
        origins.check(Some(&caller), &headers).is_ok()
    }

    #[test]
    fn pages_of_listed_origins_may_and_others_may_not() {
        let ours = ["https://app.example"];
        for proof in [Proof::Session, Proof::Token] {
            assert!(may(&ours, proof, &["https://app.example"]));
            for other in [
                "https://evil.example",
                "http://app.example",
                "https://app.example:8443",
                "null",
                "*",
            ] {
                assert!(!may(&ours, proof, &[other]), "{other}");
            }
            assert!(!may(&ours, proof, &["https://app.example", "https://evil.example"]));
        }
    }

    #[test]
    fn who_sends_no_origin_is_no_browser_and_needs_more_than_a_cookie() {
        assert!(may(&[], Proof::Token, &[]) && may(&[], Proof::Key, &[]));
        assert!(!may(&["*"], Proof::Session, &[]));
    }

    #[test]
    fn every_origin_is_not_meant_for_cookies() {
        assert!(may(&["*"], Proof::Token, &["https://any.example"]));
        assert!(!may(&["*"], Proof::Session, &["https://any.example"]));
        assert!(may(
            &["*", "https://app.example"],
            Proof::Session,
            &["https://app.example"]
        ));
    }
}
