//! What listeners hear of what is accepted and refused.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt;
use serde_json::{Value, json};
use trailmark_server::live::LISTENERS_PER_PROJECT;
use trailmark_server::live::ring::RING_BYTES;
use trailmark_server::store::KeyKind;

use crate::documented::{example, fields};
use crate::http::Front;
use crate::world::World;

/// Only failing tests wait this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who listens.
pub(crate) struct Ear {
    body: BodyDataStream,
    text: String,
}

impl Ear {
    /// Listens with a new secret key of the front's project; whatever is sent from now on is heard.
    pub(crate) async fn open(front: &Front, path: &str) -> Self {
        let response = front.open(path, &front.secret().await).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next server-sent event: its kind and its data.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some((kind, data)) = block
                    .strip_prefix("event: ")
                    .and_then(|block| block.split_once("\ndata: "))
                {
                    return (kind.to_owned(), serde_json::from_str(data).unwrap());
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.body.next()).await;
            let chunk = chunk.expect("something is told").expect("the stream goes on").unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The names of the next events, each accepted.
    async fn names<const N: usize>(&mut self) -> [String; N] {
        let mut names = Vec::new();
        while names.len() < N {
            let (kind, data) = self.next().await;
            assert_eq!(kind, "event", "{data}");
            names.push(data["event"].as_str().unwrap().to_owned());
        }
        names.try_into().unwrap()
    }
}

async fn front() -> Front {
    Front::of(World::new().await).await
}

fn batch(events: &[Value]) -> Value {
    json!({"batch": events})
}

fn named(name: &str, user: &str) -> Value {
    json!({"event": name, "user_id": user})
}

#[tokio::test]
async fn an_accepted_event_is_heard_as_it_was_accepted_whatever_its_layout() {
    let front = front().await;
    let mut ear = Ear::open(&front, "/api/v1/live").await;
    let key = front.key(front.world().project, KeyKind::Write).await;
    let id = "01934f3e-8a00-7000-8000-000000000001";
    let body = format!(
        "{{\"event\":\"buy\",\"id\":\"{id}\",\"user_id\":\"ann\",\"seq\":4,\"timestamp\":\"2026-11-20T12:00:00Z\",\
         \"properties\":{{\r\n  \"note\": \"two\\nlines, \u{2028}ü\",\n  \"n\": 1e400\n}}}}"
    );
    assert_eq!(
        front.post("/api/events", &key, &body.replace("1e400", "12.50")).await,
        202
    );
    let (kind, event) = ear.next().await;
    assert_eq!(kind, "event");
    assert_eq!(
        (&event["id"], &event["event"], &event["seq"]),
        (&json!(id), &json!("buy"), &json!(4))
    );
    assert_eq!(
        (&event["user_id"], &event["anonymous_id"]),
        (&json!("ann"), &Value::Null)
    );
    assert_eq!(event["timestamp"], "2026-11-20T12:00:00.000Z");
    assert_eq!(event["properties"], json!({"note": "two\nlines, \u{2028}ü", "n": 12.5}));
    assert!(event["received_at"].is_string());
}

#[tokio::test]
async fn what_is_told_has_the_fields_that_the_manual_shows() {
    let front = front().await;
    let mut ear = Ear::open(&front, "/api/v1/live?refused=true").await;
    let write = front.key(front.world().project, KeyKind::Write).await;
    let whole = json!({"event": "buy", "user_id": "ann", "properties": {"a": 1}, "context": {"b": 2}});
    front.receipt(&batch(&[whole, named("junk", "null")])).await;
    front.post("/v1/batch", &write, "{").await;
    for (kind, name) in [
        ("event", "live"),
        ("refused_event", "live refused_event"),
        ("refused_request", "live refused_request"),
    ] {
        let told = ear.next().await;
        assert_eq!(told.0, kind);
        assert_eq!(fields(&told.1), fields(&example(name)), "{name}");
    }
}

#[tokio::test]
async fn nobody_hears_what_another_project_accepts() {
    let front = front().await;
    let other = World::beside(front.world().store.clone()).await;
    let their_key = front.key(other.project, KeyKind::Write).await;
    let mut ear = Ear::open(&front, "/api/v1/live?refused=true").await;
    let theirs = batch(&[named("theirs", "ann"), named("theirs", "null")]).to_string();
    assert_eq!(front.post("/v1/batch", &their_key, &theirs).await, 202);
    assert_eq!(front.post("/v1/batch", &their_key, "{").await, 400);
    front.receipt(&batch(&[named("ours", "ann")])).await;
    assert_eq!(ear.names().await, ["ours"]);
}

#[tokio::test]
async fn filters_choose_by_name_and_by_either_id() {
    let front = front().await;
    let mut buys = Ear::open(&front, "/api/v1/live?event=buy").await;
    let mut anns = Ear::open(&front, "/api/v1/live?person=ann").await;
    let device = json!({"event": "open", "anonymous_id": "ann"});
    front
        .receipt(&batch(&[
            named("buy", "bob"),
            named("look", "ann"),
            device,
            named("buy", "ann"),
        ]))
        .await;
    assert_eq!(buys.names().await, ["buy", "buy"]);
    assert_eq!(anns.names().await, ["look", "open", "buy"]);
}

#[tokio::test]
async fn refused_events_and_requests_are_heard_with_the_reason_when_asked_for() {
    let front = front().await;
    let mut all = Ear::open(&front, "/api/v1/live?refused=true").await;
    let mut filtered = Ear::open(&front, "/api/v1/live?refused=true&event=buy").await;
    let mut accepted = Ear::open(&front, "/api/v1/live").await;
    let receipt = front
        .receipt(&batch(&[named("look", "null"), named("buy", "ann"), json!(7)]))
        .await;
    assert_eq!(all.names().await, ["buy"]);
    for (result, name) in receipt["results"]
        .as_array()
        .unwrap()
        .iter()
        .zip([json!("look"), Value::Null])
    {
        let (kind, refused) = all.next().await;
        assert_eq!(
            (kind.as_str(), &refused["event"]),
            ("refused_event", &name),
            "{refused}"
        );
        for field in ["index", "reason", "detail"] {
            assert_eq!(refused[field], result[field], "{refused}");
        }
    }
    assert_eq!(filtered.names().await, ["buy"]);
    let (kind, nameless) = filtered.next().await;
    assert_eq!(
        (kind.as_str(), &nameless["index"]),
        ("refused_event", &json!(2)),
        "{nameless}"
    );

    let project = front.world().project;
    let (write, secret) = (front.key(project, KeyKind::Write).await, front.secret().await);
    assert_eq!(front.post("/v1/batch", "tm_pk_unknown", "{}").await, 401);
    assert_eq!(front.post("/v1/batch", &write, "{").await, 400);
    assert_eq!(front.post("/v1/batch", &secret, "{}").await, 403);
    for (status, code) in [(400, "invalid_json"), (403, "wrong_key_kind")] {
        for ear in [&mut all, &mut filtered] {
            let (kind, refused) = ear.next().await;
            assert_eq!(kind, "refused_request");
            assert_eq!((&refused["status"], &refused["code"]), (&json!(status), &json!(code)));
            assert!(refused["detail"].as_str().unwrap().len() > 5, "{refused}");
        }
    }
    front.receipt(&batch(&[named("last", "ann")])).await;
    assert_eq!(
        accepted.names().await,
        ["buy", "last"],
        "who did not ask hears no refusals"
    );
}

#[tokio::test]
async fn who_does_not_read_misses_events_is_told_how_many_and_holds_nothing_up() {
    let front = front().await;
    let mut ear = Ear::open(&front, "/api/v1/live").await;
    let large = json!({"event": "large", "user_id": "ann", "properties": {"text": "x".repeat(50_000)}});
    let events = vec![large; 10];
    let batches = 2 * RING_BYTES / 500_000;
    for _ in 0..batches {
        assert_eq!(front.receipt(&batch(&events)).await["accepted"], 10);
    }
    front.receipt(&batch(&[named("last", "ann")])).await;
    let (kind, missed) = ear.next().await;
    assert_eq!(kind, "missed");
    let missed = missed["missed"].as_u64().unwrap();
    let mut heard = 0;
    while ear.next().await.1["event"] == "large" {
        heard += 1;
    }
    assert!(missed > 0 && heard > 0);
    assert_eq!(missed + heard, batches as u64 * 10);
}

#[tokio::test]
async fn a_project_has_so_many_listeners_and_one_that_leaves_makes_room() {
    let front = front().await;
    let mut ears = Vec::new();
    for _ in 0..LISTENERS_PER_PROJECT {
        ears.push(Ear::open(&front, "/api/v1/live").await);
    }
    let secret = front.secret().await;
    let (status, problem) = front.get("/api/v1/live", &secret).await;
    assert_eq!((status.as_u16(), &problem["code"]), (429, &json!("too_many_listeners")));
    ears.pop();
    assert_eq!(front.open("/api/v1/live", &secret).await.status(), 200);
}

#[tokio::test]
async fn only_a_secret_key_listens_and_a_bad_parameter_is_refused_by_its_name() {
    let front = front().await;
    let write = front.key(front.world().project, KeyKind::Write).await;
    assert_eq!(front.get("/api/v1/live", &write).await.1["code"], "wrong_key_kind");
    assert_eq!(
        front.get("/api/v1/live", "tm_sk_unknown").await.1["code"],
        "unknown_key"
    );
    let (status, problem) = front.get("/api/v1/live?refused=1", &front.secret().await).await;
    assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("invalid_parameter")));
    assert!(
        problem["detail"].as_str().unwrap().starts_with("`refused` "),
        "{problem}"
    );
}
