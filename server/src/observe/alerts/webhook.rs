//! Webhooks: a POST that is signed, to a URL that the guard lets through.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use trailmark_protocol::Timestamp;

use super::backoff;
use super::channel::{Channel, Webhook};
use super::mail::{BadSmtp, Mailer};
use super::outcome::{Outcome, Verdict, safe};
use super::signature::signatures;
use super::words;
use crate::config::Config;
use crate::observe::outbound::{Answer, Call, ErrorKind, Outbound, OutboundError, Url};
use crate::query::ask::question::Path;
use crate::store::alerts::Due;

/// How long a receiver may take: 10 seconds. It should answer first and work then.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an answer is read: 2 KiB, of which 500 bytes are kept.
const ANSWER_BYTES: usize = 2_048;

/// Parts of a URL that are this long may be its secret, in characters: a chat's tokens have 24, its channel's name has not.
const SECRET_PART_CHARS: usize = 12;

/// Everything that messages leave by.
#[derive(Debug, Clone)]
pub struct Senders {
    /// Calls webhooks.
    pub outbound: Outbound,
    /// Sends mail; none: there is no `[smtp]`.
    pub mailer: Option<Mailer>,
    /// How people reach this server; may be empty.
    pub public_url: String,
    /// How long a webhook's receiver may take.
    pub webhook_timeout: Duration,
}

impl Senders {
    /// As the configuration has it.
    ///
    /// # Errors
    /// `[smtp]` makes no sense.
    pub fn open(config: &Config, outbound: Outbound) -> Result<Self, BadSmtp> {
        Ok(Self {
            outbound,
            mailer: Mailer::open(&config.smtp)?,
            public_url: config.http.public_url.clone(),
            webhook_timeout: WEBHOOK_TIMEOUT,
        })
    }

    /// Sends a message once.
    pub async fn send(&self, due: &Due, now: Timestamp) -> Outcome {
        match (&due.channel.0, &self.mailer) {
            (Channel::Webhook(webhook), _) => self.post(webhook, due, now).await,
            (Channel::Email(_), None) => Outcome::failed(
                Verdict::Failed { retry_after: None },
                "this server sends no mail: see [smtp]",
            ),
            (Channel::Email(_), Some(mailer)) => mailer.send(&due.message, &self.public_url, now).await,
        }
    }

    async fn post(&self, webhook: &Webhook, due: &Due, now: Timestamp) -> Outcome {
        let url = match webhook.read(&Path::root()) {
            Ok(url) => url,
            Err(invalid) => return Outcome::failed(Verdict::Refused, format!("the URL {}", invalid.problem)),
        };
        let hidden = hidden(&url);
        let body = words::payload(&due.message, &self.public_url);
        let call = Call {
            method: Method::POST,
            headers: headers(due, now, &body),
            url,
            body: body.into(),
            timeout: self.webhook_timeout,
            max_body_bytes: ANSWER_BYTES,
        };
        match self.outbound.send(call).await {
            Ok(answer) => answered(&answer, &hidden, now),
            Err(error) => unanswered(&error, &hidden),
        }
    }
}

/// `msg_` and the id of a message: the same with every attempt.
#[must_use]
pub fn webhook_id(due: &Due) -> String {
    format!("msg_{}", due.message.id.simple())
}

fn headers(due: &Due, now: Timestamp, body: &[u8]) -> HeaderMap {
    let (id, seconds) = (webhook_id(due), now.millis().div_euclid(1_000));
    let signed = signatures(due.secrets(now), &id, seconds, body);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static("webhook-timestamp"), HeaderValue::from(seconds));
    // Both are ASCII: hexadecimal and base64.
    for (name, value) in [("webhook-id", id), ("webhook-signature", signed)] {
        headers.extend(HeaderValue::try_from(value).map(|value| (HeaderName::from_static(name), value)));
    }
    headers
}

fn answered(answer: &Answer, hidden: &[String], now: Timestamp) -> Outcome {
    let status = answer.status;
    let after = answer.headers.get(header::RETRY_AFTER);
    let after = after.and_then(|value| backoff::retry_after(value.to_str().ok()?, now));
    let verdict = verdict(status, after);
    let word = status.canonical_reason().unwrap_or_default();
    let error = match verdict {
        Verdict::Delivered => None,
        _ if status.is_redirection() => Some(format!(
            "answered {} {word}: redirects are not followed",
            status.as_u16()
        )),
        _ => Some(format!("answered {} {word}", status.as_u16())),
    };
    Outcome {
        verdict,
        status: Some(status.as_u16().into()),
        error,
        body: Some(safe(&answer.body, hidden)).filter(|body| !body.is_empty()),
        took: answer.took,
    }
}

/// What a status means: anything but success is tried again, for it is the receiver that may be mended, except where it says
/// that it is gone.
fn verdict(status: StatusCode, retry_after: Option<i64>) -> Verdict {
    match status {
        status if status.is_success() => Verdict::Delivered,
        StatusCode::GONE => Verdict::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Verdict::Failed { retry_after },
        _ => Verdict::Failed { retry_after: None },
    }
}

fn unanswered(error: &OutboundError, hidden: &[String]) -> Outcome {
    let verdict = match error.kind {
        ErrorKind::InvalidUrl | ErrorKind::RefusedAddress => Verdict::Refused,
        _ => Verdict::Failed { retry_after: None },
    };
    Outcome::failed(verdict, safe(error.detail.as_bytes(), hidden))
}

/// What of a URL a receiver may say, and nobody else should read: its path with the query, and long parts of them.
fn hidden(url: &Url) -> Vec<String> {
    let whole = url
        .query()
        .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let parts = url
        .path()
        .split('/')
        .chain(url.query().unwrap_or_default().split(['&', '=']));
    let long = parts.filter(|part| part.chars().count() >= SECRET_PART_CHARS);
    let mut hidden: Vec<String> = long.map(str::to_owned).collect();
    hidden.extend(Some(whole).filter(|whole| whole.len() > 1));
    hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_success_or_gone_or_tried_again_when_the_receiver_says() {
        let of = |status| verdict(StatusCode::from_u16(status).unwrap(), Some(7));
        for status in [200, 202, 204, 299] {
            assert_eq!(of(status), Verdict::Delivered, "{status}");
        }
        for status in [429, 503] {
            assert_eq!(of(status), Verdict::Failed { retry_after: Some(7) }, "{status}");
        }
        for status in [301, 302, 307, 400, 401, 404, 500, 502, 504] {
            assert_eq!(of(status), Verdict::Failed { retry_after: None }, "{status}");
        }
        assert_eq!(of(410), Verdict::Gone);
    }

    #[test]
    fn an_answer_that_repeats_the_url_does_not_give_it_away() {
        let url = Url::parse("https://hooks.example.com/services/T0/abcdefghijklmnop?token=0123456789abcdef").unwrap();
        let said =
            b"no /services/T0/abcdefghijklmnop?token=0123456789abcdef, abcdefghijklmnop, 0123456789abcdef in services";
        assert_eq!(safe(said, &hidden(&url)), "no …, …, … in services");
        assert!(hidden(&Url::parse("https://example.com").unwrap()).is_empty());
    }
}
