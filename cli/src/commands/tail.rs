//! `trailmark tail`

use std::io::{ErrorKind, Write};
use std::time::Duration;

use reqwest::{Client, Response, Url};
use serde_json::Value;
use trailmark_server::Config;

use crate::args;
use crate::failure::Failure;
use crate::http;
use crate::output::say;

/// How long a stream may be silent: three of its keep-alive lines, which come every 15 s.
const SILENCE: Duration = Duration::from_secs(45);

pub(super) async fn run(config: &Config, command: &args::Tail, json: bool) -> Result<(), Failure> {
    let url = command
        .url
        .clone()
        .unwrap_or_else(|| http::local_url(config.http.listen));
    let mut response = listen(&url, command).await?;
    let mut stream = Lines::default();
    loop {
        let chunk = response.chunk().await.map_err(|error| lost(&url, &error))?;
        let Some(chunk) = chunk else {
            return Err(Failure::failed(format!("{url} has closed the stream")));
        };
        for told in stream.take(&chunk) {
            match tell(&told, json) {
                Next::GoOn => {}
                Next::Done => return Ok(()),
                Next::Failed(failure) => return Err(failure),
            }
        }
    }
}

async fn listen(url: &str, command: &args::Tail) -> Result<Response, Failure> {
    let target = Url::parse_with_params(
        &format!("{}/api/v1/live", url.trim_end_matches('/')),
        parameters(command),
    )
    .map_err(|error| Failure::usage(format!("{url} is no URL: {error}")))?;
    let client = http::patient_client(SILENCE).map_err(|error| lost(url, &error))?;
    let response = send(&client, target, &command.key)
        .await
        .map_err(|error| lost(url, &error))?;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(http::refused(response).await)
    }
}

async fn send(client: &Client, target: Url, key: &str) -> reqwest::Result<Response> {
    client.get(target).bearer_auth(key).send().await
}

fn parameters(command: &args::Tail) -> Vec<(&'static str, String)> {
    let refused = command.refused.then(|| "true".to_owned());
    [
        ("event", command.event.clone()),
        ("person", command.person.clone()),
        ("refused", refused),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn lost(url: &str, error: &reqwest::Error) -> Failure {
    Failure::failed(format!("{url}: {}", http::explain(error)))
}

/// A server-sent event.
#[derive(Debug, PartialEq)]
struct Told {
    kind: String,
    data: Value,
}

/// What has come of a stream and is not read yet.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The server-sent events that are complete with this chunk; comments are passed over.
    fn take(&mut self, chunk: &[u8]) -> Vec<Told> {
        self.rest.extend_from_slice(chunk);
        let Some(end) = self.rest.windows(2).rposition(|pair| pair == b"\n\n") else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 2);
        let complete = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&complete)
            .split("\n\n")
            .filter_map(told)
            .collect()
    }
}

fn told(block: &str) -> Option<Told> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(Told {
        kind: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).ok()?,
    })
}

enum Next {
    GoOn,
    Done,
    Failed(Failure),
}

/// Data goes to stdout, talk to stderr. A reader that has left (`| head`) is no error.
fn tell(told: &Told, json: bool) -> Next {
    let line = match told.kind.as_str() {
        "missed" => {
            say(format_args!("missed {} events: too slow for them", told.data["missed"]));
            return Next::GoOn;
        }
        "end" => return Next::Failed(Failure::failed(ending(&told.data))),
        "event" | "refused_event" | "refused_request" if json => json_line(told),
        "event" => event_line(&told.data),
        "refused_event" => refusal_line(&told.data, "reason"),
        "refused_request" => refusal_line(&told.data, "code"),
        _ => return Next::GoOn,
    };
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => Next::GoOn,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Next::Done,
        Err(error) => Next::Failed(Failure::failed(format!("cannot write to stdout: {error}"))),
    }
}

fn ending(data: &Value) -> String {
    match data["reason"].as_str() {
        Some("key") => "the key was revoked".to_owned(),
        _ => "the server stops".to_owned(),
    }
}

fn json_line(Told { kind, data }: &Told) -> String {
    serde_json::json!({"kind": kind, "data": data}).to_string()
}

/// A text for a line on a terminal: without control characters, which could be anybody's.
fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn event_line(event: &Value) -> String {
    let ids = [&event["user_id"], &event["anonymous_id"]];
    let who = ids.into_iter().find(|id| id.is_string()).map(text).unwrap_or_default();
    let properties = Some(&event["properties"]).filter(|properties| properties.is_object());
    let properties = properties.map(ToString::to_string).unwrap_or_default();
    let line = format!(
        "{}  {}  {who}  {properties}",
        text(&event["received_at"]),
        text(&event["event"])
    );
    line.trim_end().to_owned()
}

fn refusal_line(refusal: &Value, why: &str) -> String {
    let name = Some(text(&refusal["event"])).filter(|name| !name.is_empty());
    let what = name.unwrap_or_else(|| if why == "code" { "request" } else { "event" }.to_owned());
    format!(
        "{}  refused {what}  {}: {}",
        text(&refusal["received_at"]),
        text(&refusal[why]),
        text(&refusal["detail"])
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_is_read_wherever_it_is_cut() {
        let stream = "retry: 2000\n: listening\n\nevent: event\ndata: {\"event\":\"ü\"}\n\n: still here\n\nevent: missed\ndata: {\"missed\":3}\n\n";
        let expected = [("event", json!({"event": "ü"})), ("missed", json!({"missed": 3}))].map(|(kind, data)| Told {
            kind: kind.to_owned(),
            data,
        });
        for size in 1..stream.len() {
            let mut lines = Lines::default();
            let told: Vec<_> = stream
                .as_bytes()
                .chunks(size)
                .flat_map(|chunk| lines.take(chunk))
                .collect();
            assert_eq!(told, expected, "in pieces of {size}");
            assert!(lines.rest.is_empty());
        }
    }

    #[test]
    fn a_line_says_when_what_who_and_why_and_cannot_steer_the_terminal() {
        let event = json!({"received_at": "12:00", "event": "bu\u{1b}y", "user_id": "ann", "properties": {"n": 1}});
        assert_eq!(event_line(&event), "12:00  bu\u{fffd}y  ann  {\"n\":1}");
        let device = json!({"received_at": "12:00", "event": "open", "anonymous_id": "phone", "properties": null});
        assert_eq!(event_line(&device), "12:00  open  phone");
        let refusal = json!({"received_at": "12:00", "event": null, "reason": "invalid_event", "detail": "no object"});
        assert_eq!(
            refusal_line(&refusal, "reason"),
            "12:00  refused event  invalid_event: no object"
        );
    }
}
