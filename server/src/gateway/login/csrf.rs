//! Whether a request that changes something was sent by the session's own page and not by another that the browser has
//! open. Pure. `SameSite=Lax` alone does not stop a page of another host of the same site, nor every old browser
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>).

use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use subtle::ConstantTimeEq;

use crate::gateway::problem::{Code, Problem};

/// What the page sends back from the answer to the login.
pub const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// Where a request comes from, as the browser says; a page cannot set it (<https://www.w3.org/TR/fetch-metadata/>).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a method only reads (RFC 9110 §9.2.1).
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses a request that the page of this session did not send.
///
/// # Errors
/// [`Code::CsrfFailed`].
pub fn check(headers: &HeaderMap, csrf: &str) -> Result<(), Problem> {
    let refuse = |detail| Err(Problem::new(Code::CsrfFailed, detail));
    if !is_same_site(headers) {
        return refuse("the request was sent by a page of another site");
    }
    let mut sent = headers.get_all(X_CSRF_TOKEN).iter();
    match (sent.next(), sent.next()) {
        (Some(token), None) if is_equal(token, csrf) => Ok(()),
        (None, _) => refuse("there is no `X-Csrf-Token`"),
        _ => refuse("`X-Csrf-Token` is not that of the session"),
    }
}

fn is_equal(token: &HeaderValue, csrf: &str) -> bool {
    bool::from(token.as_bytes().ct_eq(csrf.as_bytes()))
}

/// Whether the browser says that its page is of the same site, or of nobody (typed, a bookmark). Where it does not say, the
/// page's origin must be the host that is asked. Neither header: no browser, which would send an `Origin` with every change.
fn is_same_site(headers: &HeaderMap) -> bool {
    match (headers.get(SEC_FETCH_SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) => ["same-origin", "same-site", "none"].iter().any(|known| site == known),
        (None, Some(origin)) => is_own(origin, headers.get(header::HOST)),
        (None, None) => true,
    }
}

/// Whether an origin is of this host. The port counts; that of http and https may be left out.
fn is_own(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let Some((origin, host)) = Uri::try_from(origin.as_bytes()).ok().zip(host) else {
        return false;
    };
    let default_port = match origin.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        _ => return false,
    };
    let Some((own, asked)) = origin.authority().zip(Authority::try_from(host.as_bytes()).ok()) else {
        return false;
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
    own.host().eq_ignore_ascii_case(asked.host()) && port(own) == port(&asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "right";

    fn verdict(pairs: &[(&'static str, &'static str)]) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        check(&headers, TOKEN).map_err(|problem| {
            assert_eq!(problem.code(), Code::CsrfFailed);
            problem.detail().to_owned()
        })
    }

    #[test]
    fn only_methods_that_read_are_safe() {
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS];
        let unsafe_ones = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE];
        assert!(safe.iter().all(is_safe) && !unsafe_ones.iter().any(is_safe));
    }

    #[test]
    fn the_token_of_the_session_is_needed_once_and_exactly() {
        assert_eq!(verdict(&[("x-csrf-token", "right")]), Ok(()));
        for pairs in [
            &[][..],
            &[("x-csrf-token", "")],
            &[("x-csrf-token", "righ")],
            &[("x-csrf-token", "Right")],
            &[("x-csrf-token", "right"), ("x-csrf-token", "right")],
            &[("x-csrf-token", "wrong"), ("x-csrf-token", "right")],
        ] {
            assert!(verdict(pairs).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_refused_even_with_the_token() {
        let with =
            |name, value| verdict(&[("x-csrf-token", "right"), ("host", "app.example:8443"), (name, value)]).is_ok();
        assert!(with("sec-fetch-site", "same-origin") && with("sec-fetch-site", "same-site"));
        assert!(!with("sec-fetch-site", "cross-site") && !with("sec-fetch-site", "made-up"));
        assert!(with("origin", "https://app.example:8443") && with("origin", "https://APP.example:8443"));
        for origin in [
            "null",
            "https://app.example",
            "https://evil.example",
            "https://app.example:8443.evil.example",
            "file://app.example:8443",
        ] {
            assert!(!with("origin", origin), "{origin}");
        }
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts_before_the_origin() {
        let both = |site| {
            [
                ("x-csrf-token", "right"),
                ("host", "inner:80"),
                ("origin", "https://outer"),
                ("sec-fetch-site", site),
            ]
        };
        assert!(
            verdict(&both("same-origin")).is_ok(),
            "behind a proxy that rewrites Host"
        );
        assert!(verdict(&both("cross-site")).is_err());
    }

    #[test]
    fn the_usual_port_may_be_left_out() {
        let of = |origin, host| verdict(&[("x-csrf-token", "right"), ("origin", origin), ("host", host)]).is_ok();
        assert!(of("https://app.example", "app.example:443") && of("http://localhost:80", "localhost"));
        assert!(!of("http://app.example", "app.example:443"));
        assert!(
            verdict(&[("x-csrf-token", "right"), ("origin", "https://app.example")]).is_err(),
            "no Host"
        );
    }
}
