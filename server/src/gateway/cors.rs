//! Which web pages may call: the server's side of CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! Most calls come from apps and servers, which send no `Origin`: their answers carry none of this.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use super::units::Span;

const ANY: HeaderValue = HeaderValue::from_static("*");
const ORIGIN: HeaderValue = HeaderValue::from_static("origin");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// `cors` of the gateway's file, for all routes or for one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// Origins whose pages may call, `https://app.example`, or `*` for all.
    pub origins: Vec<String>,
    /// Methods that pages may use.
    pub methods: Vec<String>,
    /// Headers that pages may send; empty means whatever they ask for.
    pub headers: Vec<String>,
    /// Headers of answers that pages may read.
    pub expose: Vec<String>,
    /// Whether pages may send cookies; not together with `*`.
    pub credentials: bool,
    /// How long a browser may keep the answer to a preflight.
    pub max_age: Span,
}

impl Default for CorsConfig {
    fn default() -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            origins: Vec::new(),
            methods: owned(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
            headers: Vec::new(),
            expose: owned(&["x-request-id", "retry-after", "ratelimit", "ratelimit-policy"]),
            credentials: false,
            max_age: Span::seconds(86_400),
        }
    }
}

impl CorsConfig {
    /// That of Trailmark's own routes. Keys, not cookies, authorise there, so any origin may be let in.
    #[must_use]
    pub fn own(origins: &[String]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            origins: origins.to_vec(),
            methods: owned(&["GET", "POST", "PATCH", "DELETE"]),
            expose: owned(&["x-request-id", "retry-after"]),
            ..Self::default()
        }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.credentials && self.origins.iter().any(|origin| origin == "*") {
            problems.push("credentials: cookies of every page of the web are no idea; name the origins".to_owned());
        }
        for origin in self.origins.iter().filter(|origin| !is_origin(origin)) {
            problems.push(format!(
                "origins: \"{origin}\" is no origin such as https://app.example"
            ));
        }
        for method in self
            .methods
            .iter()
            .filter(|method| Method::from_bytes(method.as_bytes()).is_err())
        {
            problems.push(format!("methods: \"{method}\" is no method"));
        }
        for name in self.headers.iter().chain(&self.expose) {
            if http::HeaderName::try_from(name).is_err() {
                problems.push(format!("headers: \"{name}\" is no header"));
            }
        }
        problems
    }
}

fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, host)| host);
    text == "*" || text == "null" || host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
}

/// Lets pages in, or not.
#[derive(Debug, Clone)]
pub struct Cors {
    any: bool,
    origins: Vec<HeaderValue>,
    methods: HeaderValue,
    headers: Option<HeaderValue>,
    exposed: HeaderValue,
    credentials: bool,
    max_age_s: HeaderValue,
}

impl Cors {
    /// As configured; `*` among the origins means every one.
    #[must_use]
    pub fn new(config: &CorsConfig) -> Self {
        let list = |texts: &[String]| HeaderValue::try_from(texts.join(",")).unwrap_or(HeaderValue::from_static(""));
        Self {
            any: config.origins.iter().any(|origin| origin == "*"),
            origins: config
                .origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
            methods: list(&config.methods),
            headers: (!config.headers.is_empty()).then(|| list(&config.headers)),
            exposed: list(&config.expose),
            credentials: config.credentials,
            max_age_s: HeaderValue::from(config.max_age.0.as_secs()),
        }
    }

    /// The answer to a preflight, or any `OPTIONS`: which methods and headers a page of this origin may send.
    #[must_use]
    pub fn preflight(&self, request: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        self.allow(request.get(header::ORIGIN), headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age_s.clone());
        let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(allowed) = self.headers.as_ref().or(asked) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed.clone());
        }
        response
    }

    /// Lets the page at `origin` read an answer.
    pub fn share(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        self.allow(origin, headers);
        if origin.is_some() {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
        }
    }

    /// Whether a page of `origin` may call.
    #[must_use]
    pub fn admits(&self, origin: &HeaderValue) -> bool {
        self.any || self.origins.contains(origin)
    }

    fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let allowed = match self.any {
            true => origin.map(|_| ANY),
            false if self.origins.is_empty() => None,
            false => {
                // Caches must keep the answers to different origins apart, and those to none.
                headers.append(header::VARY, ORIGIN);
                origin.filter(|origin| self.origins.contains(origin)).cloned()
            }
        };
        let Some(allowed) = allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: HeaderValue = HeaderValue::from_static("https://app.example");

    fn cors(origins: &[&str]) -> Cors {
        let origins: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Cors::new(&CorsConfig::own(&origins))
    }

    fn shared(cors: &Cors, origin: Option<&HeaderValue>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        cors.share(origin, &mut headers);
        headers
    }

    #[test]
    fn pages_of_any_origin_may_read_and_others_are_not_bothered() {
        let any = cors(&["https://other.example", "*"]);
        let headers = shared(&any, Some(&PAGE));
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(
            headers[header::ACCESS_CONTROL_EXPOSE_HEADERS],
            "x-request-id,retry-after"
        );
        assert!(shared(&any, None).is_empty());
    }

    #[test]
    fn a_list_lets_in_only_its_own_and_tells_caches_so() {
        let listed = cors(&["https://app.example"]);
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
        let answer = cors(&["*"]).preflight(&request);
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "a,b");
        assert_eq!(
            answer.headers()[header::ACCESS_CONTROL_ALLOW_METHODS],
            "GET,POST,PATCH,DELETE"
        );
        assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn cookies_are_shared_with_named_origins_only() {
        let config = CorsConfig {
            origins: vec!["https://app.example".to_owned()],
            credentials: true,
            ..CorsConfig::default()
        };
        assert_eq!(config.problems(), Vec::<String>::new());
        assert_eq!(
            shared(&Cors::new(&config), Some(&PAGE))[header::ACCESS_CONTROL_ALLOW_CREDENTIALS],
            "true"
        );
        let any = CorsConfig {
            origins: vec!["*".to_owned()],
            ..config
        };
        assert!(any.problems()[0].starts_with("credentials"), "{:?}", any.problems());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for origin in ["app.example", "https://app.example/", "https://", ""] {
            let config = CorsConfig {
                origins: vec![origin.to_owned()],
                ..CorsConfig::default()
            };
            assert!(!config.problems().is_empty(), "{origin}");
        }
    }
}
