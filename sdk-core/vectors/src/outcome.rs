//! Outcomes as JSON, in the one form in which they stand in a file.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use serde_json::json;
use trailmark_core::{Engine, FlushReport, Notice, Reason, Request, Stats, Step, StorageHealth, Uuid};
use trailmark_protocol::RawBatch;

use crate::text::{fold, quoted};

/// What a call that captures returned: the event's id, or why there is none.
pub(crate) fn captured(result: Result<Uuid, Reason>) -> String {
    result.map_or_else(refused, |id| quoted(&id.to_string()))
}

/// What a call that captures nothing returned.
pub(crate) fn done<T>(result: Result<T, Reason>) -> String {
    result.map_or_else(refused, |_| "null".to_owned())
}

fn refused(reason: Reason) -> String {
    json!({"refused": reason.as_str()}).to_string()
}

/// What the driver is to do.
pub(crate) fn step(step: &Step) -> String {
    match step {
        Step::Idle => quoted("idle"),
        Step::WakeAt(at) => json!({"wake": at.to_string()}).to_string(),
        Step::Send(request) => send(request),
    }
}

/// A request on several lines, an event on each, so that a person can read it and a diff shows the event.
fn send(request: &Request) -> String {
    let mut out = format!(
        r#"{{"send":{{"method":"POST","path":{},"headers":{{"#,
        quoted(request.path)
    );
    for (at, (name, value)) in request.headers.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{}:{}", quoted(name), quoted(value));
    }
    let lines: Vec<String> = lines(&request.body)
        .into_iter()
        .map(|line| fold(line).join(","))
        .collect();
    let _ = write!(out, "}},\n\"body\":[\n{}]}}}}", lines.join(",\n"));
    out
}

/// The body cut before its first event, and after each.
fn lines(body: &str) -> Vec<&str> {
    let Ok(batch) = serde_json::from_str::<RawBatch<'_>>(body) else {
        return vec![body];
    };
    let mut lines = Vec::new();
    let mut rest = body;
    for event in batch.batch {
        let begin = rest.find(event.get()).unwrap_or(0);
        let comma = usize::from(rest[begin + event.get().len()..].starts_with(','));
        let (before, from) = rest.split_at(begin);
        let (line, after) = from.split_at(event.get().len() + comma);
        lines.extend([before, line].into_iter().filter(|line| !line.is_empty()));
        rest = after;
    }
    lines.push(rest);
    lines
}

#[derive(Serialize)]
struct AllStats<'a> {
    captured: u64,
    delivered: u64,
    dropped: BTreeMap<&'a str, u64>,
    queued: u64,
    queued_bytes: u64,
    attempts: u64,
    last_error: &'a Option<String>,
    paused: bool,
    storage: String,
    opted_out: bool,
    ignored: u64,
    truncated: u64,
}

/// All that an app can see of the truth.
pub(crate) fn stats(stats: &Stats) -> String {
    let storage = match &stats.storage {
        StorageHealth::Memory => "memory".to_owned(),
        StorageHealth::Saved => "saved".to_owned(),
        StorageHealth::Failing(why) => format!("failing: {why}"),
        other => format!("{other:?}"),
    };
    let all = AllStats {
        captured: stats.captured,
        delivered: stats.delivered,
        dropped: stats.dropped.iter().collect(),
        queued: stats.queued,
        queued_bytes: stats.queued_bytes,
        attempts: stats.attempts,
        last_error: &stats.last_error,
        paused: stats.paused,
        storage,
        opted_out: stats.opted_out,
        ignored: stats.ignored,
        truncated: stats.truncated,
    };
    serde_json::to_string(&all).unwrap_or_default()
}

#[derive(Serialize)]
struct Who<'a> {
    install_id: &'a str,
    anonymous_id: &'a str,
    user_id: Option<&'a str>,
    session_id: Option<&'a str>,
    session_seq: Option<u64>,
}

/// Who the next event happens to.
pub(crate) fn identity(engine: &Engine) -> String {
    let (identity, session) = (engine.identity(), engine.session());
    let who = Who {
        install_id: engine.install_id(),
        anonymous_id: identity.anonymous_id(),
        user_id: identity.user_id(),
        session_id: session.map(|session| &*session.id),
        session_seq: session.map(|session| session.seq),
    };
    serde_json::to_string(&who).unwrap_or_default()
}

/// What a flush achieved; `null` while it goes on.
pub(crate) fn report(report: Option<&FlushReport>) -> String {
    #[derive(Serialize)]
    struct Report<'a> {
        delivered: u64,
        dropped: BTreeMap<&'a str, u64>,
        pending: u64,
    }
    let report = report.map(|report| Report {
        delivered: report.delivered,
        dropped: report.dropped.iter().collect(),
        pending: report.pending,
    });
    serde_json::to_string(&report).unwrap_or_default()
}

/// What the app is told of its own accord, in its order.
pub(crate) fn notices(notices: &[Notice]) -> String {
    let texts: Vec<String> = notices.iter().map(|notice| quoted(&word(notice))).collect();
    format!("[{}]", texts.join(","))
}

fn word(notice: &Notice) -> String {
    match notice.detail() {
        Some(detail) => format!("{}: {detail}", notice.kind()),
        None => notice.kind().to_owned(),
    }
}
