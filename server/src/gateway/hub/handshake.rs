//! The opening handshake of a WebSocket, the server's side (RFC 6455 §4.2).

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::gateway::problem::{Code, Problem};

/// The subprotocol of docs/gateway-hub.md. A client that offers none speaks it all the same; one that offers some must
/// offer it, because browsers give up a socket whose server has chosen none.
pub const SUBPROTOCOL: &str = "trailmark.hub.v1";

/// What a client's handshake asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    accept: HeaderValue,
    wants_subprotocol: bool,
}

/// Reads a client's handshake.
pub(super) fn read(request: &Request<Body>) -> Result<Asked, Problem> {
    let headers = request.headers();
    let is_upgrade = request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && lists(headers, &header::CONNECTION, "upgrade")
        && lists(headers, &header::UPGRADE, "websocket");
    if !is_upgrade {
        return Err(malformed(
            "this is a WebSocket: GET over HTTP/1.1 with `Upgrade: websocket`",
        ));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        return Err(malformed("the WebSocket version spoken here is 13"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
    let key = key.ok_or_else(|| malformed("`Sec-WebSocket-Key` is 16 bytes in base64"))?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    Ok(Asked {
        accept: accept.map_err(|_| Problem::new(Code::Internal, "the handshake's answer is no header"))?,
        wants_subprotocol: lists(headers, &header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL),
    })
}

impl Asked {
    /// The answer after which both sides speak WebSocket.
    pub(super) fn accept(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        if self.wants_subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        response
    }
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(Code::MalformedRequest, detail)
}

fn is_key(key: &HeaderValue) -> bool {
    STANDARD.decode(key.as_bytes()).is_ok_and(|nonce| nonce.len() == 16)
}

/// Whether `wanted` is one of the comma-separated words of a header.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455 §1.3, with one header changed; without it where `value` is empty.
    fn asked(name: &'static str, value: &'static str) -> Result<Asked, Problem> {
        let mut request = Request::new(Body::empty());
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        match value {
            "" => request.headers_mut().remove(name),
            value => request.headers_mut().insert(name, HeaderValue::from_static(value)),
        };
        read(&request)
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let response = asked("origin", "http://example.com").unwrap().accept();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(
            response.headers()["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert!(!response.headers().contains_key("sec-websocket-protocol"));
    }

    #[test]
    fn whatever_is_no_handshake_is_refused() {
        for (name, value) in [
            ("connection", ""),
            ("connection", "upgraded"),
            ("upgrade", "h2c"),
            ("sec-websocket-version", "8"),
            ("sec-websocket-version", ""),
            ("sec-websocket-key", ""),
            ("sec-websocket-key", "c2hvcnQ="),
            ("sec-websocket-key", "not base64, at all!!!!!!"),
        ] {
            let refused = asked(name, value).unwrap_err();
            assert_eq!(refused.code(), Code::MalformedRequest, "{name}: {value}");
        }
    }

    #[test]
    fn our_subprotocol_is_chosen_from_those_that_are_offered() {
        let chosen = |offered| asked("sec-websocket-protocol", offered).unwrap().accept();
        assert_eq!(
            chosen("soap, trailmark.hub.v1").headers()["sec-websocket-protocol"],
            SUBPROTOCOL
        );
        assert!(!chosen("soap").headers().contains_key("sec-websocket-protocol"));
    }
}
