//! From a request to a receipt: [`decompress`] → [`decode`] → [`validate`] → [`normalize`] → the journal → 202.
//!
//! One bad event costs only itself: it gets a verdict with a reason while the rest of its batch is stored. The 202 is
//! sent when the journal says that the events are on stable storage, and not before.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{Receipt, Timestamp, Verdict, headers};

use crate::app::App;
use crate::event::{BatchHead, BatchWriter};
use crate::gateway::auth::{authorise, presented_key};
use crate::gateway::body::{self, Metered};
use crate::gateway::keyring::Grant;
use crate::gateway::problem::{Code, Problem};
use crate::gateway::query_string;
use crate::install::InstallReport;
use crate::journal::AppendError;
use crate::store::KeyKind;

pub mod decompress;
pub mod decode;
pub mod validate;
pub mod normalize;
pub mod counters;

use decode::{Incoming, Shapes};
use decompress::Coding;
use normalize::Clocks;
use validate::{CleanEvent, Invalid};

/// Bodies longer than this, as sent, are decompressed off the network threads: 64 KiB takes about a millisecond.
const INLINE_BYTES: usize = 64 * 1024;

/// `POST /v1/batch`: a batch of the native protocol.
///
/// # Errors
/// The [`Problem`] to answer with, if the request as a whole is refused.
pub async fn batch(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    accept(&app, request, Shapes::Batch).await
}

/// `POST /api/events`: a batch, an array of events or one event, also in the short form `{"anonymous_id","name"}`.
///
/// # Errors
/// The [`Problem`] to answer with, if the request as a whole is refused.
pub async fn events(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    accept(&app, request, Shapes::Any).await
}

async fn accept(app: &App, request: Request, shapes: Shapes) -> Result<Response, Problem> {
    let received_at = app.clock.now();
    let (parts, body) = request.into_parts();
    // A key beside the body is judged before the body is read: a stranger costs no memory.
    let grant = match presented_key(&parts.headers, &parts.uri) {
        Some(key) => Some(authorise(app, Some(&key), KeyKind::Write).await?),
        None => None,
    };
    let body = read(app, &parts, body).await?;
    let incoming = decode::decode(body.as_slice(), shapes)?;
    let grant = match grant {
        Some(grant) => grant,
        None => authorise(app, incoming.api_key.as_deref(), KeyKind::Write).await?,
    };
    let receipt = keep(app, &parts, &incoming, grant, received_at).await?;
    Ok(respond(&receipt))
}

async fn read(app: &App, parts: &Parts, body: Body) -> Result<Metered, Problem> {
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
    let checked: Vec<_> = incoming.events.iter().map(|raw| validate::validate(raw)).collect();
    let newest = checked.iter().flatten().filter_map(|event| event.timestamp).max();
    let clocks = Clocks::new(received_at, sent_at(parts, incoming), newest);
    let bytes: usize = incoming.events.iter().map(|raw| raw.get().len()).sum();
    let head = BatchHead {
        project_id: grant.project_id,
        received_at,
        install_id: install_id(incoming),
    };
    let report = report(parts, incoming, &head, &checked);
    let payload = lay_out(&checked, &head, report.as_ref(), &clocks, bytes);
    let accepted = payload.events();
    if accepted > 0 || report.is_some() {
        app.journal.append(payload.finish()).await.map_err(refused)?;
    }
    metrics::counter!("trailmark_ingest_accepted_total").increment(accepted as u64);
    let results = checked
        .into_iter()
        .enumerate()
        .filter_map(|(index, event)| event.err().map(|invalid| verdict(index, invalid)));
    Ok(Receipt {
        accepted,
        results: results.collect(),
        next_send_after_ms: 0,
    })
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
    parts: &Parts,
    incoming: &Incoming<'_>,
    head: &BatchHead<'_>,
    checked: &[Result<CleanEvent<'_>, Invalid>],
) -> Option<InstallReport> {
    let counters = incoming.counters?;
    let sdk = parts.headers.get(headers::SDK).and_then(|value| value.to_str().ok());
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

fn refused(error: AppendError) -> Problem {
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
