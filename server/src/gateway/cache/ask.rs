//! What a request means to the cache: to be answered from it, to change what it holds, or none of its business.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, header};

use super::conditional;
use super::directives::Wants;
use super::entry::Variant;
use super::freshness::Rules;
use super::key::{Origin, Resource};
use super::served::Why;
use super::settings::RouteCache;

/// Conditions, parts and other uses of GET that only the origin understands.
const NOT_OURS: [HeaderName; 5] = [
    header::RANGE,
    header::IF_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::UPGRADE,
];

/// Headers that some frameworks build links or choose the page by, and that are no part of the key. Whoever sends one
/// could have its effect stored for all others, so they do not reach the upstream of a route with a cache, unless the route
/// keys on them (`vary`). `X-Forwarded-Host` and `-Proto` stay where they say what the key says.
const UNKEYED: [&str; 17] = [
    "forwarded",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-url-scheme",
];

const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// A request to be answered from the cache if possible.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) route: Arc<RouteCache>,
    pub(super) resource: Resource,
    pub(super) wants: Wants,
    /// Whether it came with credentials: of the gateway, of HTTP, or a cookie, which may be the upstream's session.
    pub(super) credentials: bool,
    parts: Parts,
}

/// What a request means to the cache.
pub(super) enum Meaning {
    Ask(Ask),
    Change(Request<Body>),
    Pass(Request<Body>, Why),
}

impl Meaning {
    pub(super) fn of(route: &Arc<RouteCache>, origin: Origin<'_>, credentials: bool, request: Request<Body>) -> Self {
        match *request.method() {
            Method::GET | Method::HEAD if is_foreign(&request) => Self::Pass(request, Why::Bypass),
            Method::GET | Method::HEAD => Self::read(route, origin, credentials, request),
            Method::OPTIONS | Method::TRACE | Method::CONNECT => Self::Pass(request, Why::Method),
            _ => Self::Change(request),
        }
    }

    fn read(route: &Arc<RouteCache>, origin: Origin<'_>, credentials: bool, request: Request<Body>) -> Self {
        let wants = Wants::of(request.headers());
        if wants.no_store {
            return Self::Pass(request, Why::Request);
        }
        let mut parts = request.into_parts().0;
        let resource = Resource::new(&route.scope, origin, &parts.uri);
        let credentials = credentials || CREDENTIALS.iter().any(|name| parts.headers.contains_key(name));
        drop_unkeyed(route, &resource, &mut parts.headers);
        let route = Arc::clone(route);
        Self::Ask(Ask {
            route,
            resource,
            wants,
            credentials,
            parts,
        })
    }
}

/// Headers with which a caller says who it is.
pub(super) const CREDENTIALS: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-api-key"),
];

/// A body on a GET is no part of the key either, and some upstreams read it.
fn is_foreign(request: &Request<Body>) -> bool {
    !request.body().is_end_stream() || NOT_OURS.iter().any(|name| request.headers().contains_key(name))
}

fn drop_unkeyed(route: &RouteCache, resource: &Resource, headers: &mut HeaderMap) {
    let keyed = |name: &str| route.vary.iter().any(|keyed| keyed == name);
    for name in UNKEYED.into_iter().filter(|name| !keyed(name)) {
        headers.remove(name);
    }
    keep_if(headers, FORWARDED_HOST, |text| {
        keyed(FORWARDED_HOST) || resource.is_host(text)
    });
    keep_if(headers, FORWARDED_PROTO, |text| {
        keyed(FORWARDED_PROTO) || resource.is_scheme(text)
    });
}

fn keep_if(headers: &mut HeaderMap, name: &str, fits: impl Fn(&str) -> bool) {
    if !headers
        .get_all(name)
        .iter()
        .all(|value| value.to_str().is_ok_and(&fits))
    {
        headers.remove(name);
    }
}

impl Ask {
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(super) fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            while_revalidate: self.route.while_revalidate,
            if_error: self.route.if_error,
        }
    }

    /// The same request for the upstream, as it is.
    pub(super) fn as_it_is(&self) -> Request<Body> {
        Request::from_parts(self.parts.clone(), Body::empty())
    }

    /// A GET of the whole answer, whatever the caller has of it.
    pub(super) fn for_all_of_it(&self) -> Request<Body> {
        let mut request = self.as_it_is();
        *request.method_mut() = Method::GET;
        conditional::forget(request.headers_mut());
        request
    }

    /// A GET that asks whether `stored` still holds; of the whole answer if that cannot be asked.
    pub(super) fn about(&self, stored: &Variant) -> Request<Body> {
        let mut request = self.for_all_of_it();
        conditional::ask_about(stored.headers(), request.headers_mut());
        request
    }
}
