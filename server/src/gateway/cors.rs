//! Which web pages may call: the server's side of CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! Keys, not cookies, authorise: credentials are never allowed, so any origin may be. Most events come from apps and
//! servers, which send no `Origin`: their answers carry none of this.

use http::{HeaderMap, HeaderValue, header};

use axum::response::{IntoResponse, Response};

/// The methods that routes take.
const METHODS: HeaderValue = HeaderValue::from_static("GET,POST,PATCH,DELETE");

/// How long a browser may keep the answer to a preflight: a day, in seconds.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("86400");

/// What a page may read of an answer beside its body.
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id,retry-after");

const ANY: HeaderValue = HeaderValue::from_static("*");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");

/// The origins whose pages may call.
#[derive(Debug)]
pub enum Cors {
    /// Every one.
    Any,
    /// Only these.
    These(Vec<HeaderValue>),
}

impl Cors {
    /// As configured; `*` among them means every origin.
    #[must_use]
    pub fn new(origins: &[String]) -> Self {
        if origins.iter().any(|origin| origin == "*") {
            return Self::Any;
        }
        let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        Self::These(origins.collect())
    }

    /// The answer to any `OPTIONS`: which methods and headers a page of this origin may send.
    #[must_use]
    pub fn preflight(&self, request: &HeaderMap) -> Response {
        let mut response = ().into_response();
        let headers = response.headers_mut();
        self.allow(request.get(header::ORIGIN), headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
        response
    }

    /// Lets the page at `origin` read an answer.
    pub fn share(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        self.allow(origin, headers);
        if origin.is_some() {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let allowed = match self {
            Self::Any => origin.map(|_| ANY),
            Self::These(origins) => {
                // Caches must keep the answers to different origins apart, and those to none.
                headers.append(header::VARY, ORIGIN);
                origin.filter(|origin| origins.contains(origin)).cloned()
            }
        };
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: HeaderValue = HeaderValue::from_static("https://app.example");

    fn shared(cors: &Cors, origin: Option<&HeaderValue>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        cors.share(origin, &mut headers);
        headers
    }

    #[test]
    fn pages_of_any_origin_may_read_and_others_are_not_bothered() {
        let any = Cors::new(&["https://other.example".to_owned(), "*".to_owned()]);
        let headers = shared(&any, Some(&PAGE));
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
        assert!(shared(&any, None).is_empty());
    }

    #[test]
    fn a_list_lets_in_only_its_own_and_tells_caches_so() {
        let listed = Cors::new(&["https://app.example".to_owned()]);
        assert_eq!(shared(&listed, Some(&PAGE))[header::ACCESS_CONTROL_ALLOW_ORIGIN], PAGE);
        let stranger = shared(&listed, Some(&HeaderValue::from_static("https://evil.example")));
        assert!(!stranger.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(stranger[header::VARY], ORIGIN);
        assert_eq!(shared(&listed, None)[header::VARY], ORIGIN);
    }

    #[test]
    fn a_preflight_is_told_that_the_headers_it_asked_for_may_be_sent() {
        let mut request = HeaderMap::from_iter([(header::ORIGIN, PAGE)]);
        request.insert(header::ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("a,b"));
        let answer = Cors::Any.preflight(&request);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "a,b");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], METHODS);
        assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
}
