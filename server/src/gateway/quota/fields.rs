//! What answers say of limits: the `RateLimit-Policy` and `RateLimit` fields of draft-ietf-httpapi-ratelimit-headers-10,
//! and, where a client still needs them, the three fields of its sixth draft.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::policy::{Standing, seconds_up};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// A policy as fields name it.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its name in the file.
    pub name: String,
    policy: HeaderValue,
    rate: u32,
}

impl Named {
    /// The policy `name` of `rate` requests in `per`. A name of the file is a token, so it needs no escapes.
    #[must_use]
    pub fn new(name: &str, rate: u32, per: Duration) -> Self {
        let text = format!("\"{name}\";q={rate};w={}", seconds_up(per));
        Self {
            name: name.to_owned(),
            policy: HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("")),
            rate,
        }
    }
}

/// The tightest standing of a request: of all its policies the one that leaves the least.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'p> {
    named: &'p Named,
    standing: Standing,
}

impl<'p> Fields<'p> {
    /// The tighter of `earlier` and this one.
    #[must_use]
    pub fn tighter(earlier: Option<Self>, named: &'p Named, standing: Standing) -> Self {
        let later = Self { named, standing };
        match earlier {
            Some(earlier) if earlier.leaves() <= later.leaves() => earlier,
            _ => later,
        }
    }

    /// Refused is the least, then the fewest requests.
    fn leaves(&self) -> (bool, u32) {
        (self.standing.wait.is_none(), self.standing.remaining)
    }

    /// Writes the fields; `legacy` adds the older three.
    pub fn write(&self, headers: &mut HeaderMap, legacy: bool) {
        let (remaining, reset) = (
            self.standing.remaining,
            seconds_up(self.standing.wait.unwrap_or(self.standing.until_full)),
        );
        headers.insert(POLICY, self.named.policy.clone());
        let mut text = String::with_capacity(48);
        let _ = write!(text, "\"{}\";r={remaining};t={reset}", self.named.name);
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(text)) {
            headers.insert(STANDING, value);
        }
        if legacy {
            headers.insert(LIMIT, HeaderValue::from(self.named.rate));
            headers.insert(REMAINING, HeaderValue::from(remaining));
            headers.insert(RESET, HeaderValue::from(reset));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn standing(remaining: u32, until_full_ms: u64, wait_ms: Option<u64>) -> Standing {
        Standing {
            remaining,
            until_full: Duration::from_millis(until_full_ms),
            wait: match wait_ms {
                Some(ms) => Some(Duration::from_millis(ms)),
                None => None,
            },
        }
    }

    #[test]
    fn answers_name_the_policy_and_how_the_caller_stands() {
        let ip = Named::new("ip", 100, Duration::from_secs(900));
        let mut headers = HeaderMap::new();
        Fields::tighter(None, &ip, standing(99, 9_000, None)).write(&mut headers, false);
        assert_eq!(headers["ratelimit-policy"], "\"ip\";q=100;w=900");
        assert_eq!(headers["ratelimit"], "\"ip\";r=99;t=9");
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn the_older_three_are_there_for_who_needs_them() {
        let ip = Named::new("ip", 100, Duration::from_secs(900));
        let mut headers = HeaderMap::new();
        Fields::tighter(None, &ip, standing(0, 900_000, Some(8_100))).write(&mut headers, true);
        assert_eq!(headers["ratelimit-limit"], "100");
        assert_eq!(headers["ratelimit-remaining"], "0");
        assert_eq!(headers["ratelimit-reset"], "9", "when the next request may come");
    }

    #[test]
    fn of_several_policies_the_tightest_is_told() {
        let (ip, user) = (
            Named::new("ip", 100, Duration::from_secs(1)),
            Named::new("user", 10, Duration::from_secs(1)),
        );
        let tightest = |first: Standing, second: Standing| {
            let fields = Fields::tighter(Some(Fields::tighter(None, &ip, first)), &user, second);
            fields.named.name.clone()
        };
        assert_eq!(tightest(standing(5, 0, None), standing(9, 0, None)), "ip");
        assert_eq!(tightest(standing(5, 0, None), standing(2, 0, None)), "user");
        assert_eq!(
            tightest(standing(0, 0, None), standing(0, 0, Some(1))),
            "user",
            "refused is tighter than none left"
        );
    }
}
