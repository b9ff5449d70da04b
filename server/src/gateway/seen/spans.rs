//! Records as OTLP/JSON: a `SERVER` span each, with the attributes of OpenTelemetry's HTTP conventions 1.23
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>).

use trailmark_protocol::json::{Array, Object, write_str};

use super::line::protocol;
use super::record::{Outcome, Record};
use super::redact::write_clean;
use crate::gateway::digits::push_hex;

/// `SPAN_KIND_SERVER`.
const SERVER: u64 = 2;

/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;

/// The body of an export: `ExportTraceServiceRequest` in OTLP's JSON.
pub(super) fn request(service: &str, records: &[Record]) -> String {
    let mut out = String::with_capacity(256 + 1024 * records.len());
    out.push_str(r#"{"resourceSpans":[{"resource":{"attributes":["#);
    text_attribute(&mut out, "service.name", service);
    out.push_str(r#"]},"scopeSpans":[{"scope":{"name":"trailmark.gateway"},"spans":"#);
    let mut spans = Array::open(&mut out);
    for record in records {
        span(spans.element(), record);
    }
    spans.close();
    out.push_str("}]}]}");
    out
}

fn span(out: &mut String, record: &Record) {
    let trace = &record.trace;
    let mut object = Object::open(out);
    hex(&mut object, "traceId", trace.trace_id);
    hex(&mut object, "spanId", trace.span_id);
    if let Some(parent) = trace.parent {
        hex(&mut object, "parentSpanId", parent);
    }
    write_str(object.key("name"), &name(record));
    let mut object = object.int("kind", SERVER);
    let begin = i128::from(record.at.micros()) * 1_000;
    let end = begin.saturating_add_unsigned(record.took().as_nanos());
    for (key, nanos) in [("startTimeUnixNano", begin), ("endTimeUnixNano", end)] {
        // 64-bit numbers are texts in protobuf's JSON.
        write_str(object.key(key), &nanos.max(0).to_string());
    }
    attributes(object.key("attributes"), record);
    if record.is_error() {
        Object::open(object.key("status")).int("code", ERROR).close();
    }
    object.close();
}

fn name(record: &Record) -> String {
    let (method, path) = (super::metrics::method_label(&record.method), &record.route.path);
    format!("{method} {path}").trim_end().to_owned()
}

fn attributes(out: &mut String, record: &Record) {
    let mut array = Array::open(out);
    text_attribute(array.element(), "http.request.method", record.method.as_str());
    text_attribute(array.element(), "url.path", record.uri.path());
    text_attribute(array.element(), "url.scheme", if record.tls { "https" } else { "http" });
    text_attribute(array.element(), "client.address", &record.client_ip.to_string());
    let version = protocol(record.version).trim_start_matches("HTTP/");
    text_attribute(array.element(), "network.protocol.version", version);
    if !record.route.path.is_empty() {
        text_attribute(array.element(), "http.route", &record.route.path);
    }
    for (key, value) in [
        ("server.address", record.host.as_ref()),
        ("user_agent.original", record.user_agent.as_ref()),
        ("trailmark.request_id", Some(&record.request_id)),
    ] {
        if let Some(value) = value {
            text_attribute(array.element(), key, &String::from_utf8_lossy(value.as_bytes()));
        }
    }
    ending(&mut array, record);
    array.close();
}

fn ending(array: &mut Array<'_>, record: &Record) {
    if let Some(status) = record.status {
        int_attribute(array.element(), "http.response.status_code", u64::from(status.as_u16()));
    }
    let error = match record.refused {
        Some(code) if record.is_error() => Some(code.as_str()),
        _ if record.outcome() != Outcome::Complete => Some(record.outcome().as_str()),
        _ => None,
    };
    if let Some(error) = error {
        text_attribute(array.element(), "error.type", error);
    }
    int_attribute(array.element(), "http.request.body.size", record.bytes_in);
    int_attribute(array.element(), "http.response.body.size", record.bytes_out);
    if let (Some(upstream), Some(asked)) = (&record.route.upstream, record.asked) {
        text_attribute(array.element(), "trailmark.upstream", upstream);
        if let Some(endpoint) = asked.endpoint {
            int_attribute(array.element(), "trailmark.endpoint", u64::from(endpoint));
        }
        int_attribute(array.element(), "trailmark.attempts", u64::from(asked.attempts));
    }
    if let Some(cache) = record.cache {
        text_attribute(array.element(), "trailmark.cache", cache.as_str());
    }
}

fn text_attribute(out: &mut String, key: &str, value: &str) {
    let mut object = Object::open(out).str("key", key);
    let mut any = Object::open(object.key("value"));
    write_clean(any.key("stringValue"), value);
    any.close();
    object.close();
}

fn int_attribute(out: &mut String, key: &str, value: u64) {
    let mut object = Object::open(out).str("key", key);
    Object::open(object.key("value"))
        .str("intValue", &value.to_string())
        .close();
    object.close();
}

fn hex<const N: usize>(object: &mut Object<'_>, key: &str, id: [u8; N]) {
    let out = object.key(key);
    out.push('"');
    push_hex(out, &id);
    out.push('"');
}
