//! How a request was answered: counted, and said in `Cache-Status` (RFC 9211).

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use metrics::{Counter, counter};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why the upstream had to be asked (RFC 9211 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Nothing stored fits.
    Miss,
    /// What is stored is stale.
    Stale,
    /// The caller wants a fresh one, or none stored.
    Request,
    /// Not a method that is cached.
    Method,
    /// Not handled by this cache: ranges, upgrades, preconditions, bodies.
    Bypass,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// From the cache; so many seconds of freshness are left, or have passed.
    Hit { ttl: i64 },
    /// From the fetch of somebody else who asked first.
    Collapsed { why: Why },
    /// From the cache, after the upstream said that it still holds.
    Revalidated,
    /// From the cache, because the upstream failed.
    DespiteError { status: Option<StatusCode> },
    /// By the upstream.
    Forwarded { why: Why, stored: bool },
    /// Not at all: the caller wanted a stored answer, and there is none.
    Unstored,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What the cache did for a request, in one word: for `gateway_cache_total`, the access log and spans.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CacheStatus { $($(#[$doc])* $name,)* }

        impl CacheStatus {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

statuses! {
    /// Answered from what is fresh.
    Hit = "hit",
    /// Answered from what is stale, as the configuration allows; it is fetched anew behind the caller's back.
    Stale = "stale",
    /// Answered from the fetch of another who asked first.
    Collapsed = "collapsed",
    /// The upstream was asked, and what was stored is still good.
    Revalidated = "revalidated",
    /// The upstream failed, and what is stale stood in.
    StaleIfError = "stale_if_error",
    /// Fetched.
    Miss = "miss",
    /// Not a request that a cache may answer.
    Bypass = "bypass",
    /// Refused: the caller wanted a stored answer, and there is none.
    OnlyIfCached = "only_if_cached",
}

impl Why {
    fn as_str(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Request => "request",
            Self::Method => "method",
            Self::Bypass => "bypass",
        }
    }
}

impl Served {
    pub(super) fn status(self) -> CacheStatus {
        match self {
            Self::Hit { ttl } if ttl > 0 => CacheStatus::Hit,
            Self::Hit { .. } => CacheStatus::Stale,
            Self::Collapsed { .. } => CacheStatus::Collapsed,
            Self::Revalidated => CacheStatus::Revalidated,
            Self::DespiteError { .. } => CacheStatus::StaleIfError,
            Self::Forwarded {
                why: Why::Miss | Why::Stale,
                ..
            } => CacheStatus::Miss,
            Self::Forwarded { .. } => CacheStatus::Bypass,
            Self::Unstored => CacheStatus::OnlyIfCached,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Hit { ttl } => format!("trailmark; hit; ttl={ttl}"),
            Self::Collapsed { why } => format!("trailmark; fwd={}; collapsed", why.as_str()),
            Self::Revalidated => "trailmark; fwd=stale; fwd-status=304".to_owned(),
            Self::DespiteError { status: Some(status) } => {
                format!(
                    "trailmark; fwd=stale; fwd-status={}; detail=stale-if-error",
                    status.as_u16()
                )
            }
            Self::DespiteError { status: None } => "trailmark; fwd=stale; detail=stale-if-error".to_owned(),
            Self::Forwarded { why, stored: true } => format!("trailmark; fwd={}; stored", why.as_str()),
            Self::Forwarded { why, stored: false } => format!("trailmark; fwd={}", why.as_str()),
            Self::Unstored => "trailmark".to_owned(),
        }
    }

    /// Says it, after what caches nearer to the origin said (RFC 9211 §2).
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::try_from(self.text()) {
            headers.append(CACHE_STATUS, value);
        }
    }
}

/// A route's counters.
pub(super) struct Meters([Counter; CacheStatus::ALL.len()]);

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meters")
    }
}

impl Meters {
    pub(super) fn new(route: &str) -> Self {
        let counter = |at: usize| {
            let status = CacheStatus::ALL[at].as_str();
            counter!("gateway_cache_total", "route" => route.to_owned(), "status" => status)
        };
        Self(std::array::from_fn(counter))
    }

    pub(super) fn count(&self, status: CacheStatus) {
        if let Some(counter) = self.0.get(status as usize) {
            counter.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_caches_before_this_one_said_stays_before_it() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_STATUS, HeaderValue::from_static("origin; hit"));
        Served::Forwarded {
            why: Why::Miss,
            stored: true,
        }
        .mark(&mut headers);
        let said: Vec<_> = headers.get_all(CACHE_STATUS).iter().collect();
        assert_eq!(said, ["origin; hit", "trailmark; fwd=miss; stored"]);
    }

    #[test]
    fn each_way_of_answering_has_its_own_status() {
        let ways = [
            Served::Hit { ttl: 1 },
            Served::Hit { ttl: 0 },
            Served::Collapsed { why: Why::Miss },
            Served::Revalidated,
            Served::DespiteError { status: None },
            Served::Forwarded {
                why: Why::Stale,
                stored: false,
            },
            Served::Forwarded {
                why: Why::Bypass,
                stored: false,
            },
            Served::Unstored,
        ];
        let statuses: Vec<_> = ways.iter().map(|way| way.status()).collect();
        assert_eq!(statuses, CacheStatus::ALL);
    }
}
