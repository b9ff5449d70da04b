//! From bytes to unread events: which of the accepted shapes is it, and who says it is allowed?

use serde::Deserialize;
use serde_json::value::RawValue;
use trailmark_protocol::limits::BATCH_EVENTS;
use trailmark_protocol::{RawBatch, batch::Text};

use crate::gateway::problem::{Code, Problem};

/// The shapes an endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// `{"batch":[…]}`: `POST /v1/batch`.
    Batch,
    /// That, one event, or an array of events: `POST /api/events`.
    Any,
}

/// A request's events, each still unread, and what came with them in the body.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The events as raw JSON.
    pub events: Vec<&'a RawValue>,
    /// The install that sent them.
    pub install_id: Option<Text<'a>>,
    /// The key, if it was in the body.
    pub api_key: Option<Text<'a>>,
    /// When they were sent, if that was in the body.
    pub sent_at: Option<Text<'a>>,
    /// The install's own counters, unread.
    pub counters: Option<&'a RawValue>,
}

/// What may stand beside the fields of a single event.
#[derive(Debug, Deserialize)]
struct Beside<'a> {
    #[serde(borrow, default)]
    api_key: Option<Text<'a>>,
    #[serde(borrow, default)]
    sent_at: Option<Text<'a>>,
    #[serde(borrow, default)]
    batch: Option<&'a RawValue>,
}

/// Reads a body.
///
/// # Errors
/// [`Code::InvalidJson`], [`Code::InvalidBatch`] or [`Code::TooManyEvents`].
pub fn decode(body: &[u8], shapes: Shapes) -> Result<Incoming<'_>, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| invalid_json(&error))?;
    let incoming = match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') if shapes == Shapes::Any => alone(read(text)?),
        Some(b'{') => object(text, shapes)?,
        _ => return Err(no_object(text)),
    };
    match incoming.events.len() {
        0..=BATCH_EVENTS => Ok(incoming),
        n => Err(Problem::new(
            Code::TooManyEvents,
            format!("{n} events; a batch holds at most {BATCH_EVENTS}"),
        )),
    }
}

fn alone(events: Vec<&RawValue>) -> Incoming<'_> {
    Incoming {
        events,
        install_id: None,
        api_key: None,
        sent_at: None,
        counters: None,
    }
}

fn object(text: &str, shapes: Shapes) -> Result<Incoming<'_>, Problem> {
    if shapes == Shapes::Any {
        let Beside {
            api_key,
            sent_at,
            batch,
        } = read(text)?;
        if batch.is_none() {
            return Ok(Incoming {
                api_key,
                sent_at,
                ..alone(vec![read(text)?])
            });
        }
    }
    let RawBatch {
        batch: events,
        install_id,
        api_key,
        sent_at,
        counters,
    } = read(text)?;
    Ok(Incoming {
        events,
        install_id,
        api_key,
        sent_at,
        counters,
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            invalid_batch(&error)
        } else {
            invalid_json(&error)
        }
    })
}

/// A scalar or, where only batches are taken, an array; or no JSON at all.
fn no_object(text: &str) -> Problem {
    let json = read::<&RawValue>(text);
    json.err().unwrap_or_else(|| invalid_batch(&"an object was expected"))
}

fn invalid_json(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::InvalidJson, format!("the body is not JSON: {error}"))
}

fn invalid_batch(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::InvalidBatch, format!("the body is no batch: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: &str, shapes: Shapes) -> Result<usize, Code> {
        decode(body.as_bytes(), shapes)
            .map(|incoming| incoming.events.len())
            .map_err(|problem| problem.code())
    }

    #[test]
    fn the_native_endpoint_takes_batches_only() {
        assert_eq!(count(r#"{"batch":[{},{}]}"#, Shapes::Batch), Ok(2));
        assert_eq!(count(r#"{"event":"x"}"#, Shapes::Batch), Err(Code::InvalidBatch));
        assert_eq!(count("[]", Shapes::Batch), Err(Code::InvalidBatch));
    }

    #[test]
    fn the_open_endpoint_takes_a_batch_an_array_or_one_event() {
        assert_eq!(count(r#"{"batch":[{},{}]}"#, Shapes::Any), Ok(2));
        assert_eq!(count(r#" [{},{},{}] "#, Shapes::Any), Ok(3));
        assert_eq!(count(r#"{"name":"x","anonymous_id":"a"}"#, Shapes::Any), Ok(1));
    }

    #[test]
    fn what_is_not_json_is_called_so() {
        for body in [
            "",
            "{",
            "{\"batch\":[}",
            "nope",
            "{\"batch\":[]} x",
            "{\"batch\":[\"\u{1}\"]}",
        ] {
            assert_eq!(count(body, Shapes::Any), Err(Code::InvalidJson), "{body}");
        }
        assert!(decode(b"{\"batch\":[\"\xff\"]}", Shapes::Any).is_err());
        for body in ["7", "\"x\"", "null", r#"{"batch":7}"#, r#"{"batch":{}}"#] {
            assert_eq!(count(body, Shapes::Any), Err(Code::InvalidBatch), "{body}");
        }
    }

    #[test]
    fn ten_thousand_nested_arrays_are_one_bad_event_at_most() {
        let deep = format!(
            r#"{{"batch":[{{"event":"ok"}},{}{}]}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(count(&deep, Shapes::Batch), Ok(2));
    }

    #[test]
    fn more_events_than_a_batch_holds_ask_for_halving() {
        let many = format!("[{}0]", "0,".repeat(BATCH_EVENTS));
        assert_eq!(count(&many, Shapes::Any), Err(Code::TooManyEvents));
    }
}
