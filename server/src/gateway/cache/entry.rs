//! What is stored of one resource: a few answers, selected by request headers, and what may be stored at all.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use trailmark_protocol::Timestamp;

use super::ask::{Ask, CREDENTIALS};
use super::conditional;
use super::directives::{Says, listed};
use super::freshness::{Fit, Freshness};
use super::key::{self, Selector};
use super::lifetime::{self, Times};
use super::served::Served;
use super::settings::MAX_VARIANTS;

/// Headers of one connection or one caller, which are not stored (RFC 9111 §3.1).
const NOT_STORED: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What `default_ttl` is for: answers that hold, not refusals.
const BY_DEFAULT: [StatusCode; 4] = [
    StatusCode::OK,
    StatusCode::NON_AUTHORITATIVE_INFORMATION,
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::PERMANENT_REDIRECT,
];

/// How long a resource whose answer could not be stored is fetched without waiting for others who fetch it, who would wait
/// for nothing.
const PASS_FOR: Duration = Duration::from_secs(60);

/// What a stored answer, or an entry, takes beside its texts and bytes: the struct, reference counts, the places in the
/// store's own tables. An estimate.
const OVERHEAD: usize = 512;

/// A header in its map: its place, hash and links. An estimate.
const HEADER_OVERHEAD: usize = 96;

/// An answer that may be stored, once its body is there.
#[derive(Debug)]
pub(super) struct Storable {
    selector: Selector,
    status: StatusCode,
    headers: HeaderMap,
    freshness: Freshness,
    for_all: bool,
}

/// A stored answer.
#[derive(Debug)]
pub(super) struct Variant {
    storable: Storable,
    body: Bytes,
}

impl Storable {
    /// Whether and how an answer may be stored (RFC 9111 §3), received for `ask`.
    ///
    /// Stricter than it has to be where a mistake would show one caller's answer to another: an answer with `Set-Cookie` is
    /// never stored. RFC 9111 §7.3 allows it, Varnish and nginx do not do it, others store it without the cookie; but who
    /// sets a cookie has somebody in mind. And a request with a cookie counts as one with credentials, like one with
    /// `Authorization`.
    pub(super) fn judge(ask: &Ask, status: StatusCode, headers: &HeaderMap, times: Times) -> Option<Self> {
        let says = Says::of(headers);
        if headers.contains_key(header::SET_COOKIE) || (ask.credentials && !says.is_for_all()) {
            return None;
        }
        let selector = selector(ask, headers)?;
        let lifetime = lifetime(ask, &says, status, headers, times)?;
        let freshness = Freshness::new(&says, headers, lifetime, times);
        let of_use = freshness.is_fresh(times.received_at) || conditional::has_validator(headers);
        of_use.then(|| Self {
            selector,
            status,
            headers: stored_headers(headers, times.received_at),
            freshness,
            for_all: says.is_for_all(),
        })
    }

    pub(super) fn with(self, body: Bytes) -> Variant {
        Variant { storable: self, body }
    }

    /// Whether others may be given it without asking the upstream.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.freshness.is_fresh(now)
    }
}

/// The selecting headers are those that the route and the answer name. None, if the answer was made for credentials that
/// are not in the request: the gateway took them out, and one caller cannot be told from another by them.
fn selector(ask: &Ask, headers: &HeaderMap) -> Option<Selector> {
    let named = key::vary(headers)?;
    let lost = |name: &HeaderName| CREDENTIALS.contains(name) && !ask.headers().contains_key(name);
    if ask.credentials && named.iter().any(lost) {
        return None;
    }
    Some(Selector::new(named.iter().chain(&ask.route.vary), ask.headers()))
}

/// An answer that says nothing about its freshness is stored for the route's `default_ttl`, or not at all.
fn lifetime(ask: &Ask, says: &Says, status: StatusCode, headers: &HeaderMap, times: Times) -> Option<Duration> {
    let lifetime = lifetime::lifetime(says, status, headers, times.received_at)?;
    if lifetime::is_explicit(says, headers) {
        return Some(lifetime);
    }
    ask.route.default_ttl.filter(|_| BY_DEFAULT.contains(&status))
}

/// Copies, because a header's value may be a slice of the whole buffer it was read from. Without an answer's `Date` there
/// is no telling its age later on (RFC 9110 §6.6.1).
fn stored_headers(headers: &HeaderMap, received_at: Timestamp) -> HeaderMap {
    let nominated: Vec<_> = listed(headers, &header::CONNECTION)
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let kept = |name: &HeaderName| {
        !NOT_STORED.contains(name) && *name != header::AGE && !nominated.iter().any(|other| other == name.as_str())
    };
    let copied = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
    let mut stored = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| kept(name)) {
        if let Some(value) = copied(value) {
            stored.append(name, value);
        }
    }
    if let (false, Some(date)) = (stored.contains_key(header::DATE), lifetime::date(received_at)) {
        stored.insert(header::DATE, date);
    }
    stored
}

impl Variant {
    /// The answer that a 304 made of `stale`, with the headers it has now, for the one who asked alone: it may not be
    /// stored any more.
    pub(super) fn for_one(stale: &Self, headers: &HeaderMap, times: Times) -> Self {
        let storable = Storable {
            selector: stale.storable.selector.clone(),
            status: stale.storable.status,
            headers: stored_headers(headers, times.received_at),
            freshness: Freshness::new(&Says::of(headers), headers, Duration::ZERO, times),
            for_all: false,
        };
        storable.with(stale.body.clone())
    }

    pub(super) fn status(&self) -> StatusCode {
        self.storable.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.storable.headers
    }

    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Whether this is an answer to `ask`: its selecting headers match, all that the route keys on are among them, and a
    /// caller with credentials is given only what is meant for all.
    pub(super) fn answers(&self, ask: &Ask) -> bool {
        let storable = &self.storable;
        let keyed = |name: &HeaderName| storable.selector.names().any(|other| other == name);
        (storable.for_all || !ask.credentials)
            && ask.route.vary.iter().all(keyed)
            && storable.selector.matches(ask.headers())
    }

    pub(super) fn fit(&self, ask: &Ask, now: Timestamp) -> Fit {
        self.storable.freshness.fit(&ask.wants, ask.rules(), now)
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.storable.is_fresh(now)
    }

    pub(super) fn may_replace_error(&self, ask: &Ask, now: Timestamp) -> bool {
        self.storable.freshness.may_replace_error(&ask.wants, ask.rules(), now)
    }

    /// Given from the store.
    pub(super) fn hit(&self, now: Timestamp) -> Served {
        Served::Hit {
            ttl: self.storable.freshness.ttl(now),
        }
    }

    /// The response to `ask`: whole, without its body for HEAD, or 304 for who has it (RFC 9111 §4.3.2).
    pub(super) fn respond(&self, ask: &Ask, now: Timestamp) -> Response {
        let known = conditional::is_known(ask.headers(), self.status(), self.headers());
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers().clone();
        let age = self.storable.freshness.age(now).as_secs();
        response.headers_mut().insert(header::AGE, HeaderValue::from(age));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            conditional::without_body(response.headers_mut());
            return response;
        }
        *response.status_mut() = self.status();
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        if !ask.is_head() {
            *response.body_mut() = Body::from(self.body.clone());
        }
        response
    }

    fn weight(&self) -> usize {
        let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + HEADER_OVERHEAD;
        let headers: usize = self.headers().iter().map(header).sum();
        OVERHEAD + headers + self.storable.selector.weight() + self.body.len()
    }
}

/// What is stored of one resource: the newest answer first.
#[derive(Debug, Default, Clone)]
pub(super) struct Entry {
    variants: Vec<Arc<Variant>>,
    /// Until when callers do not wait for each other: without credentials, and with.
    pass_until: [Option<Timestamp>; 2],
}

impl Entry {
    pub(super) fn find(&self, ask: &Ask) -> Option<Arc<Variant>> {
        self.variants.iter().find(|variant| variant.answers(ask)).cloned()
    }

    /// What tells its answers apart.
    pub(super) fn selecting(&self) -> impl Iterator<Item = &HeaderName> {
        self.variants
            .iter()
            .flat_map(|variant| variant.storable.selector.names())
    }

    pub(super) fn is_passed(&self, ask: &Ask, now: Timestamp) -> bool {
        let [without, with] = self.pass_until;
        let until = if ask.credentials { with } else { without };
        until.is_some_and(|until| now.micros() < until.micros())
    }

    /// With `variant`, the answer to `ask`, in the place of what answered it before.
    pub(super) fn with(&self, ask: &Ask, variant: &Arc<Variant>) -> Self {
        let others = self
            .variants
            .iter()
            .filter(|other| !other.answers(ask) && other.storable.selector != variant.storable.selector);
        let variants = std::iter::once(variant)
            .chain(others)
            .take(MAX_VARIANTS)
            .cloned()
            .collect();
        Self {
            variants,
            pass_until: [None; 2],
        }
    }

    /// Without what answered `ask`: its newest answer may not be stored.
    pub(super) fn passed(&self, ask: &Ask, now: Timestamp) -> Self {
        let mut entry = self.clone();
        entry.variants.retain(|variant| !variant.answers(ask));
        let [without, with] = &mut entry.pass_until;
        let until = if ask.credentials { with } else { without };
        *until = Some(now.plus_micros(i64::try_from(PASS_FOR.as_micros()).unwrap_or(i64::MAX)));
        entry
    }

    /// Bytes it takes.
    pub(super) fn weight(&self) -> usize {
        OVERHEAD + self.variants.iter().map(|variant| variant.weight()).sum::<usize>()
    }
}
