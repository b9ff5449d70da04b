//! How long an answer may be given, and how (RFC 9111 §4.2, RFC 5861): a pure function of the answer, the request, the
//! route's rules and the time.

use std::time::Duration;

use http::HeaderMap;
use trailmark_protocol::Timestamp;

use super::directives::{Says, Wants};
use super::lifetime::{Times, between, initial_age};

/// What may permit a stale answer (RFC 9111 §4.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permit {
    /// Nobody: `no-cache`, `must-revalidate` or `proxy-revalidate`.
    None,
    /// The answer itself: with `s-maxage` it forbids the rest (§5.2.2.10), but where it also says
    /// `stale-while-revalidate`, as answers for CDNs do, it means that.
    Answer,
    /// The answer, the route's rules, the caller's `max-stale`.
    All,
}

/// An answer's freshness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Freshness {
    received_at: Timestamp,
    initial_age: Duration,
    lifetime: Duration,
    permit: Permit,
    while_revalidate: Option<Duration>,
    if_error: Option<Duration>,
}

/// What the route's rules permit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rules {
    pub(super) while_revalidate: Option<Duration>,
    pub(super) if_error: Option<Duration>,
}

/// What a stored answer is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// To be given.
    Fresh,
    /// To be given while a new one is fetched.
    Meanwhile,
    /// To be given if the upstream says that it still holds.
    Unproven,
}

impl Freshness {
    pub(super) fn new(says: &Says, headers: &HeaderMap, lifetime: Duration, times: Times) -> Self {
        let permit = match () {
            () if says.no_cache || says.must_revalidate || says.proxy_revalidate => Permit::None,
            () if says.s_maxage.is_some() => Permit::Answer,
            () => Permit::All,
        };
        Self {
            received_at: times.received_at,
            initial_age: initial_age(headers, times),
            lifetime,
            permit,
            while_revalidate: says.stale_while_revalidate,
            if_error: says.stale_if_error,
        }
    }

    /// Its age (RFC 9111 §4.2.3). A clock that was set back adds nothing.
    pub(super) fn age(&self, now: Timestamp) -> Duration {
        self.initial_age.saturating_add(between(self.received_at, now))
    }

    /// Seconds of freshness left; negative since it is stale.
    pub(super) fn ttl(&self, now: Timestamp) -> i64 {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        seconds(self.lifetime).saturating_sub(seconds(self.age(now)))
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.age(now) < self.lifetime
    }

    /// What it is good for.
    pub(super) fn fit(&self, wants: &Wants, rules: Rules, now: Timestamp) -> Fit {
        let age = self.age(now);
        let too_old = wants.max_age.is_some_and(|most| age > most);
        if wants.no_cache || too_old {
            return Fit::Unproven;
        }
        let left = self.lifetime.saturating_sub(age);
        if self.is_fresh(now) {
            let too_short = wants.min_fresh.is_some_and(|least| left < least);
            return if too_short { Fit::Unproven } else { Fit::Fresh };
        }
        self.stale_fit(wants, rules, age.saturating_sub(self.lifetime))
    }

    fn stale_fit(&self, wants: &Wants, rules: Rules, stale_for: Duration) -> Fit {
        let within = |most: Option<Duration>| most.is_some_and(|most| stale_for <= most);
        // A caller that bounds the age does not want a stale answer, unless it says so (RFC 9111 §5.2.1.1).
        let picky = wants.max_age.is_some() || wants.min_fresh.is_some();
        if self.permit == Permit::All && within(wants.max_stale) {
            Fit::Fresh
        } else if !picky && within(self.permitted(self.while_revalidate, rules.while_revalidate)) {
            Fit::Meanwhile
        } else {
            Fit::Unproven
        }
    }

    /// Whether it may be given because the upstream fails.
    pub(super) fn may_replace_error(&self, wants: &Wants, rules: Rules, now: Timestamp) -> bool {
        let others = rules.if_error.max(wants.stale_if_error);
        let most = self.permitted(self.if_error, others);
        !wants.no_cache && most.is_some_and(|most| self.age(now).saturating_sub(self.lifetime) <= most)
    }

    /// The answer's own word before the others'.
    fn permitted(&self, answer: Option<Duration>, others: Option<Duration>) -> Option<Duration> {
        match self.permit {
            Permit::None => None,
            Permit::Answer => answer,
            Permit::All => answer.or(others),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, StatusCode, header};

    use super::super::lifetime::lifetime;
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    const NOW: Timestamp = Timestamp::from_micros(784_111_777_000_000);
    const QUIET: Wants = Wants {
        no_store: false,
        no_cache: false,
        only_if_cached: false,
        max_age: None,
        min_fresh: None,
        max_stale: None,
        stale_if_error: None,
    };

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let line = |(name, value): &(HeaderName, &str)| (name.clone(), HeaderValue::from_str(value).unwrap());
        lines.iter().map(line).collect()
    }

    fn after(seconds: i64) -> Timestamp {
        NOW.plus_micros(seconds * 1_000_000)
    }

    fn answer(cache_control: &str) -> Freshness {
        let headers = headers(&[(header::CACHE_CONTROL, cache_control)]);
        let says = Says::of(&headers);
        let lifetime = lifetime(&says, StatusCode::OK, &headers, NOW).unwrap();
        Freshness::new(
            &says,
            &headers,
            lifetime,
            Times {
                asked_at: NOW,
                received_at: NOW,
            },
        )
    }

    fn s(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn an_absurd_age_is_no_panic_and_never_fresh() {
        let headers = headers(&[
            (header::AGE, "18446744073709551615"),
            (header::CACHE_CONTROL, "max-age=9"),
        ]);
        let times = Times {
            asked_at: after(-3),
            received_at: NOW,
        };
        let freshness = Freshness::new(&Says::of(&headers), &headers, Duration::from_secs(9), times);
        assert!(!freshness.is_fresh(after(1_000_000)));
        assert!(freshness.ttl(NOW) < 0);
    }

    #[test]
    fn a_request_bounds_age_and_freshness() {
        let fit = |wants: Wants| answer("max-age=60").fit(&wants, Rules::default(), after(20));
        assert_eq!(fit(QUIET), Fit::Fresh);
        assert_eq!(
            fit(Wants {
                no_cache: true,
                ..QUIET
            }),
            Fit::Unproven
        );
        assert_eq!(
            fit(Wants {
                max_age: s(20),
                ..QUIET
            }),
            Fit::Fresh
        );
        assert_eq!(
            fit(Wants {
                max_age: s(19),
                ..QUIET
            }),
            Fit::Unproven
        );
        assert_eq!(
            fit(Wants {
                min_fresh: s(40),
                ..QUIET
            }),
            Fit::Fresh
        );
        assert_eq!(
            fit(Wants {
                min_fresh: s(41),
                ..QUIET
            }),
            Fit::Unproven
        );
    }

    #[test]
    fn max_stale_takes_what_the_answer_does_not_forbid() {
        let wants = Wants {
            max_stale: s(10),
            ..QUIET
        };
        let fit = |text, at| answer(text).fit(&wants, Rules::default(), after(at));
        assert_eq!(fit("max-age=60", 70), Fit::Fresh);
        assert_eq!(fit("max-age=60", 71), Fit::Unproven);
        for strict in [
            "max-age=60, must-revalidate",
            "max-age=60, proxy-revalidate",
            "s-maxage=60",
            "no-cache",
        ] {
            assert_eq!(fit(strict, 65), Fit::Unproven, "{strict}");
        }
    }

    #[test]
    fn the_answers_own_word_on_staleness_comes_before_the_routes() {
        let rules = Rules {
            while_revalidate: s(100),
            if_error: s(100),
        };
        let fit = |text, at| answer(text).fit(&QUIET, rules, after(at));
        assert_eq!(fit("max-age=60", 160), Fit::Meanwhile);
        assert_eq!(fit("max-age=60, stale-while-revalidate=5", 66), Fit::Unproven);
        assert_eq!(
            fit("s-maxage=60", 61),
            Fit::Unproven,
            "s-maxage forbids what it does not permit itself"
        );
        assert_eq!(fit("s-maxage=60, stale-while-revalidate=5", 65), Fit::Meanwhile);
        assert_eq!(
            fit("max-age=60, must-revalidate, stale-while-revalidate=5", 61),
            Fit::Unproven
        );
    }

    #[test]
    fn a_stale_answer_replaces_an_error_only_as_long_as_somebody_permits_it() {
        let rules = Rules {
            while_revalidate: None,
            if_error: s(100),
        };
        let may = |text, wants: &Wants, rules, at| answer(text).may_replace_error(wants, rules, after(at));
        assert!(may("max-age=60", &QUIET, rules, 160) && !may("max-age=60", &QUIET, rules, 161));
        assert!(!may("max-age=60", &QUIET, Rules::default(), 61));
        assert!(may(
            "max-age=60",
            &Wants {
                stale_if_error: s(9),
                ..QUIET
            },
            Rules::default(),
            69
        ));
        assert!(may("max-age=60, stale-if-error=9", &QUIET, Rules::default(), 69));
        assert!(!may("max-age=60, must-revalidate", &QUIET, rules, 61));
        assert!(!may("no-cache", &QUIET, rules, 1));
    }
}
