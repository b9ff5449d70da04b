//! One line of the access log.

use std::cell::RefCell;
use std::time::Duration;

use http::{HeaderValue, Version};
use trailmark_protocol::Timestamp;
use trailmark_protocol::json::{Object, write_digits, write_u64};

use super::log::LogPolicy;
use super::record::Record;
use super::redact::write_clean;
use crate::gateway::digits::{push_hex, push_ip};

/// A line is about 500 bytes; a longer one grows the thread's buffer once.
const LINE_BYTES: usize = 1024;

thread_local! {
    /// Each thread's, so that a line costs no allocation.
    static LINE: RefCell<String> = RefCell::new(String::with_capacity(LINE_BYTES));
}

/// Gives the line of `record`, with its end, to `take`.
pub(super) fn with(policy: &LogPolicy, record: &Record, take: impl FnOnce(&str)) {
    LINE.with_borrow_mut(|line| {
        line.clear();
        write(line, policy, record);
        line.push('\n');
        take(line);
    });
}

fn write(out: &mut String, policy: &LogPolicy, record: &Record) {
    let mut object = Object::open(out).time("ts", milliseconds(record.at));
    write_clean(object.key("method"), record.method.as_str());
    header(&mut object, "host", record.host.as_ref());
    write_clean(object.key("path"), record.uri.path());
    if let Some(query) = record.uri.query().filter(|_| policy.query) {
        policy.redaction.write_query(object.key("query"), query);
    }
    let object = ending(object, record);
    let object = origin(object, record);
    let mut object = way(object, record);
    header(&mut object, "user_agent", record.user_agent.as_ref());
    let mut object = object.str("protocol", protocol(record.version));
    object.key("tls").push_str(if record.tls { "true" } else { "false" });
    if !record.headers.is_empty() {
        headers(object.key("headers"), policy, record);
    }
    object.close();
}

/// How it ended.
fn ending<'a>(object: Object<'a>, record: &Record) -> Object<'a> {
    let refused = record.refused.map(|code| code.as_str());
    let mut object = object
        .int("status", u64::from(record.status().as_u16()))
        .opt_str("code", refused)
        .str("outcome", record.outcome().as_str());
    write_millis(object.key("duration_ms"), record.took());
    if let Some(took) = record.upstream_took {
        write_millis(object.key("upstream_ms"), took);
    }
    object
        .int("bytes_in", record.bytes_in)
        .int("bytes_out", record.bytes_out)
}

/// Who sent it, and what it is called.
fn origin<'a>(object: Object<'a>, record: &Record) -> Object<'a> {
    let mut object = object.str("route", &record.route.id);
    let out = object.key("client_ip");
    out.push('"');
    push_ip(out, record.client_ip);
    out.push('"');
    for (key, who) in [("user", &record.user), ("key", &record.key)] {
        if let Some(who) = who {
            write_clean(object.key(key), who);
        }
    }
    header(&mut object, "request_id", Some(&record.request_id));
    let out = object.key("trace_id");
    out.push('"');
    push_hex(out, &record.trace.trace_id);
    out.push('"');
    object
}

/// Which way it went.
fn way<'a>(mut object: Object<'a>, record: &Record) -> Object<'a> {
    if let (Some(name), Some(asked)) = (&record.route.upstream, record.asked) {
        write_clean(object.key("upstream"), name);
        if let Some(endpoint) = asked.endpoint {
            object = object.int("endpoint", u64::from(endpoint));
        }
        object = object.int("attempts", u64::from(asked.attempts));
    }
    object.opt_str("cache", record.cache.map(|status| status.as_str()))
}

fn headers(out: &mut String, policy: &LogPolicy, record: &Record) {
    let mut object = Object::open(out);
    for (name, value) in &record.headers {
        policy.redaction.write_header(object.key(name.as_str()), name, value);
    }
    object.close();
}

fn header(object: &mut Object<'_>, key: &str, value: Option<&HeaderValue>) {
    if let Some(value) = value {
        write_clean(object.key(key), &String::from_utf8_lossy(value.as_bytes()));
    }
}

/// Cut to what is written with three digits.
fn milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis())
}

/// Milliseconds with three digits after the point.
fn write_millis(out: &mut String, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    write_u64(out, micros / 1000);
    out.push('.');
    write_digits(out, micros % 1000, 3);
}

/// As the HTTP specifications call it.
pub(super) fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "HTTP/1.1",
    }
}
