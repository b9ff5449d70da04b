//! One request, from the route it has met to the answer that leaves.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use trailmark_protocol::Timestamp;

use super::admit::{Standings, authenticate, permit};
use super::forward::Forward;
use super::route::Route;
use super::services::Services;
use super::snapshot::Snapshot;
use super::sockets::is_handshake;
use crate::app::App;
use crate::gateway::caller::Caller;
use crate::gateway::client_body::{Patience, limit};
use crate::gateway::compress::compress;
use crate::gateway::decompress::decompress;
use crate::gateway::edge::{Scheme, whole};
use crate::gateway::headers::{Assertion, strip};
use crate::gateway::problem::{Code, Problem};
use crate::gateway::reading::Reading;
use crate::gateway::request_id::X_REQUEST_ID;
use crate::gateway::seen::metrics::auth_failure;
use crate::gateway::seen::{Seen, Traceparent};
use crate::gateway::transform::Scope;

/// What is known of a request when it comes in.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub request_id: HeaderValue,
    /// Its client, as far as proxies are trusted.
    pub client: IpAddr,
    /// How the client spoke to us, or to a trusted proxy.
    pub scheme: Scheme,
    /// When it came.
    pub now: Timestamp,
    /// Its place in a trace.
    pub trace: Traceparent,
}

/// Everything that a request meets.
pub struct Visit<'a> {
    /// The server.
    pub app: &'a Arc<App>,
    /// Its services.
    pub services: &'a Services,
    /// The file.
    pub snapshot: &'a Arc<Snapshot>,
    /// The route.
    pub route: &'a Arc<Route>,
    /// What the path's template has matched.
    pub parameters: matchit::Params<'a, 'a>,
    /// How the request is read.
    pub reading: &'a Reading,
    /// What is known of it.
    pub entry: &'a Entry,
}

impl Visit<'_> {
    /// The answer, as it leaves.
    pub async fn answer(&self, mut request: Request<Body>, mut seen: Seen) -> Response {
        seen.route(&self.route.seen);
        let headers = request.headers();
        let (asked, origin) = (accepts(headers), headers.get(header::ORIGIN).cloned());
        let method = request.method().clone();
        let mut standings = Standings::default();
        let admitted = async {
            let admitted = self.admitted(&mut standings, &mut request, &mut seen).await;
            admitted.unwrap_or_else(IntoResponse::into_response)
        };
        let mut response = whole(admitted).await;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            seen.refused(problem.code());
            response = problem.render(self.entry.request_id.to_str().unwrap_or_default());
        }
        let headers = response.headers_mut();
        headers.insert(X_REQUEST_ID, self.entry.request_id.clone());
        self.route.cors.share(origin.as_ref(), headers);
        if let Some(fields) = standings.0 {
            fields.write(headers, self.snapshot.file.legacy_limit_headers);
        }
        for (name, value) in &self.snapshot.answer_headers {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        if self.route.compress && method != Method::HEAD {
            response = compress(&asked, response);
        }
        seen.answer(response)
    }

    async fn admitted<'s>(
        &'s self,
        standings: &mut Standings<'s>,
        request: &mut Request<Body>,
        seen: &mut Seen,
    ) -> Result<Response, Problem> {
        let (route, entry) = (&**self.route, self.entry);
        standings.of_strangers(route, entry.client)?;
        let (headers, method) = (request.headers(), request.method());
        let caller = authenticate(self.app, route, headers, method, entry.now).await;
        let caller = caller.inspect_err(count_failure)?;
        if let Some(caller) = &caller {
            seen.caller(caller);
            permit(route, caller)?;
            standings.of_caller(route, caller)?;
        }
        self.bound(request, seen)?;
        let upgrade = self.rewrite(request, caller.as_deref())?;
        self.forwarded(request, caller.as_deref(), upgrade, seen).await
    }

    /// Keeps the request's body within the route's bounds, and decodes it if the route says so.
    fn bound(&self, request: &mut Request<Body>, seen: &mut Seen) -> Result<(), Problem> {
        let total = self.app.config.http.body_timeout();
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let patience = match (is_stream, &self.route.timeouts.idle_body) {
            (_, Some(idle)) => Patience::Idle(idle.0),
            (true, None) => Patience::Idle(total),
            (false, None) => Patience::Total(total),
        };
        let most = self.route.max_body as u64;
        let body = seen.count_in(std::mem::take(request.body_mut()));
        *request.body_mut() = limit(body, patience, most).map_err(|error| error.problem())?;
        if self.route.decompress {
            *request = decompress(std::mem::take(request), most)?;
        }
        Ok(())
    }

    /// Makes of the head what the target gets, but for rules that speak of the request; gives what it wants to upgrade to.
    fn rewrite(&self, request: &mut Request<Body>, caller: Option<&Caller>) -> Result<Option<HeaderValue>, Problem> {
        let upgrade = match is_handshake(request.headers()) {
            true => request.headers().get(header::UPGRADE).cloned(),
            false => None,
        };
        let path = self.route.rewriting.path(self.reading.path(), &self.parameters);
        *request.uri_mut() = target(request.uri(), path.as_deref().unwrap_or(self.reading.path()))?;
        if caller.is_some() {
            self.route.spent.take(request.headers_mut());
        }
        strip::request(request.headers_mut());
        self.assert(request, caller);
        Ok(upgrade)
    }

    async fn forwarded(
        &self,
        request: &mut Request<Body>,
        caller: Option<&Caller>,
        upgrade: Option<HeaderValue>,
        seen: &mut Seen,
    ) -> Result<Response, Problem> {
        let decoded = self.decoded_parameters();
        let borrowed: Vec<_> = decoded.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let scope = self.scope(caller, &borrowed);
        self.route.rules.request_headers.apply(request.headers_mut(), &scope);
        let forward = Forward {
            visit: self,
            caller,
            scope,
        };
        forward.answer(request, upgrade, seen).await
    }

    fn assert(&self, request: &mut Request<Body>, caller: Option<&Caller>) {
        let entry = self.entry;
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers_mut();
        let assertion = Assertion {
            request_id: &entry.request_id,
            client: entry.client,
            scheme: entry.scheme.as_str(),
            host: self.reading.authority(),
            caller,
            now: entry.now,
        };
        assertion.write(headers, &method, uri.path(), self.snapshot.signer.as_ref());
        entry.trace.pass_on(headers);
    }

    fn scope<'s>(&'s self, caller: Option<&'s Caller>, path: &'s [(&'s str, &'s str)]) -> Scope<'s> {
        Scope {
            caller,
            request_id: self.entry.request_id.to_str().unwrap_or_default(),
            client_ip: self.entry.client,
            path,
            route: &self.route.seen.id,
        }
    }

    /// The path's parameters for rules, where there are rules that speak of them.
    fn decoded_parameters(&self) -> Vec<(&str, String)> {
        if !self.route.names_parameters {
            return Vec::new();
        }
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        self.parameters
            .iter()
            .map(|(name, value)| (name, decoded(value)))
            .collect()
    }
}

/// Tokens and keys count theirs by what is wrong with them.
fn count_failure(problem: &Problem) {
    let code = problem.code();
    if matches!(code, Code::MissingCredentials | Code::InvalidSession | Code::CsrfFailed) {
        auth_failure(code.as_str());
    }
}

/// What compression needs of a request's headers.
fn accepts(headers: &HeaderMap) -> HeaderMap {
    let asked = headers.get(header::ACCEPT_ENCODING).cloned();
    asked
        .map(|value| (header::ACCEPT_ENCODING, value))
        .into_iter()
        .collect()
}

/// `path` with the query of `uri`, in origin form.
fn target(uri: &Uri, path: &str) -> Result<Uri, Problem> {
    let known = uri.path_and_query().filter(|known| known.path() == path);
    let made = match (known, uri.query()) {
        (Some(same), _) => Ok(same.clone()),
        (None, Some(query)) => PathAndQuery::try_from(format!("{path}?{query}")),
        (None, None) => PathAndQuery::try_from(path),
    };
    made.map(Uri::from)
        .map_err(|error| Problem::new(Code::MalformedRequest, error.to_string()))
}
