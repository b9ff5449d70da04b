//! What `Cache-Control` says (RFC 9111 §5.2), on requests and on answers.
//!
//! Read here and not by `http-cache-semantics`: that compares names with case (`Private` would be stored in a shared cache),
//! drops a header with a byte outside ASCII, and takes a contradiction for `must-revalidate`, which permits to store what was
//! asked with credentials.

use std::time::Duration;

use http::{HeaderMap, HeaderName, header};

/// "Infinity" of RFC 9111 §1.2.2: what is larger counts as this, in seconds.
const FOREVER_S: u64 = 1 << 31;

/// What a request says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wants {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) only_if_cached: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) min_fresh: Option<Duration>,
    /// Without a value: any staleness.
    pub(super) max_stale: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
}

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) no_store: bool,
    /// Also where it names fields: then the whole answer is treated so, which RFC 9111 §5.2.2.4 allows.
    pub(super) no_cache: bool,
    /// Also where it names fields (§5.2.2.7).
    pub(super) private: bool,
    pub(super) public: bool,
    pub(super) must_revalidate: bool,
    pub(super) proxy_revalidate: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) s_maxage: Option<Duration>,
    pub(super) stale_while_revalidate: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
}

impl Wants {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let list = Directives::of(headers);
        Self {
            no_store: list.has("no-store"),
            no_cache: list.has("no-cache") || pragma_no_cache(headers),
            only_if_cached: list.has("only-if-cached"),
            max_age: list.seconds("max-age"),
            min_fresh: list.seconds("min-fresh"),
            max_stale: list.bare("max-stale").or_else(|| list.seconds("max-stale")),
            stale_if_error: list.seconds("stale-if-error"),
        }
    }
}

impl Says {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let list = Directives::of(headers);
        Self {
            no_store: list.has("no-store"),
            no_cache: list.has("no-cache") || pragma_no_cache(headers),
            private: list.has("private"),
            public: list.has("public"),
            must_revalidate: list.has("must-revalidate"),
            proxy_revalidate: list.has("proxy-revalidate"),
            max_age: list.seconds("max-age"),
            s_maxage: list.seconds("s-maxage"),
            stale_while_revalidate: list.seconds("stale-while-revalidate"),
            stale_if_error: list.seconds("stale-if-error"),
        }
    }

    /// Whether an answer to a request with credentials may be stored for others (RFC 9111 §3.5).
    pub(super) fn is_for_all(&self) -> bool {
        self.public || self.must_revalidate || self.s_maxage.is_some()
    }
}

/// `Pragma: no-cache` counts where there is no `Cache-Control` (RFC 9111 §5.4).
fn pragma_no_cache(headers: &HeaderMap) -> bool {
    let pragma = || {
        Directives(
            listed(headers, &header::PRAGMA)
                .map(|member| directive(&member))
                .collect(),
        )
    };
    !headers.contains_key(header::CACHE_CONTROL) && headers.contains_key(header::PRAGMA) && pragma().has("no-cache")
}

/// Name in lower case, and value.
struct Directives(Vec<(String, Option<String>)>);

impl Directives {
    fn of(headers: &HeaderMap) -> Self {
        Self(
            listed(headers, &header::CACHE_CONTROL)
                .map(|member| directive(&member))
                .collect(),
        )
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>> + 'a {
        let named = self.0.iter().filter(move |(has, _)| has == name);
        named.map(|(_, value)| value.as_deref())
    }

    fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Infinity, if it stands there without a value.
    fn bare(&self, name: &str) -> Option<Duration> {
        let bare = self.values(name).any(|value| value.is_none());
        bare.then_some(Duration::from_secs(FOREVER_S))
    }

    /// The seconds it says. Nonsense and contradictions are 0: stale at once, as RFC 9111 §4.2.1 encourages.
    fn seconds(&self, name: &str) -> Option<Duration> {
        let mut said = self.values(name).map(seconds);
        let first = said.next()?;
        let seconds = if said.all(|other| other == first) { first } else { 0 };
        Some(Duration::from_secs(seconds))
    }
}

fn seconds(value: Option<&str>) -> u64 {
    let digits = value.filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()));
    digits.map_or(0, |digits| digits.parse().unwrap_or(FOREVER_S).min(FOREVER_S))
}

fn directive(member: &str) -> (String, Option<String>) {
    match member.split_once('=') {
        Some((name, value)) => (
            name.trim().to_ascii_lowercase(),
            Some(value.trim().trim_matches('"').to_owned()),
        ),
        None => (member.to_ascii_lowercase(), None),
    }
}

/// The members of a list header, all its lines together (RFC 9110 §5.6.1). Commas within quotes separate nothing, unless a
/// quote is left open: then every comma does, so that nothing hides behind it. Bytes outside ASCII are kept as Latin-1.
pub(super) fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    headers.get_all(name).iter().flat_map(|value| split(value.as_bytes()))
}

fn split(value: &[u8]) -> Vec<String> {
    let (mut members, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for &byte in value {
        match byte {
            b',' if !quoted => members.push(String::new()),
            _ => members.last_mut().map_or((), |member| member.push(char::from(byte))),
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
    }
    if quoted {
        members = value.split(|&byte| byte == b',').map(latin1).collect();
    }
    let trimmed = members.iter().map(|member| member.trim_matches([' ', '\t']).to_owned());
    trimmed.filter(|member| !member.is_empty()).collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let value = |line: &&[u8]| (header::CACHE_CONTROL, HeaderValue::from_bytes(line).unwrap());
        lines.iter().map(value).collect()
    }

    fn says(line: &str) -> Says {
        Says::of(&headers(&[line.as_bytes()]))
    }

    const fn s(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn names_count_in_any_case_and_on_any_line() {
        assert!(says("PRIVATE").private && says("max-age=1 , No-Store").no_store);
        let two = Says::of(&headers(&[b"public", b"S-MaxAge=5"]));
        assert!(two.public && two.s_maxage == s(5));
    }

    #[test]
    fn a_byte_outside_ascii_hides_nothing() {
        assert!(Says::of(&headers(&[b"x=\"\xe9\", no-store"])).no_store);
    }

    #[test]
    fn what_is_quoted_is_one_value_but_an_open_quote_hides_nothing() {
        let said = says("private=\"set-cookie, x\", max-age=60, ext=\"a, \\\" public\"");
        assert!(said.private && !said.public && said.max_age == s(60));
        assert!(says("ext=\"oops, no-store").no_store);
    }

    #[test]
    fn nonsense_and_contradictions_are_stale_at_once() {
        for line in [
            "max-age=x",
            "max-age",
            "max-age=-1",
            "max-age=1.5",
            "max-age=",
            "max-age=5, max-age=6",
        ] {
            assert_eq!(says(line).max_age, s(0), "{line}");
        }
        assert_eq!(says("max-age=\"7\", max-age=7").max_age, s(7));
        assert_eq!(says("max-age=99999999999999999999").max_age, s(FOREVER_S));
        assert_eq!(says("public").max_age, None);
    }

    #[test]
    fn max_stale_alone_takes_any_staleness() {
        let wants = |line: &str| Wants::of(&headers(&[line.as_bytes()])).max_stale;
        assert_eq!(
            (wants("max-stale"), wants("max-stale=9"), wants("x")),
            (s(FOREVER_S), s(9), None)
        );
    }

    #[test]
    fn pragma_counts_only_where_cache_control_is_silent() {
        let mut with = HeaderMap::new();
        with.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        assert!(Wants::of(&with).no_cache);
        with.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=5"));
        assert!(!Wants::of(&with).no_cache);
    }
}
