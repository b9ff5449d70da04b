//! Any bytes in any content coding, from the body of a request to what the journal keeps: decoded within its bounds or
//! refused with a code, and what is accepted comes back as it is.
//!
//! The first line of the input is the `Content-Encoding`, the rest the body. After a `+`, the body is packed here first,
//! so that what is inside of a coding is tried as well as the coding itself.
#![no_main]

use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use trailmark_fuzz::coding::{NAMES, packed};
use trailmark_fuzz::memory::{Watched, peak};
use trailmark_protocol::limits::{BATCH_EVENTS, EVENT_BYTES};
use trailmark_protocol::{Event, Timestamp, json};
use trailmark_server::event::{AcceptedEvent, Batch, BatchWriter, read_batch};
use trailmark_server::gateway::body::{Budget, Metered};
use trailmark_server::gateway::problem::{Code, Problem};
use trailmark_server::ingest::decode::{Incoming, Shapes, decode};
use trailmark_server::ingest::decompress::{Coding, decompress_within};
use trailmark_server::ingest::{Attempt, judge};
use trailmark_server::store::Tombstones;

#[global_allocator]
static MEMORY: Watched = Watched;

/// What a body may decode to, here: 16 KiB. The server's own limit would let one input take a hundred times as long.
const LIMIT: usize = 16 << 10;

/// What all bodies may take at once.
const BUDGET: usize = 8 * LIMIT;

/// What decoding may take: the decoded body, twice as it grows, and a decoder with its window, which for brotli is up to
/// 16 MiB (RFC 7932 §9.1) as soon as a block says that it is so long. The server decodes few bodies at once.
const DECODING_BYTES: usize = 2 * LIMIT + (17 << 20);

/// What reading and judging may take for each byte of a body: an event of two bytes, `{}`, becomes a verdict.
const JUDGING_FACTOR: usize = 512;

/// When the body came: 2026-11-20T12:00:00Z.
const RECEIVED_AT: Timestamp = Timestamp::from_millis(1_795_176_000_000);

/// A batch of which something is accepted, or all that is below is never tried.
const EXAMPLE: &[u8] = include_bytes!("../../protocol/tests/golden/batch.json");

fuzz_target!(init: assert!(read(EXAMPLE) > 0), |input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (coding, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    match coding.strip_prefix(b"+") {
        Some(name) => comes_back(&String::from_utf8_lossy(name), body),
        None => is_bounded(coding, body),
    }
});

/// A body as it came.
fn is_bounded(coding: &[u8], wire: &[u8]) {
    let budget = Budget::new(BUDGET);
    let mut headers = HeaderMap::new();
    headers.extend(
        HeaderValue::from_bytes(coding)
            .ok()
            .filter(|_| !coding.is_empty())
            .map(|value| (header::CONTENT_ENCODING, value)),
    );
    let (decoded, bytes) = peak(|| decoded(&headers, wire, &budget));
    assert!(
        bytes <= DECODING_BYTES + 2 * wire.len(),
        "{bytes} bytes to decode {}",
        wire.len()
    );
    match decoded {
        Ok(body) => _ = read(body.as_slice()),
        Err(problem) => {
            let known = [
                Code::UnsupportedEncoding,
                Code::InvalidEncoding,
                Code::BodyTooLarge,
                Code::Overloaded,
            ];
            is_told(&problem, &known, wire.len());
        }
    }
    let mut all = Metered::new(&budget, BUDGET);
    assert!(
        all.extend(&[0; BUDGET]).is_ok(),
        "what was taken from the budget was given back"
    );
}

fn decoded(headers: &HeaderMap, wire: &[u8], budget: &Budget) -> Result<Metered, Problem> {
    let coding = Coding::of(headers, wire)?;
    let decoded = unpacked(coding, wire, budget)?;
    assert!(coding == Coding::Identity || decoded.as_slice().len() <= LIMIT);
    Ok(decoded)
}

fn unpacked(coding: Coding, wire: &[u8], budget: &Budget) -> Result<Metered, Problem> {
    let mut body = Metered::new(budget, BUDGET);
    body.extend(wire)?;
    decompress_within(coding, body, LIMIT)
}

fn is_told(problem: &Problem, known: &[Code], length: usize) {
    assert!(known.contains(&problem.code()), "{:?}", problem.code());
    assert!(problem.detail().len() <= 1000 + 2 * length, "{}", problem.detail());
}

/// A body that was packed here: unpacked it is the same, and one that is cut, or that has more behind it, is refused.
fn comes_back(name: &str, plain: &[u8]) {
    let Some(wire) = packed(name, plain) else { return };
    let coding = match name {
        "gzip" => Coding::Gzip,
        "br" => Coding::Brotli,
        "zstd" => Coding::Zstd,
        _ => Coding::Deflate,
    };
    let budget = Budget::new(BUDGET);
    let code = |wire: &[u8]| {
        unpacked(coding, wire, &budget)
            .map(|_| ())
            .map_err(|problem| problem.code())
    };
    match unpacked(coding, &wire, &budget) {
        Ok(body) => assert_eq!(body.as_slice(), plain, "{name}"),
        Err(problem) => assert!(
            problem.code() == Code::BodyTooLarge && plain.len() > LIMIT,
            "{name}: {}",
            problem.detail()
        ),
    }
    if plain.len() < LIMIT {
        let cut = 1 + plain.iter().map(|byte| usize::from(*byte)).sum::<usize>() % (wire.len() - 1).max(1);
        assert!(
            cut >= wire.len() || code(&wire[..cut]) == Err(Code::InvalidEncoding),
            "{name}, {cut} of {}",
            wire.len()
        );
        let more = [&wire[..], b"{}"].concat();
        assert_eq!(code(&more), Err(Code::InvalidEncoding), "{name}, and more");
    }
    read(plain);
}

/// How many events of it are accepted.
fn read(body: &[u8]) -> usize {
    let mut accepted = 0;
    for shapes in [Shapes::Batch, Shapes::Any] {
        let (read, bytes) = peak(|| decode(body, shapes).map(|incoming| judged(&incoming)));
        assert!(
            bytes <= (1 << 20) + JUDGING_FACTOR * body.len(),
            "{bytes} bytes to read {}",
            body.len()
        );
        match read {
            Ok(events) => accepted = events,
            Err(problem) => {
                let known = [Code::InvalidJson, Code::InvalidBatch, Code::TooManyEvents];
                is_told(&problem, &known, body.len());
            }
        }
    }
    accepted
}

/// Each event is accepted or has its verdict, and the journal's bytes are read as what they were written of.
fn judged(incoming: &Incoming<'_>) -> usize {
    assert!(incoming.events.len() <= BATCH_EVENTS);
    let erased = Tombstones::default();
    let attempt = Attempt {
        project_id: 1,
        received_at: RECEIVED_AT,
        sent_at: None,
        sdk: None,
        erased: &erased,
    };
    let judged = judge(incoming, &attempt);
    let indexes: Vec<_> = judged.results.iter().map(|refused| refused.index).collect();
    assert!(indexes.is_sorted_by(|one, next| one < next) && indexes.iter().all(|index| *index < incoming.events.len()));
    for refused in &judged.results {
        assert!(refused.detail.len() <= 300 + 2 * incoming.events[refused.index].get().len());
    }
    let accepted = judged.kept.as_ref().map_or(0, BatchWriter::events);
    assert_eq!(accepted + judged.results.len(), incoming.events.len(), "none is lost");
    let Some(kept) = judged.kept.map(BatchWriter::finish) else {
        return 0;
    };
    let batch = read_batch(&kept).expect("what was written can be read");
    assert_eq!(batch.events.len(), accepted);
    assert_eq!(written(&batch), kept);
    batch.events.iter().for_each(|event| is_storable(event));
    batch.events.iter().for_each(|event| comes_again(event, &attempt));
    accepted
}

fn written(batch: &Batch<'_>) -> Vec<u8> {
    let mut writer = BatchWriter::with_report(&batch.head, batch.report.as_ref(), 0);
    batch.events.iter().for_each(|event| writer.push(event));
    writer.finish().to_vec()
}

/// PostgreSQL takes no NUL in a text, and in `jsonb` neither that nor half a surrogate pair.
fn is_storable(event: &AcceptedEvent<'_>) {
    let texts = [
        Some(event.name),
        event.anonymous_id,
        event.user_id,
        event.alias,
        event.session_id,
    ];
    assert!(
        texts
            .into_iter()
            .flatten()
            .all(|text| !text.is_empty() && text.chars().count() <= 200 && !text.contains('\0'))
    );
    assert!(event.anonymous_id.is_some() || event.user_id.is_some());
    for object in [event.properties, event.context, event.set, event.set_once]
        .into_iter()
        .flatten()
    {
        assert!(json::scan(object).is_ok_and(|shape| !shape.needs_repair), "{object}");
        let value = serde_json::from_str::<serde_json::Value>(object);
        assert!(value.is_ok_and(|value| value.is_object()), "{object}");
    }
}

/// Written by a client again, an accepted event is the same.
fn comes_again(event: &AcceptedEvent<'_>, attempt: &Attempt<'_>) {
    let text = Event {
        id: event.id,
        seq: event.seq.and_then(|seq| seq.try_into().ok()),
        name: event.name,
        anonymous_id: event.anonymous_id,
        user_id: event.user_id,
        alias: event.alias,
        session_id: event.session_id,
        timestamp: event.client_timestamp,
        properties: event.properties,
        context: event.context,
        set: event.set,
        set_once: event.set_once,
    }
    .to_json();
    // One that came without id and time is longer with them.
    if text.len() > EVENT_BYTES {
        return;
    }
    let raw = RawValue::from_string(text).expect("a client writes JSON");
    let incoming = Incoming {
        events: vec![&raw],
        install_id: None,
        api_key: None,
        sent_at: None,
        counters: None,
    };
    let kept = judge(&incoming, attempt).kept.map(BatchWriter::finish);
    let kept = kept.unwrap_or_else(|| panic!("refused when it comes again: {raw}"));
    assert_eq!(read_batch(&kept).expect("it was written").events, [*event], "{raw}");
}

const _: () = assert!(NAMES.len() == 5, "each has its coding above");
