//! What an answer is stored under: the resource, and among its answers the request headers that select one (RFC 9111 §4.1).
//!
//! A key merges only what is the same by definition (a host's case, a scheme's own port). Path and query count byte by byte,
//! as they go to the upstream: where a cache holds two spellings for one and its upstream does not, it can be poisoned.

use std::sync::Arc;

use http::uri::Authority;
use http::{HeaderMap, HeaderName, Uri, header};

use super::directives::listed;

/// Where a request came in, by the gateway's own knowledge.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The validated `Host`, with its port if it said one.
    pub host: &'a str,
}

/// A resource. The method is no part of it: only answers to GET are stored, and HEAD is answered from them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Resource(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Parts {
    scope: String,
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
    query: Option<String>,
}

impl Resource {
    pub(super) fn new(scope: &str, origin: Origin<'_>, uri: &Uri) -> Self {
        let scheme = origin.scheme.to_ascii_lowercase();
        let (host, port) = split_host(&scheme, origin.host);
        Self(Arc::new(Parts {
            scope: scope.to_owned(),
            scheme,
            host,
            port,
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
        }))
    }

    pub(super) fn scope(&self) -> &str {
        &self.0.scope
    }

    /// The resource that `reference`, of a `Location` say, names, if it is of the same origin (RFC 9111 §4.4). Relative
    /// paths, which no service sends any more, are left alone.
    pub(super) fn sibling(&self, reference: &str) -> Option<Self> {
        let uri: Uri = reference.split('#').next()?.parse().ok()?;
        let parts = &self.0;
        let host = match parts.port {
            Some(port) => format!("{}:{port}", parts.host),
            None => parts.host.clone(),
        };
        let origin = Origin {
            scheme: uri.scheme_str().unwrap_or(&parts.scheme),
            host: uri.authority().map_or(&*host, Authority::as_str),
        };
        let other = Self::new(&parts.scope, origin, &uri);
        let same_origin = |a: &Parts, b: &Parts| (&a.scheme, &a.host, a.port) == (&b.scheme, &b.host, b.port);
        (other.0.path.starts_with('/') && same_origin(&other.0, parts)).then_some(other)
    }

    /// Bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let parts = &self.0;
        let texts = [&parts.scope, &parts.scheme, &parts.host, &parts.path];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        size_of::<Parts>() + texts + parts.query.as_ref().map_or(0, String::len)
    }

    /// Whether a header's text names this resource's host, or scheme.
    pub(super) fn is_host(&self, text: &str) -> bool {
        split_host(&self.0.scheme, text) == (self.0.host.clone(), self.0.port)
    }

    pub(super) fn is_scheme(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(&self.0.scheme)
    }
}

/// Host in lower case, and its port unless it is the scheme's own.
fn split_host(scheme: &str, text: &str) -> (String, Option<u16>) {
    let own = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    match text.parse::<Authority>() {
        Ok(authority) if !text.contains('@') => {
            let port = authority.port_u16().filter(|port| Some(*port) != own);
            (authority.host().to_ascii_lowercase(), port)
        }
        _ => (text.to_ascii_lowercase(), None),
    }
}

/// The values of the headers that select an answer, by name in order; `None` is a header that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Selector(Vec<(HeaderName, Option<Vec<u8>>)>);

impl Selector {
    /// Of a request, by `names`.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a HeaderName>, request: &HeaderMap) -> Self {
        let mut names: Vec<_> = names.into_iter().cloned().collect();
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        let value = |name: HeaderName| {
            let value = normalised(request, &name);
            (name, value)
        };
        Self(names.into_iter().map(value).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Whether a request with these headers is answered by what is stored under it.
    pub(super) fn matches(&self, request: &HeaderMap) -> bool {
        self.0.iter().all(|(name, value)| normalised(request, name) == *value)
    }

    /// Bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let value = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        let bytes = |(name, of): &(HeaderName, Option<Vec<u8>>)| name.as_str().len() + value(of);
        self.0.iter().map(|pair| size_of_val(pair) + bytes(pair)).sum()
    }
}

/// The names in an answer's `Vary`; none if it is `*`, or names what is no header: no request can be known to match then.
pub(super) fn vary(headers: &HeaderMap) -> Option<Vec<HeaderName>> {
    let name = |member: String| if member == "*" { None } else { member.parse().ok() };
    listed(headers, &header::VARY).map(name).collect()
}

/// Headers whose lists are the same with any spaces around their commas.
const LISTS: [HeaderName; 4] = [
    header::ACCEPT,
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
];

/// A header's lines together, as RFC 9110 §5.3 has it. Only the lists of content negotiation lose the spaces around their
/// commas, and only where nothing is quoted. Case stays: an upstream that minds it would answer `DE` in its default language,
/// and that answer would be given to those who ask for `de`.
fn normalised(request: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<_> = request.get_all(name).iter().map(|line| line.as_bytes()).collect();
    let joined = (!lines.is_empty()).then(|| lines.join(&b','))?;
    if !LISTS.contains(name) || joined.contains(&b'"') {
        return Some(joined);
    }
    let members: Vec<_> = joined.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    Some(members.join(&b','))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn resource(scope: &str, scheme: &str, host: &str, uri: &str) -> Resource {
        Resource::new(scope, Origin { scheme, host }, &uri.parse().unwrap())
    }

    fn at(host: &str, uri: &str) -> Resource {
        resource("users", "https", host, uri)
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_hosts_case_and_its_schemes_own_port_are_the_same_place_and_nothing_else_is() {
        assert_eq!(at("API.Example", "/a"), at("api.example:443", "/a"));
        assert_eq!(at("[::1]:443", "/a"), at("[::1]", "/a"));
        for other in [
            at("api.example:80", "/a"),
            at("api.example:8443", "/a"),
            at("api.example.", "/a"),
        ] {
            assert_ne!(at("api.example", "/a"), other);
        }
        assert_ne!(
            resource("users", "http", "api.example:443", "/a"),
            at("api.example", "/a")
        );
        assert_ne!(
            resource("orders", "https", "api.example", "/a"),
            at("api.example", "/a")
        );
    }

    #[test]
    fn path_and_query_count_byte_by_byte() {
        let spellings = [
            "/a.b",
            "/a%2eb",
            "/a%2Eb",
            "/A.b",
            "/a.b/",
            "/a.b?",
            "/a.b?x=1&y=2",
            "/a.b?y=2&x=1",
            "/a.b?x=1&y=%32",
        ];
        for (index, one) in spellings.iter().enumerate() {
            for other in &spellings[index + 1..] {
                assert_ne!(at("h", one), at("h", other), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_text_does_not_reach_from_one_part_of_the_key_into_the_next() {
        assert_ne!(resource("a", "https", "b", "/"), resource("ahttps", "", "b", "/"));
        assert_ne!(at("h", "/a?b"), at("h", "/a%3Fb"));
    }

    #[test]
    fn only_references_of_the_same_origin_name_a_sibling() {
        let here = at("api.example:8443", "/users");
        assert_eq!(here.sibling("/users/7#x"), Some(at("api.example:8443", "/users/7")));
        assert_eq!(
            here.sibling("HTTPS://API.example:8443/a"),
            Some(at("api.example:8443", "/a"))
        );
        for elsewhere in [
            "https://api.example/a",
            "http://api.example:8443/a",
            "https://evil/a",
            "",
            "7",
            "*",
        ] {
            assert_eq!(here.sibling(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn negotiation_lists_differ_in_more_than_spaces_around_commas() {
        let names = [header::ACCEPT_LANGUAGE, HeaderName::from_static("x-tenant")];
        let selector = Selector::new(
            &names,
            &headers(&[("accept-language", "de, en;q=0.5"), ("x-tenant", "A, b")]),
        );
        assert!(selector.matches(&headers(&[
            ("accept-language", "de"),
            ("accept-language", "en;q=0.5"),
            ("x-tenant", "A, b")
        ])));
        assert!(!selector.matches(&headers(&[("accept-language", "de, en;q=0.5"), ("x-tenant", "a, b")])));
        assert!(!selector.matches(&headers(&[("accept-language", "en;q=0.5, de"), ("x-tenant", "A, b")])));
        assert!(!selector.matches(&headers(&[("accept-language", "DE,en;q=0.5"), ("x-tenant", "A, b")])));
    }

    #[test]
    fn an_empty_header_is_not_an_absent_one() {
        let selector = Selector::new(&[header::COOKIE], &HeaderMap::new());
        assert!(selector.matches(&HeaderMap::new()) && !selector.matches(&headers(&[("cookie", "")])));
    }

    #[test]
    fn a_vary_of_everything_or_of_nonsense_selects_nothing() {
        assert_eq!(vary(&headers(&[("vary", "accept, *")])), None);
        assert_eq!(vary(&headers(&[("vary", "a b")])), None);
        assert_eq!(vary(&headers(&[("vary", "Accept")])), Some(vec![header::ACCEPT]));
        assert_eq!(vary(&HeaderMap::new()), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn keys_are_equal_only_where_all_their_parts_are(
            a in ("[ab/:]{0,2}", "https?", "[ab.]{1,3}(:8[01])?", "/[ab%/]{0,3}([?][ab]{0,2})?"),
            b in ("[ab/:]{0,2}", "https?", "[ab.]{1,3}(:8[01])?", "/[ab%/]{0,3}([?][ab]{0,2})?"),
        ) {
            let key = |(scope, scheme, host, uri): &(String, String, String, String)| {
                Some(Resource::new(scope, Origin { scheme, host }, &uri.parse::<Uri>().ok()?))
            };
            let plain = |(scope, scheme, host, uri): &(String, String, String, String)| {
                let host = if scheme == "http" { host.trim_end_matches(":80") } else { host };
                (scope.clone(), scheme.clone(), host.to_owned(), uri.clone())
            };
            if let (Some(one), Some(other)) = (key(&a), key(&b)) {
                prop_assert_eq!(one == other, plain(&a) == plain(&b));
            }
        }
    }
}
