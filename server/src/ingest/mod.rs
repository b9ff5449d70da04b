//! From a request to a receipt: [`decompress`] → [`decode`] → [`validate`] → [`normalize`] → the journal → 202.
//!
//! One bad event costs only itself: it gets a verdict with a reason while the rest of its batch is stored. The 202 is
//! sent when the journal says that the events are on stable storage, and not before.

use std::borrow::Cow;
use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Body;
use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{Reason, Receipt, Timestamp, Uuid, Verdict, headers};

use crate::app::App;
use crate::event::{BatchHead, BatchWriter};
use crate::gateway::auth::{authorise, presented_key};
use crate::gateway::body::{self, Metered};
use crate::gateway::edge::Peer;
use crate::gateway::keyring::Grant;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::query_string;
use crate::install::InstallReport;
use crate::journal::AppendError;
use crate::store::{KeyKind, Tombstones};

pub mod decompress;
pub mod decode;
pub mod validate;
pub mod normalize;
pub mod counters;
pub mod wire;
pub mod routes;

use decode::{Incoming, Shapes};
use decompress::Coding;
use normalize::Clocks;
use validate::{CleanEvent, Invalid};

/// Bodies longer than this, as sent, are decompressed off the network threads: 64 KiB takes about a millisecond.
const INLINE_BYTES: usize = 64 * 1024;

/// Takes events in one of `shapes`; answers when they are on stable storage. `peer` is who sends them, where that is known.
///
/// # Errors
/// The [`Problem`] to answer with, if the request as a whole is refused.
pub async fn accept<B>(app: &App, request: Request<B>, shapes: Shapes, peer: Option<Peer>) -> Result<Response, Problem>
where
    B: Body<Data = Bytes, Error: Display>,
{
    let received_at = app.clock.now();
    let (parts, body) = request.into_parts();
    // A key beside the body is judged before the body is read: a stranger costs no memory.
    let key = presented_key(&parts.headers, &parts.uri);
    let strange = |key: Option<&str>, problem: &Problem| app.stranger_refused(&parts, peer, key, problem);
    let grant = match &key {
        Some(key) => {
            let authorised = authorise(app, Some(key), KeyKind::Write).await;
            Some(authorised.inspect_err(|problem| strange(Some(key), problem))?)
        }
        None => None,
    };
    // Whoever the key belongs to may listen to what is refused; a request without one belongs to nobody.
    let tell = |grant: Grant, problem: &Problem| app.request_refused(grant.project_id, received_at, problem);
    let tell_anybody = |problem: &Problem| match grant {
        Some(grant) => tell(grant, problem),
        None => strange(None, problem),
    };
    let body = read(app, &parts, body).await.inspect_err(tell_anybody)?;
    let incoming = decode::decode(body.as_slice(), shapes).inspect_err(tell_anybody)?;
    let grant = match grant {
        Some(grant) => grant,
        None => {
            let key = incoming.api_key.as_deref();
            let authorised = authorise(app, key, KeyKind::Write).await;
            authorised.inspect_err(|problem| strange(key, problem))?
        }
    };
    let kept = keep(app, &parts, &incoming, grant, received_at).await;
    let receipt = kept.inspect_err(|problem| tell(grant, problem))?;
    Ok(respond(&receipt))
}

async fn read<B>(app: &App, parts: &Parts, body: B) -> Result<Metered, Problem>
where
    B: Body<Data = Bytes, Error: Display>,
{
    let wire = body::read(body, &app.budget, app.config.http.body_timeout()).await?;
    let coding = Coding::of(&parts.headers, wire.as_slice())?;
    if coding == Coding::Identity {
        return Ok(wire);
    }
    let _turn = app
        .decompressions
        .acquire()
        .await
        .map_err(|_| Problem::new(Code::Overloaded, "the server is stopping"))?;
    if wire.as_slice().len() <= INLINE_BYTES {
        return decompress::decompress(coding, wire);
    }
    let task = tokio::task::spawn_blocking(move || decompress::decompress(coding, wire));
    task.await
        .map_err(|_| Problem::new(Code::Internal, "decompression failed"))?
}

/// When this attempt was sent: by header, by query for beacons, or in the body.
fn sent_at(parts: &Parts, incoming: &Incoming<'_>) -> Option<Timestamp> {
    let header = parts
        .headers
        .get(headers::SENT_AT)
        .and_then(|value| value.to_str().ok())
        .map(Cow::Borrowed);
    let text = header.or_else(|| query_string::get(&parts.uri, "sent_at").map(Cow::Owned));
    text.or_else(|| incoming.sent_at.as_deref().map(Cow::Borrowed))
        .and_then(|text| Timestamp::parse(&text))
}

async fn keep(
    app: &App,
    parts: &Parts,
    incoming: &Incoming<'_>,
    grant: Grant,
    received_at: Timestamp,
) -> Result<Receipt, Problem> {
    let erased = app.store.tombstones();
    let attempt = Attempt {
        project_id: grant.project_id,
        erased: &erased,
        received_at,
        sent_at: sent_at(parts, incoming),
        sdk: parts.headers.get(headers::SDK).and_then(|value| value.to_str().ok()),
    };
    let Judged { kept, results } = judge(incoming, &attempt);
    app.refusals
        .events(grant.project_id, results.iter().map(|refused| refused.reason.clone()));
    let accepted = kept.as_ref().map_or(0, BatchWriter::events);
    let tap = app.live.tap(grant.project_id);
    if let Some(payload) = kept {
        let payload = payload.finish();
        let heard = tap.as_ref().map(|_| payload.clone());
        app.journal.append(payload).await.map_err(refused)?;
        if let (Some(tap), Some(heard)) = (&tap, heard) {
            tap.accepted(heard, accepted);
        }
    }
    if let Some(tap) = tap {
        tap.refused(received_at, incoming, &results);
    }
    app.requests.accepted(accepted);
    Ok(Receipt {
        accepted,
        results,
        next_send_after_ms: 0,
    })
}

/// What is known of a batch besides its body.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The project whose key came with it.
    pub project_id: i32,
    /// When it came, by the server's clock.
    pub received_at: Timestamp,
    /// When it was sent, by the client's.
    pub sent_at: Option<Timestamp>,
    /// Name and version of the SDK.
    pub sdk: Option<&'a str>,
    /// Who was erased, as far as this server knows.
    pub erased: &'a Tombstones,
}

/// What becomes of a batch.
#[derive(Debug)]
pub struct Judged {
    /// The accepted events and the install's counters, as the journal takes them; none if there is neither.
    pub kept: Option<BatchWriter>,
    /// The verdicts on the other events.
    pub results: Vec<Refused>,
}

/// Judges each event of a batch alone. Pure, but for the id of an event that came without one.
#[must_use]
pub fn judge(incoming: &Incoming<'_>, attempt: &Attempt<'_>) -> Judged {
    let mut checked: Vec<_> = incoming.events.iter().map(|raw| validate::validate(raw)).collect();
    let newest = checked.iter().flatten().filter_map(|event| event.timestamp).max();
    let clocks = Clocks::new(attempt.received_at, attempt.sent_at, newest);
    refuse_erased(&mut checked, attempt, &clocks);
    let bytes: usize = incoming.events.iter().map(|raw| raw.get().len()).sum();
    let head = BatchHead {
        project_id: attempt.project_id,
        received_at: attempt.received_at,
        install_id: install_id(incoming),
    };
    let report = report(incoming, &head, attempt.sdk, &checked);
    let payload = lay_out(&checked, &head, report.as_ref(), &clocks, bytes);
    let results = checked
        .into_iter()
        .enumerate()
        .filter_map(|(index, event)| event.err().map(|invalid| verdict(index, invalid)));
    Judged {
        kept: (payload.events() > 0 || report.is_some()).then_some(payload),
        results: results.collect(),
    }
}

/// Refuses events that name somebody who was erased after they were captured. In most projects nobody ever was.
fn refuse_erased(checked: &mut [Result<CleanEvent<'_>, Invalid>], attempt: &Attempt<'_>, clocks: &Clocks) {
    if !attempt.erased.concern(attempt.project_id) {
        return;
    }
    for judged in checked {
        let Ok(event) = judged else { continue };
        let accepted = normalize::normalize(event, clocks, entropy);
        if attempt.erased.name(attempt.project_id, &accepted, attempt.received_at) {
            *judged = Err(Invalid {
                reason: Reason::Erased,
                detail: "one of its ids was erased after it was captured".to_owned(),
                id: event.id.as_deref().and_then(|id| Uuid::try_parse(id).ok()),
            });
        }
    }
}

/// An install id that could not be stored is as good as none.
fn install_id<'a>(incoming: &'a Incoming<'_>) -> Option<&'a str> {
    incoming
        .install_id
        .as_deref()
        .filter(|id| id.len() <= trailmark_protocol::limits::ID_CHARS && !id.contains('\0'))
}

/// What the install says of itself. Counters that cannot be believed, or that nobody has sent, are as good as none.
fn report(
    incoming: &Incoming<'_>,
    head: &BatchHead<'_>,
    sdk: Option<&str>,
    checked: &[Result<CleanEvent<'_>, Invalid>],
) -> Option<InstallReport> {
    let counters = incoming.counters?;
    let report = head.install_id.and_then(|_| counters::report(counters, sdk, checked));
    if report.is_none() {
        metrics::counter!("trailmark_ingest_counters_ignored_total").increment(1);
    }
    report
}

fn lay_out(
    checked: &[Result<CleanEvent<'_>, Invalid>],
    head: &BatchHead<'_>,
    report: Option<&InstallReport>,
    clocks: &Clocks,
    bytes: usize,
) -> BatchWriter {
    let mut writer = BatchWriter::with_report(head, report, bytes + 64);
    for event in checked.iter().flatten() {
        writer.push(&normalize::normalize(event, clocks, entropy));
    }
    writer
}

/// Ten unpredictable bytes, for an event that came without an id. A v4 UUID has its fixed bits where a v7 has them.
fn entropy() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&uuid::Uuid::new_v4().as_bytes()[6..]);
    bytes
}

fn verdict(index: usize, invalid: Invalid) -> Refused {
    metrics::counter!("trailmark_ingest_dropped_total", "reason" => invalid.reason.as_str()).increment(1);
    Refused {
        index,
        id: invalid.id,
        verdict: Verdict::Dropped,
        reason: Cow::Borrowed(invalid.reason.as_str()),
        detail: invalid.detail,
    }
}

/// The answer to a batch that the journal does not take.
#[must_use]
pub fn refused(error: AppendError) -> Problem {
    match error {
        AppendError::Full => Problem::new(Code::JournalFull, "the journal is at its disk bound"),
        AppendError::TooLarge => Problem::new(Code::BodyTooLarge, "the batch is larger than a journal record"),
        error => Problem::new(Code::JournalUnavailable, error.to_string()),
    }
}

fn respond(receipt: &Receipt) -> Response {
    let mut response = (StatusCode::ACCEPTED, receipt.to_json()).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
