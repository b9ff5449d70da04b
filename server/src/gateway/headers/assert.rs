//! What the gateway tells a service about a request, in headers that the service can believe.

use std::fmt::Write;
use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use trailmark_protocol::Timestamp;

use super::sign::Signer;
use crate::gateway::caller::Caller;
use crate::gateway::digits::push_ip;
use crate::gateway::request_id::X_REQUEST_ID;

/// The user's id; absent for callers without one.
pub const X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
/// The user's roles, with commas between them.
pub const X_USER_ROLE: HeaderName = HeaderName::from_static("x-user-role");
/// The caller's scopes, with spaces between them.
pub const X_AUTH_SCOPES: HeaderName = HeaderName::from_static("x-auth-scopes");
/// The name of the API key, which is no secret.
pub const X_API_KEY_ID: HeaderName = HeaderName::from_static("x-api-key-id");
/// When the gateway sent the request on, in RFC 3339.
pub const X_GATEWAY_TIMESTAMP: HeaderName = HeaderName::from_static("x-gateway-timestamp");
/// [`Signer::signature`] over all of these.
pub const X_GATEWAY_SIGNATURE: HeaderName = HeaderName::from_static("x-gateway-signature");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What is known of a request.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    /// The request's id.
    pub request_id: &'a HeaderValue,
    /// The client, as far as proxies are trusted.
    pub client: IpAddr,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// The host that the client named.
    pub host: Option<&'a str>,
    /// Who calls, if the route asked.
    pub caller: Option<&'a Caller>,
    /// The time.
    pub now: Timestamp,
}

impl Assertion<'_> {
    /// Writes the headers, with a signature if there is a `signer`. The client's own must be gone already.
    pub fn write(&self, headers: &mut HeaderMap, method: &Method, path: &str, signer: Option<&Signer>) {
        headers.insert(X_REQUEST_ID, self.request_id.clone());
        put(headers, X_FORWARDED_FOR, text(|text| push_ip(text, self.client)));
        headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(self.scheme));
        if let Some(host) = self.host {
            put(headers, X_FORWARDED_HOST, HeaderValue::from_str(host).ok());
        }
        put(headers, X_GATEWAY_TIMESTAMP, text(|text| self.now.write(text)));
        if let Some(caller) = self.caller {
            identity(caller, headers);
        }
        if let Some(signer) = signer {
            let signature = signer.signature(method, path, headers);
            put(headers, X_GATEWAY_SIGNATURE, HeaderValue::try_from(signature).ok());
        }
    }
}

fn identity(caller: &Caller, headers: &mut HeaderMap) {
    let name = |name: &Option<String>| name.as_deref().and_then(readable);
    put(headers, X_USER_ID, name(&caller.user));
    put(headers, X_API_KEY_ID, name(&caller.key));
    if !caller.roles.is_empty() {
        put(headers, X_USER_ROLE, readable(&caller.roles.join(",")));
    }
    if !caller.scopes.is_empty() {
        put(headers, X_AUTH_SCOPES, readable(&caller.scopes.join(" ")));
    }
}

/// An id as a header can carry it: bytes that are not visible ASCII, and `%`, are percent-encoded.
fn readable(text: &str) -> Option<HeaderValue> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'%') {
        return HeaderValue::from_str(text).ok();
    }
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => drop(write!(encoded, "%{byte:02X}")),
            byte => encoded.push(char::from(byte)),
        }
    }
    HeaderValue::try_from(encoded).ok()
}

fn text(write: impl FnOnce(&mut String)) -> Option<HeaderValue> {
    let mut text = String::with_capacity(40);
    write(&mut text);
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::gateway::caller::Proof;

    fn caller(user: &str) -> Caller {
        Caller {
            proof: Proof::Token,
            user: Some(user.to_owned()),
            key: None,
            email: None,
            roles: vec!["admin".to_owned(), "user".to_owned()],
            scopes: vec!["orders:read".to_owned()],
            claims: Map::new(),
        }
    }

    fn written(caller: Option<&Caller>, signer: Option<&Signer>) -> HeaderMap {
        let id = HeaderValue::from_static("r-1");
        let assertion = Assertion {
            request_id: &id,
            client: "203.0.113.9".parse().unwrap(),
            scheme: "https",
            host: Some("api.example"),
            caller,
            now: Timestamp::from_millis(1_763_600_000_123),
        };
        let mut headers = HeaderMap::new();
        assertion.write(&mut headers, &Method::GET, "/users/1", signer);
        headers
    }

    #[test]
    fn a_service_learns_who_calls_from_where_and_when() {
        let headers = written(Some(&caller("u_7")), None);
        let expected = [
            ("x-request-id", "r-1"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "api.example"),
            ("x-gateway-timestamp", "2025-11-20T00:53:20.123Z"),
            ("x-user-id", "u_7"),
            ("x-user-role", "admin,user"),
            ("x-auth-scopes", "orders:read"),
        ];
        for (name, value) in expected {
            assert_eq!(headers[name], value, "{name}");
        }
        assert_eq!(headers.len(), expected.len());
    }

    #[test]
    fn nobody_in_particular_has_no_user_headers() {
        assert!(!written(None, None).contains_key("x-user-id"));
    }

    #[test]
    fn an_id_that_would_end_the_line_is_encoded() {
        let headers = written(Some(&caller("a\r\nX-User-Role: owner é%")), None);
        assert_eq!(headers["x-user-id"], "a%0D%0AX-User-Role: owner %C3%A9%25");
    }
}
