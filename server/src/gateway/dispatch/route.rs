//! A route as requests meet it: every name of the file looked up, every text compiled.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::gateway::cache::RouteCache;
use crate::gateway::caller::Caller;
use crate::gateway::cors::Cors;
use crate::gateway::credentials::{ApiKeys, Tokens};
use crate::gateway::file::Service;
use crate::gateway::hub::Hub;
use crate::gateway::quota::Policy;
use crate::gateway::routing::Rewrite;
use crate::gateway::seen::SeenRoute;
use crate::gateway::transform::grpc::Transcoder;
use crate::gateway::transform::headers::HeaderRules;
use crate::gateway::transform::json::BodyRules;
use crate::gateway::upstream::{HashBy, Timeouts, Upstream, hash_key};

use super::sockets::SocketRules;

/// A route.
pub struct Route {
    /// How it is seen: its id, its metrics.
    pub seen: Arc<SeenRoute>,
    /// Where requests go.
    pub target: Target,
    /// The path for the target.
    pub rewriting: Rewriting,
    /// How callers may prove who they are; none lets everybody in.
    pub ways: Vec<Way>,
    /// Roles, one of which a caller needs.
    pub any_role: Vec<String>,
    /// Scopes, all of which a caller needs.
    pub all_scopes: Vec<String>,
    /// Limits.
    pub limits: Vec<Arc<Policy>>,
    /// Which pages may call.
    pub cors: Arc<Cors>,
    /// What the target is not to see of the request's credentials, once they were checked.
    pub spent: Spent,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// Whether encoded request bodies are decoded here.
    pub decompress: bool,
    /// Whether answers are compressed.
    pub compress: bool,
    /// Times that differ from those of the upstream.
    pub timeouts: Timeouts,
    /// What changes on the way in and out.
    pub rules: Rules,
    /// Whether something speaks of the path's parameters.
    pub names_parameters: bool,
    /// The cache of its answers.
    pub cache: Option<Arc<RouteCache>>,
    /// Whether and how WebSockets may be opened.
    pub sockets: Option<SocketRules>,
}

/// Where requests go.
pub enum Target {
    /// To a service of this process.
    Service(Service),
    /// To a service behind.
    Upstream(Arc<Upstream>),
    /// To a service behind that speaks gRPC, as JSON.
    Grpc(Arc<Transcoder>, Arc<Upstream>),
    /// Into a hub of WebSockets.
    Hub(Arc<Hub>),
}

/// How a caller may prove who it is.
#[derive(Clone)]
pub enum Way {
    /// With a token of this issuer.
    Token(Arc<Tokens>),
    /// With an API key.
    Key(Arc<ApiKeys>),
    /// With the session of a login.
    Session,
}

impl Way {
    /// Whether browsers present it by themselves, whatever page has made them send the request.
    #[must_use]
    pub fn is_ambient(&self) -> bool {
        matches!(self, Self::Session)
    }
}

/// The path for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewriting {
    /// As it came.
    None,
    /// From the parts of the template.
    Template(Rewrite),
    /// So many bytes of the prefix are replaced by this, which does not end in a slash.
    Prefix(usize, String),
}

/// Credentials that end at the gateway.
#[derive(Debug, Clone, Default)]
pub struct Spent {
    /// Headers that go.
    pub headers: Vec<HeaderName>,
    /// The cookie that goes; others stay.
    pub cookie: Option<String>,
}

/// What changes on the way in and out.
#[derive(Default)]
pub struct Rules {
    /// The request's headers.
    pub request_headers: HeaderRules,
    /// The answer's headers.
    pub response_headers: HeaderRules,
    /// The request's body.
    pub request_body: Option<BodyRules>,
    /// The answer's body.
    pub response_body: Option<BodyRules>,
}

impl Rules {
    /// The path's parameters that rules speak of.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        let headers = [&self.request_headers, &self.response_headers];
        let bodies = [&self.request_body, &self.response_body].into_iter().flatten();
        let of_headers = headers.into_iter().flat_map(HeaderRules::path_parameters);
        of_headers.chain(bodies.flat_map(BodyRules::path_parameters))
    }
}

impl Rewriting {
    /// The path for the target, from the canonical `path` and what its template has matched.
    #[must_use]
    pub fn path(&self, path: &str, parameters: &matchit::Params<'_, '_>) -> Option<String> {
        match self {
            Self::None => None,
            Self::Template(rewrite) => Some(rewrite.render(|name| parameters.get(name))),
            Self::Prefix(length, with) => {
                let rest = path.get(*length..).unwrap_or_default();
                let joined = format!("{with}{rest}");
                Some(if joined.is_empty() { "/".to_owned() } else { joined })
            }
        }
    }
}

impl Spent {
    /// Takes them from a request.
    pub fn take(&self, headers: &mut HeaderMap) {
        for name in &self.headers {
            headers.remove(name);
        }
        let Some(spent) = &self.cookie else { return };
        let Some(cookies) = headers.remove(http::header::COOKIE) else {
            return;
        };
        let pairs = cookies.to_str().unwrap_or_default().split(';').map(str::trim);
        let is_kept = |pair: &&str| pair.split('=').next() != Some(spent);
        let kept: Vec<_> = pairs.filter(is_kept).collect();
        if let (false, Ok(value)) = (kept.is_empty(), kept.join("; ").try_into()) {
            headers.insert(http::header::COOKIE, value);
        }
    }
}

impl Route {
    /// What the upstream's choice of an endpoint hangs on, where it hangs on something.
    #[must_use]
    pub fn hash(upstream: &Upstream, client: IpAddr, caller: Option<&Caller>, headers: &HeaderMap) -> Option<u64> {
        let user = caller.and_then(|caller| caller.user.as_ref());
        match upstream.hash_by()? {
            HashBy::Ip => Some(hash_key(client.to_string().as_bytes())),
            HashBy::User => user.map(|user| hash_key(user.as_bytes())),
            HashBy::Header(name) => headers.get(name).map(|value| hash_key(value.as_bytes())),
        }
    }

    /// How long its bodies may take to be read whole, where a rule needs that.
    #[must_use]
    pub fn body_deadline(&self, default: Duration) -> Duration {
        self.timeouts.total.map_or(default, |span| span.0)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_prefix_is_replaced_and_the_rest_stays() {
        let mut router = matchit::Router::new();
        router.insert("/{*any}", ()).unwrap();
        let path = |rewriting: &Rewriting, path: &str| {
            let params = router.at("/x").unwrap().params;
            rewriting.path(path, &params)
        };
        let events = Rewriting::Prefix("/api/events".len(), "/events".to_owned());
        assert_eq!(path(&events, "/api/events").unwrap(), "/events");
        assert_eq!(path(&events, "/api/events/1/2").unwrap(), "/events/1/2");
        let root = Rewriting::Prefix("/api".len(), String::new());
        assert_eq!(path(&root, "/api").unwrap(), "/");
        assert_eq!(path(&root, "/api/").unwrap(), "/");
        assert_eq!(path(&root, "/api/a").unwrap(), "/a");
        assert_eq!(path(&Rewriting::None, "/api"), None);
    }

    #[test]
    fn credentials_that_were_checked_end_here_and_other_cookies_go_on() {
        let spent = Spent {
            headers: vec![http::header::AUTHORIZATION],
            cookie: Some("__Host-sid".to_owned()),
        };
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer x"));
        headers.insert("cookie", HeaderValue::from_static("a=1; __Host-sid=secret; b=2"));
        spent.take(&mut headers);
        assert_eq!(headers["cookie"], "a=1; b=2");
        assert_eq!(headers.len(), 1);
    }
}
