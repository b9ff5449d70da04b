//! What the operator says about the cache: its size, and what a route adds to the answers' own words.

use std::time::Duration;

use http::HeaderName;
use serde::Deserialize;

use super::served::Meters;
use crate::gateway::units::{Size, Span};

/// Answers kept of one URL, which differ by `Vary`: enough for a few languages times a few encodings.
pub(super) const MAX_VARIANTS: usize = 8;

/// 256 MiB: with [`MAX_VARIANTS`] 2 GiB, which the store's 32-bit weights can still tell.
const LARGEST_OBJECT: usize = 256 << 20;

/// Request headers that a route may key on besides those that the answers name.
const MAX_ROUTE_VARY: usize = 8;

/// A month: what is meant for longer belongs in the answers' own `Cache-Control`.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// `[cache]`: the memory that answers may take, all routes together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Bytes that all stored answers may take: bodies, headers and keys. Answers on their way into the cache may take as
    /// much again. Default 64 MiB.
    pub max_bytes: Size,
    /// Bytes of the largest body that is stored; larger ones stream through. At most an eighth of `max_bytes`, so that no
    /// single URL drives out all others. Default 1 MiB.
    pub max_object: Size,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            max_bytes: Size(64 << 20),
            max_object: Size(1 << 20),
        }
    }
}

impl CacheConfig {
    /// What serde cannot check.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let (all, one) = (self.max_bytes.0, self.max_object.0);
        let mut problems = Vec::new();
        if one == 0 {
            problems.push("max_object: 0 stores nothing; leave out the routes' `cache` instead".to_owned());
        }
        if one > LARGEST_OBJECT {
            problems.push(format!("max_object: {one} is more than 256MiB"));
        }
        if one.saturating_mul(MAX_VARIANTS) > all {
            problems.push(format!("max_object: {one} is more than an eighth of max_bytes ({all})"));
        }
        problems
    }
}

/// A route's `cache`. It caches answers to GET, and answers HEAD from them; an empty table caches what the answers
/// themselves allow.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteCacheConfig {
    /// How long past its freshness an answer is still given while a new one is fetched behind the caller's back (RFC 5861
    /// §3), where the answer does not say so itself and forbids it neither (`no-cache`, `must-revalidate`,
    /// `proxy-revalidate`, `s-maxage`). Off unless set.
    pub stale_while_revalidate: Option<Span>,
    /// The same while the upstream fails: no answer, or 500, 502, 503, 504 (RFC 5861 §4). Off unless set.
    pub stale_if_error: Option<Span>,
    /// Request headers that tell answers apart even where `Vary` does not name them.
    pub vary: Vec<String>,
    /// How long an answer of status 200, 203, 301 or 308 is fresh that says nothing about it: no `max-age`, `s-maxage`,
    /// `no-cache` or `Expires`. Off unless set: nothing is stored that did not ask for it, and nothing is guessed from
    /// `Last-Modified`.
    pub default_ttl: Option<Span>,
}

impl RouteCacheConfig {
    /// What serde cannot check.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let spans = [
            ("stale_while_revalidate", self.stale_while_revalidate),
            ("stale_if_error", self.stale_if_error),
            ("default_ttl", self.default_ttl),
        ];
        let too_long = |(key, span): (&str, Option<Span>)| {
            let span = span.filter(|span| span.0 > LONGEST)?;
            Some(format!("{key}: {:?} is more than 30d", span.0))
        };
        let mut problems: Vec<_> = spans.into_iter().filter_map(too_long).collect();
        let no_header = |name: &&String| name.parse::<HeaderName>().is_err() || *name == "*";
        problems.extend(
            self.vary
                .iter()
                .filter(no_header)
                .map(|name| format!("vary: \"{name}\" is no header's name")),
        );
        if self.vary.len() > MAX_ROUTE_VARY {
            problems.push(format!("vary: more than {MAX_ROUTE_VARY} headers"));
        }
        problems
    }
}

/// A route's rules, ready for use: made once per route and configuration.
#[derive(Debug)]
pub struct RouteCache {
    pub(super) scope: String,
    pub(super) vary: Vec<HeaderName>,
    pub(super) default_ttl: Option<Duration>,
    pub(super) while_revalidate: Option<Duration>,
    pub(super) if_error: Option<Duration>,
    pub(super) meters: Meters,
}

impl RouteCache {
    /// The rules of `route` (the label of its metrics). Routes of one `scope`, an upstream's name, share stored answers and
    /// invalidate each other's; what is asked of one scope is never answered from another.
    #[must_use]
    pub fn new(route: &str, scope: &str, config: &RouteCacheConfig) -> Self {
        let mut vary: Vec<HeaderName> = config.vary.iter().filter_map(|name| name.parse().ok()).collect();
        vary.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        vary.dedup();
        Self {
            scope: scope.to_owned(),
            vary,
            default_ttl: config.default_ttl.map(|span| span.0),
            while_revalidate: config.stale_while_revalidate.map(|span| span.0),
            if_error: config.stale_if_error.map(|span| span.0),
            meters: Meters::new(route),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_problems_and_an_empty_table_is_a_cache() {
        assert_eq!(CacheConfig::default().problems(), Vec::<String>::new());
        let route: RouteCacheConfig = toml::from_str("").unwrap();
        assert_eq!((route.problems(), route.default_ttl), (Vec::new(), None));
    }

    #[test]
    fn sizes_that_cannot_work_are_named() {
        let with = |all, one| CacheConfig {
            max_bytes: Size(all),
            max_object: Size(one),
        };
        assert!(with(1 << 20, 0).problems()[0].starts_with("max_object: 0"));
        assert!(with(1 << 20, 1 << 18).problems()[0].contains("an eighth"));
        assert!(with(1 << 40, 1 << 30).problems()[0].contains("256MiB"));
        assert!(with(8 << 20, 1 << 20).problems().is_empty());
    }

    #[test]
    fn a_route_with_a_header_that_is_none_or_an_endless_time_is_refused() {
        let route: RouteCacheConfig =
            toml::from_str("vary = [\"accept\", \"a b\", \"*\"]\nstale_if_error = \"31d\"").unwrap();
        let problems = route.problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("stale_if_error: ") && problems[1].contains("\"a b\""));
        assert!(
            toml::from_str::<RouteCacheConfig>("methods = [\"POST\"]").is_err(),
            "GET and HEAD only"
        );
    }
}
