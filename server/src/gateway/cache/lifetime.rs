//! How long an answer is fresh, and how old it came: what its headers say in seconds and dates (RFC 9111 §4.2).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_cache_semantics::{CacheOptions, CachePolicy};
use jiff::fmt::rfc2822;
use trailmark_protocol::Timestamp;

use super::directives::Says;

/// When an answer was asked for, and when its headers came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) asked_at: Timestamp,
    pub(super) received_at: Timestamp,
}

/// How long an answer to a GET is fresh from its `Date` on; `None` if a shared cache may not store it. Zero where it says
/// nothing: this cache does not guess.
///
/// The library decides with the answer's own words and nothing of the request, in a spelling that it cannot misread; see
/// [`super::directives`].
pub(super) fn lifetime(says: &Says, status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    let canonical = response.headers_mut();
    canonical.insert(header::CACHE_CONTROL, spelled(says));
    copy(headers, canonical, &[header::EXPIRES, header::DATE]);
    let options = CacheOptions {
        shared: true,
        cache_heuristic: 0.0,
        immutable_min_time_to_live: Duration::ZERO,
        ignore_cargo_cult: false,
    };
    let now = system_time(now);
    let policy = CachePolicy::new_options(&Request::new(()), &response, now, options);
    policy.is_storable().then(|| policy.time_to_live(now))
}

/// Whether an answer says how long it is fresh.
pub(super) fn is_explicit(says: &Says, headers: &HeaderMap) -> bool {
    says.max_age.is_some() || says.s_maxage.is_some() || says.no_cache || headers.contains_key(header::EXPIRES)
}

fn copy(from: &HeaderMap, to: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        if let Some(value) = from.get(name) {
            to.insert(name, value.clone());
        }
    }
}

fn spelled(says: &Says) -> HeaderValue {
    let flags = [
        (says.no_store, "no-store"),
        (says.no_cache, "no-cache"),
        (says.private, "private"),
        (says.public, "public"),
    ];
    let times = [("max-age", says.max_age), ("s-maxage", says.s_maxage)];
    let flags = flags
        .into_iter()
        .filter(|(said, _)| *said)
        .map(|(_, name)| name.to_owned());
    let times = times
        .into_iter()
        .filter_map(|(name, time)| time.map(|time| format!("{name}={}", time.as_secs())));
    let text = flags.chain(times).collect::<Vec<_>>().join(", ");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-store"))
}

/// How old an answer is when it comes (RFC 9111 §4.2.3).
pub(super) fn initial_age(headers: &HeaderMap, times: Times) -> Duration {
    let date = time_in(headers, &header::DATE).unwrap_or(times.received_at);
    let apparent = between(date, times.received_at);
    let said = headers
        .get(header::AGE)
        .and_then(|age| age.to_str().ok()?.trim().parse().ok());
    let corrected = Duration::from_secs(said.unwrap_or(0)).saturating_add(between(times.asked_at, times.received_at));
    apparent.max(corrected)
}

/// From one time to a later one; nothing if it is not later.
pub(super) fn between(from: Timestamp, to: Timestamp) -> Duration {
    let micros = to.micros().saturating_sub(from.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// The time in a header. The two forms of dates that nobody has sent since 1999 (RFC 9110 §5.6.7) count as none.
pub(super) fn time_in(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    let parsed = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_micros(parsed.as_microsecond()))
}

/// A time as HTTP writes it.
pub(super) fn date(at: Timestamp) -> Option<HeaderValue> {
    let at = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let text = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?;
    HeaderValue::try_from(text).ok()
}

/// The library's form of a time; before 1970 counts as 1970.
fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.micros()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    const NOW: Timestamp = Timestamp::from_micros(784_111_777_000_000);
    const DATE: (HeaderName, &str) = (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT");

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let line = |(name, value): &(HeaderName, &str)| (name.clone(), HeaderValue::from_str(value).unwrap());
        lines.iter().map(line).collect()
    }

    fn lives(lines: &[(HeaderName, &str)]) -> Option<u64> {
        let headers = headers(lines);
        lifetime(&Says::of(&headers), StatusCode::OK, &headers, NOW).map(|lifetime| lifetime.as_secs())
    }

    fn after(seconds: i64) -> Timestamp {
        NOW.plus_micros(seconds * 1_000_000)
    }

    #[test]
    fn s_maxage_comes_before_max_age_and_that_before_expires() {
        let expires = (header::EXPIRES, "Sun, 06 Nov 1994 08:50:37 GMT");
        let with = |text| [(header::CACHE_CONTROL, text), DATE, expires.clone()];
        assert_eq!(lives(&with("max-age=5, s-maxage=7")), Some(7));
        assert_eq!(lives(&with("max-age=5")), Some(5));
        assert_eq!(lives(&with("public")), Some(60));
        assert_eq!(lives(&[DATE, (header::EXPIRES, "0")]), Some(0));
    }

    #[test]
    fn nothing_is_guessed_from_last_modified() {
        assert_eq!(
            lives(&[DATE, (header::LAST_MODIFIED, "Sun, 06 Nov 1983 08:49:37 GMT")]),
            Some(0)
        );
    }

    #[test]
    fn private_and_no_store_are_for_no_shared_cache() {
        assert_eq!(lives(&[(header::CACHE_CONTROL, "Private, max-age=5")]), None);
        assert_eq!(lives(&[(header::CACHE_CONTROL, "max-age=5, NO-STORE")]), None);
        assert_eq!(lives(&[(header::CACHE_CONTROL, "no-cache, max-age=5")]), Some(0));
    }

    #[test]
    fn age_counts_from_other_caches_from_the_way_and_from_an_old_date() {
        let times = Times {
            asked_at: after(-3),
            received_at: NOW,
        };
        let age = |lines: &[(HeaderName, &str)]| initial_age(&headers(lines), times).as_secs();
        assert_eq!(age(&[]), 3);
        assert_eq!(age(&[(header::AGE, "10")]), 13);
        assert_eq!(
            age(&[(header::DATE, "Sun, 06 Nov 1994 08:49:17 GMT"), (header::AGE, "10")]),
            20
        );
        assert_eq!(
            age(&[(header::DATE, "Sun, 06 Nov 2094 08:49:17 GMT")]),
            3,
            "a date ahead of us"
        );
    }

    #[test]
    fn dates_are_written_and_read_as_http_has_them() {
        assert_eq!(date(NOW).unwrap(), DATE.1);
        assert_eq!(time_in(&headers(&[DATE]), &header::DATE), Some(NOW));
        assert_eq!(
            time_in(&headers(&[(header::DATE, "Sun Nov  6 08:49:37 1994")]), &header::DATE),
            None
        );
    }
}
