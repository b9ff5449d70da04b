//! Refusals of whole requests: RFC 9457 problem bodies with a stable `code`, what is wrong, what to do, the request id.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use trailmark_protocol::json::Object;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident $text:literal $hint:literal,)*) => {
        /// Why a request was refused as a whole. The text form is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable snake_case text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status it is sent with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// What the caller can do about it.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    InvalidJson = BAD_REQUEST "invalid_json" "Send UTF-8 JSON; `detail` names the place.",
    /// The body is JSON, but no batch.
    InvalidBatch = BAD_REQUEST "invalid_batch" "Send {\"batch\":[event, …]}.",
    /// The body does not decompress.
    InvalidEncoding = BAD_REQUEST "invalid_encoding" "The body must be complete and match its Content-Encoding.",
    /// The body stopped arriving, or its framing is broken.
    InvalidBody = BAD_REQUEST "invalid_body" "Send the whole body that the headers announce.",
    /// A query parameter makes no sense.
    InvalidParameter = BAD_REQUEST "invalid_parameter" "See the parameter named in `detail`.",
    /// No key at all.
    MissingKey = UNAUTHORIZED "missing_key" "Send `Authorization: Bearer tm_…`, `api_key` in the body, or `?key=`.",
    /// No such key, or it was revoked.
    UnknownKey = UNAUTHORIZED "unknown_key" "Check the key, or make one: trailmark key create.",
    /// A write key where a secret one is needed, or the other way round.
    WrongKeyKind = FORBIDDEN "wrong_key_kind" "Events take a write key (tm_pk_…), reads a secret key (tm_sk_…).",
    /// No such path, or nothing there.
    NotFound = NOT_FOUND "not_found" "Check the path.",
    /// The web SDK was not built before this server was.
    SdkNotBuilt = NOT_FOUND "sdk_not_built" "Run `make wasm`, then build the server.",
    /// The path exists with another method.
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed" "See the Allow header.",
    /// Something else is made of what was to be deleted.
    InUse = CONFLICT "in_use" "Change or delete first what `detail` names.",
    /// The only owner who can log in would be one no more.
    LastOwner = CONFLICT "last_owner" "Make somebody else an owner first.",
    /// The body did not arrive in time.
    BodyTimeout = REQUEST_TIMEOUT "body_timeout" "Send the body faster, or a smaller one.",
    /// The body is over the limit, as sent or decompressed.
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large" "Halve the batch and send both halves.",
    /// More events than a batch may hold.
    TooManyEvents = PAYLOAD_TOO_LARGE "too_many_events" "Halve the batch and send both halves.",
    /// A Content-Encoding that is not spoken here.
    UnsupportedEncoding = UNSUPPORTED_MEDIA_TYPE "unsupported_encoding" "Use gzip, zstd, br, deflate or none, one at a time.",
    /// This client's own quota is used up.
    RateLimited = TOO_MANY_REQUESTS "rate_limited" "Wait as long as Retry-After says; send larger batches less often.",
    /// The project reads too much at once.
    TooManyReads = TOO_MANY_REQUESTS "too_many_reads" "Wait for the answers to your other reads; ask for less at once.",
    /// The project has too many live streams.
    TooManyListeners = TOO_MANY_REQUESTS "too_many_listeners" "Close a live stream that nobody looks at.",
    /// The journal is at its disk bound.
    JournalFull = SERVICE_UNAVAILABLE "journal_full" "Keep the events and send them later; the operator should look at Postgres.",
    /// The journal has failed, or the server is stopping.
    JournalUnavailable = SERVICE_UNAVAILABLE "journal_unavailable" "Keep the events and send them later.",
    /// Too much is being read at once.
    Overloaded = SERVICE_UNAVAILABLE "overloaded" "Keep the events and send them later.",
    /// Whether the key is good cannot be said while the database is away.
    KeyringUnavailable = SERVICE_UNAVAILABLE "keyring_unavailable" "Send again later; known keys keep working.",
    /// The database does not answer.
    DatabaseUnavailable = SERVICE_UNAVAILABLE "database_unavailable" "Ask again later; events are still accepted.",
    /// The answer took longer than a read may, or waited too long for its turn.
    QueryTimeout = SERVICE_UNAVAILABLE "query_timeout" "Ask for less: a shorter time range, one event, one person.",
    /// The server has no place for another live stream, or is stopping.
    LiveUnavailable = SERVICE_UNAVAILABLE "live_unavailable" "Listen again later; GET /api/analytics/events has the stored events.",
    /// The request line, its Host or its path cannot be meant seriously: what a proxy and its upstream may read differently.
    MalformedRequest = BAD_REQUEST "malformed_request" "Send one valid Host and a path without encoded slashes, dots or control characters.",
    /// No credentials of a kind that the route takes.
    MissingCredentials = UNAUTHORIZED "missing_credentials" "Send a bearer token, an API key or a session, as `detail` says.",
    /// A token that is forged, expired or meant for somebody else.
    InvalidToken = UNAUTHORIZED "invalid_token" "Log in again, or refresh the token.",
    /// A session that has ended, or never began.
    InvalidSession = UNAUTHORIZED "invalid_session" "Log in again.",
    /// Name and password do not belong together.
    InvalidCredentials = UNAUTHORIZED "invalid_credentials" "Check the e-mail address and the password.",
    /// A link that was used, has expired, or never was one.
    InvalidInvitation = UNAUTHORIZED "invalid_invitation" "Ask for a new link: each works once, and not for long.",
    /// Known, but without the role or the scope.
    NotPermitted = FORBIDDEN "not_permitted" "Ask for the role or scope that `detail` names.",
    /// A session came without the proof that its own page sent the request.
    CsrfFailed = FORBIDDEN "csrf_failed" "Send the token of the login in `X-Csrf-Token`, from an allowed origin.",
    /// A WebSocket or a page of an origin that may not.
    OriginRefused = FORBIDDEN "origin_refused" "Open it from an origin that the route allows.",
    /// Too many failed logins.
    LockedOut = TOO_MANY_REQUESTS "locked_out" "Wait as long as Retry-After says; an administrator can unlock.",
    /// The user has too many sockets.
    TooManySockets = TOO_MANY_REQUESTS "too_many_sockets" "Close a socket that nobody needs.",
    /// A method that a gateway must not follow.
    MethodNotSupported = NOT_IMPLEMENTED "method_not_supported" "CONNECT is not served.",
    /// The upstream could not be reached, or did not speak HTTP.
    BadGateway = BAD_GATEWAY "bad_gateway" "Try again; the operator should look at the service that `detail` names.",
    /// No instance of the upstream is fit to answer.
    UpstreamUnavailable = SERVICE_UNAVAILABLE "upstream_unavailable" "Try again later; the operator should look at the service that `detail` names.",
    /// The upstream did not answer in time.
    GatewayTimeout = GATEWAY_TIMEOUT "gateway_timeout" "Try again, if that is safe: the request may have been carried out.",
    /// The request has come through here before.
    LoopDetected = LOOP_DETECTED "loop_detected" "The operator should look at where the route leads.",
    /// The gateway is stopping.
    Draining = SERVICE_UNAVAILABLE "draining" "Connect again: another instance answers.",
    /// A bug of ours.
    Internal = INTERNAL_SERVER_ERROR "internal" "Report it with the request id.",
}

impl Code {
    /// What `WWW-Authenticate` says. A token that was shown and is not good gets the error code (RFC 6750 §3.1); who showed
    /// none gets none.
    const fn challenge(self) -> Option<&'static str> {
        match (self, self.status()) {
            (Self::InvalidToken, _) => Some("Bearer error=\"invalid_token\""),
            (_, StatusCode::UNAUTHORIZED) => Some("Bearer"),
            _ => None,
        }
    }
}

/// Seconds after which a refused client may try again, where the refusal itself does not know better.
const RETRY_AFTER_S: u64 = 5;

/// A refusal. As a response it is bare; the edge, which knows the request id, writes the body.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    retry_after_s: Option<u64>,
}

impl Problem {
    /// A refusal with what exactly is wrong, for a person to read.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after_s = (code.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_S);
        Self {
            code,
            detail: detail.into(),
            retry_after_s,
        }
    }

    /// The same refusal, to be retried after `seconds`, at least one.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after_s: Some(seconds.max(1)),
            ..self
        }
    }

    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What exactly is wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The finished response.
    #[must_use]
    pub fn render(&self, request_id: &str) -> Response {
        let status = self.code.status();
        let mut body = String::with_capacity(256);
        Object::open(&mut body)
            .str("type", "about:blank")
            .str("title", status.canonical_reason().unwrap_or_default())
            .int("status", u64::from(status.as_u16()))
            .str("code", self.code.as_str())
            .str("detail", &self.detail)
            .str("hint", self.code.hint())
            .str("request_id", request_id)
            .close();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        // What is refused now may be there in a second: after an upgrade, say.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.code.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_snake_case() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(
            texts
                .iter()
                .all(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }

    #[test]
    fn a_401_says_how_to_authenticate_and_whether_a_token_was_bad() {
        let challenge = |code| {
            let response = Problem::new(code, "x").render("r");
            response.headers().get(header::WWW_AUTHENTICATE).cloned()
        };
        assert_eq!(challenge(Code::MissingCredentials).unwrap(), "Bearer");
        assert_eq!(challenge(Code::InvalidToken).unwrap(), "Bearer error=\"invalid_token\"");
        assert_eq!(challenge(Code::NotPermitted), None);
    }

    #[test]
    fn every_503_says_when_to_come_back() {
        for code in Code::ALL
            .iter()
            .filter(|code| code.status() == StatusCode::SERVICE_UNAVAILABLE)
        {
            assert!(
                Problem::new(*code, "x")
                    .render("r")
                    .headers()
                    .contains_key(header::RETRY_AFTER)
            );
        }
    }
}
