//! What the engine says, as JSON.

use trailmark_core::rows::Changes;
use trailmark_core::stats::Dropped;
use trailmark_core::{FlushReport, Notice, Request, Stats, StorageHealth};
use trailmark_protocol::json::{Array, Object};

use crate::BETWEEN;

/// What a host is to change; see [`crate::Engine::changes`].
pub(crate) fn changes(changes: &Changes) -> String {
    let mut out = changes.checkpoint.clone();
    out.push(BETWEEN);
    out.push_str(&changes.gone);
    for row in &changes.new {
        out.push(BETWEEN);
        out.push_str(row);
    }
    out
}

/// A request without its body.
pub(crate) fn request(request: &Request) -> String {
    let mut out = String::new();
    let mut object = Object::open(&mut out).id("id", request.id).str("path", request.path);
    request
        .headers
        .iter()
        .fold(Object::open(object.key("headers")), |headers, (name, value)| {
            headers.str(name, value)
        })
        .close();
    object.close();
    out
}

/// All of the counters.
pub(crate) fn stats(stats: &Stats) -> String {
    let mut out = String::new();
    let object = Object::open(&mut out)
        .int("captured", stats.captured)
        .int("delivered", stats.delivered);
    dropped(object, &stats.dropped)
        .int("queued", stats.queued)
        .int("queued_bytes", stats.queued_bytes)
        .int("attempts", stats.attempts)
        .opt_str("last_error", stats.last_error.as_deref())
        .raw("paused", word(stats.paused))
        .str("storage", &storage(&stats.storage))
        .raw("opted_out", word(stats.opted_out))
        .int("ignored", stats.ignored)
        .int("truncated", stats.truncated)
        .close();
    out
}

fn storage(health: &StorageHealth) -> String {
    match health {
        StorageHealth::Saved => "saved".to_owned(),
        StorageHealth::Failing(why) => "failing: ".to_owned() + why,
        _ => "memory".to_owned(),
    }
}

/// What a flush achieved.
pub(crate) fn report(report: &FlushReport) -> String {
    let mut out = String::new();
    let object = Object::open(&mut out).int("delivered", report.delivered);
    dropped(object, &report.dropped).int("pending", report.pending).close();
    out
}

fn dropped<'a>(mut object: Object<'a>, dropped: &Dropped) -> Object<'a> {
    dropped
        .iter()
        .fold(Object::open(object.key("dropped")), |counts, (reason, count)| {
            counts.int(reason, count)
        })
        .close();
    object
}

/// What somebody should know.
pub(crate) fn notices(notices: &[Notice]) -> String {
    let mut out = String::new();
    let mut array = Array::open(&mut out);
    for notice in notices {
        Object::open(array.element())
            .str("kind", notice.kind())
            .opt_str("detail", notice.detail().as_deref())
            .close();
    }
    array.close();
    out
}

fn word(yes: bool) -> &'static str {
    if yes { "true" } else { "false" }
}
