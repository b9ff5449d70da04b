//! How a gRPC call ended, and as which HTTP answer that is told.

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use percent_encoding::percent_decode;
use trailmark_protocol::json::Object;

/// gRPC's statuses by their numbers, with the HTTP status of each as [google/rpc/code.proto][1] maps them. The names are
/// the `code` of the answer.
///
/// [1]: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const STATUSES: [(&str, u16); 17] = [
    ("ok", 200),
    ("cancelled", 499),
    ("unknown", 500),
    ("invalid_argument", 400),
    ("deadline_exceeded", 504),
    ("not_found", 404),
    ("already_exists", 409),
    ("permission_denied", 403),
    ("resource_exhausted", 429),
    ("failed_precondition", 400),
    ("aborted", 409),
    ("out_of_range", 400),
    ("unimplemented", 501),
    ("internal", 500),
    ("unavailable", 503),
    ("data_loss", 500),
    ("unauthenticated", 401),
];

const UNKNOWN: usize = 2;
const PERMISSION_DENIED: usize = 7;
const UNIMPLEMENTED: usize = 12;
const INTERNAL: usize = 13;
const UNAVAILABLE: usize = 14;
const UNAUTHENTICATED: usize = 16;

/// What a 499 is called, which no RFC names.
const CLIENT_CLOSED: &str = "Client Closed Request";

/// The text that every such answer has for `hint`.
const HINT: &str = "The service behind the gateway refused: `detail` is its own text.";

/// Seconds after which a client may try again what is a matter of load.
const RETRY_AFTER_S: u64 = 5;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    number: usize,
    message: String,
}

impl Status {
    /// The status that trailers tell, or the headers of an answer that has nothing else. One that does not exist is
    /// UNKNOWN.
    pub(super) fn of(fields: &HeaderMap) -> Option<Self> {
        let number = fields
            .get("grpc-status")?
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok());
        let message = fields
            .get("grpc-message")
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        Some(Self {
            number: number.filter(|number| *number < STATUSES.len()).unwrap_or(UNKNOWN),
            // What is no valid escape stays as it is: gRPC over HTTP/2, "Status-Message".
            message: percent_decode(message).decode_utf8_lossy().into_owned(),
        })
    }

    /// The status of an answer that is not gRPC's but of something on the way:
    /// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>.
    pub(super) fn of_http(status: StatusCode) -> Self {
        let number = match status.as_u16() {
            400 => INTERNAL,
            401 => UNAUTHENTICATED,
            403 => PERMISSION_DENIED,
            404 => UNIMPLEMENTED,
            429 | 502 | 503 | 504 => UNAVAILABLE,
            _ => UNKNOWN,
        };
        let message = format!("the service answered with the HTTP status {}", status.as_u16());
        Self { number, message }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.number == 0
    }

    fn name(&self) -> &'static str {
        STATUSES.get(self.number).map_or("unknown", |(name, _)| name)
    }

    fn http(&self) -> StatusCode {
        let status = STATUSES
            .get(self.number)
            .and_then(|(_, http)| StatusCode::from_u16(*http).ok());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The HTTP answer: an RFC 9457 body of the same shape as the gateway's own refusals.
    pub(super) fn respond(&self, request_id: &str) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(request_id)));
        *response.status_mut() = self.http();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.http() {
            StatusCode::UNAUTHORIZED => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S))
            }
            _ => None,
        };
        response
    }

    fn body(&self, request_id: &str) -> String {
        let status = self.http();
        let mut body = String::with_capacity(256);
        Object::open(&mut body)
            .str("type", "about:blank")
            .str("title", status.canonical_reason().unwrap_or(CLIENT_CLOSED))
            .int("status", u64::from(status.as_u16()))
            .str("code", self.name())
            .str("detail", &self.message)
            .str("hint", HINT)
            .str("request_id", request_id)
            .close();
        body
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::*;

    fn status(number: &str, message: &'static str) -> Status {
        let mut fields = HeaderMap::new();
        fields.insert("grpc-status", number.parse().unwrap());
        fields.insert("grpc-message", HeaderValue::from_static(message));
        Status::of(&fields).unwrap()
    }

    #[test]
    fn every_status_has_the_http_status_of_code_proto() {
        let http: Vec<u16> = (0..17)
            .map(|number: u8| status(&number.to_string(), "").http().as_u16())
            .collect();
        let wanted = [
            200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
        ];
        assert_eq!(http, wanted);
    }

    #[test]
    fn a_status_that_does_not_exist_is_unknown_and_none_is_none() {
        for number in ["17", "-1", "99999999999999999999", "x", ""] {
            assert_eq!(status(number, "").name(), "unknown", "{number}");
        }
        assert_eq!(Status::of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_message_is_percent_decoded_and_what_is_no_escape_stays() {
        assert_eq!(
            status("5", "no %C3%B6rder%0A 100% %zz %ff").message,
            "no örder\n 100% %zz \u{fffd}"
        );
    }

    #[test]
    fn what_is_on_the_way_is_told_as_grpc_says() {
        let names: Vec<_> = [400, 401, 403, 404, 429, 502, 503, 504, 500, 302]
            .map(|http| Status::of_http(StatusCode::from_u16(http).unwrap()).name())
            .into();
        let unavailable = ["unavailable"; 4];
        assert_eq!(
            names[..4],
            ["internal", "unauthenticated", "permission_denied", "unimplemented"]
        );
        assert_eq!(names[4..8], unavailable);
        assert_eq!(names[8..], ["unknown", "unknown"]);
    }

    #[tokio::test]
    async fn an_error_is_a_problem_with_the_services_own_text() {
        let response = status("5", "no order %22o9%22").respond("r-1");
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (404, &"application/problem+json".parse().unwrap())
        );
        let body: Value = serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
        let wanted = json!({"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
            "detail": "no order \"o9\"", "hint": HINT, "request_id": "r-1"});
        assert_eq!(body, wanted);
        assert_eq!(status("14", "").respond("r").headers()["retry-after"], "5");
        assert_eq!(status("16", "").respond("r").headers()["www-authenticate"], "Bearer");
    }
}
