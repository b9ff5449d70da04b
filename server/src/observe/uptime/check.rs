//! One check of a monitor, and what came of it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use trailmark_protocol::Timestamp;

use super::judge::{self, Failure, REDIRECTS_MAX};
use super::target::{HttpTarget, Target, TcpTarget};
use crate::observe::outbound::{Answer, Call, Outbound, OutboundError, read_url};
use crate::store::{Searched, Store, StoreError};

/// So much of an answer is read: 256 KiB. With [`CHECKS_AT_ONCE`](super::runner::CHECKS_AT_ONCE) that bounds the memory to
/// 16 MiB.
const BODY_BYTES: usize = 256 * 1024;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How long it took.
    pub took: Duration,
    /// Why it failed; nothing if it did not.
    pub failure: Option<Failure>,
    /// When the first of the certificates ends that were seen.
    pub certificate_not_after: Option<Timestamp>,
}

/// Asks what a monitor asks.
///
/// # Errors
/// Nobody can say what came of it: the database, which looks for regular expressions, is away.
pub async fn check(
    outbound: &Outbound,
    store: &Store,
    target: &Target,
    timeout: Duration,
) -> Result<Outcome, StoreError> {
    let began = Instant::now();
    let (failure, certificate_not_after) = match target {
        Target::Tcp(tcp) => (knock(outbound, tcp, timeout).await.err(), None),
        Target::Http(http) => {
            let mut seen = None;
            let answered = ask(outbound, http, timeout, &mut seen).await;
            let failure = match answered {
                Err(failure) => Some(failure),
                Ok(answer) => judged(store, http, &answer).await?,
            };
            (failure, seen)
        }
    };
    Ok(Outcome {
        took: began.elapsed(),
        failure,
        certificate_not_after,
    })
}

async fn knock(outbound: &Outbound, tcp: &TcpTarget, timeout: Duration) -> Result<(), Failure> {
    let knocked = outbound.knock(&tcp.host, tcp.port, timeout).await;
    knocked.map(|_| ()).map_err(|error| Failure::from(&error))
}

/// The answer, after all redirects that are to be followed.
async fn ask(
    outbound: &Outbound,
    http: &HttpTarget,
    timeout: Duration,
    seen: &mut Option<Timestamp>,
) -> Result<Answer, Failure> {
    let deadline = Instant::now() + timeout;
    let mut call = call(http, timeout)?;
    for _ in 0..=REDIRECTS_MAX {
        call.timeout = deadline.saturating_duration_since(Instant::now());
        let sent = outbound.send(call.clone()).await;
        let certificate = sent
            .as_ref()
            .map_or_else(of_error, |answer| answer.certificate_not_after);
        *seen = earlier(*seen, certificate);
        let answer = sent.map_err(|error| Failure::from(&error))?;
        if !http.follow_redirects {
            return Ok(answer);
        }
        match judge::redirected(&call, answer.status, &answer.headers)? {
            None => return Ok(answer),
            Some(next) => call = next,
        }
    }
    let text = format!("it redirects more than {REDIRECTS_MAX} times");
    Err(Failure::new("too_many_redirects", text))
}

fn of_error(error: &OutboundError) -> Option<Timestamp> {
    error.certificate_not_after
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn call(http: &HttpTarget, timeout: Duration) -> Result<Call, Failure> {
    let url = read_url(&http.url).map_err(|problem| Failure::new("invalid_url", format!("the URL {problem}")))?;
    let header = |(name, value): (&String, &Option<String>)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::try_from(value.as_ref()?).ok()?))
    };
    Ok(Call {
        method: http.method.method(),
        url,
        headers: http.headers.iter().filter_map(header).collect::<HeaderMap>(),
        body: http.body.clone().map(Bytes::from).unwrap_or_default(),
        timeout,
        max_body_bytes: BODY_BYTES,
    })
}

/// Why an answer is not well.
async fn judged(store: &Store, http: &HttpTarget, answer: &Answer) -> Result<Option<Failure>, StoreError> {
    let text = String::from_utf8_lossy(&answer.body);
    let well = judge::status(&http.expected_status, answer.status).and_then(|()| judge::body(http, &text));
    if let Err(failure) = well {
        return Ok(Some(failure));
    }
    for pattern in judge::patterns(http) {
        let failure = match store.search_text(pattern, &text).await? {
            Searched::Found => continue,
            Searched::NotFound => judge::unmatched(pattern),
            Searched::TooSlow => Failure::new("body", "looking through the body took too long"),
            Searched::Invalid(why) => Failure::new("body", why),
        };
        return Ok(Some(failure));
    }
    Ok(None)
}
