//! What a secret key may change, and what it is told: explain, unalias, erase, export.

use http::StatusCode;
use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::event::AcceptedEvent;

use crate::delivery::report;
use crate::http::Front;
use crate::world::{World, alias, anonymous, event, id_at, identify, user};

async fn ann() -> (Front, String) {
    let world = World::new().await;
    world
        .send(&[
            anonymous(1, "open", "phone"),
            AcceptedEvent {
                set: Some(r#"{"plan":"pro"}"#),
                ..identify(2, "phone", "ann")
            },
            alias(3, "ann", "ann@example.com"),
            identify(4, "laptop", "ann@example.com"),
            identify(5, "phone", "bob"),
        ])
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    (front, secret)
}

fn ids(explained: &Value) -> Vec<(&str, &str, i64)> {
    let identities = explained["identities"].as_array().unwrap();
    let event = |id: &Value| (1..9).find(|ms| *id == id_at(*ms).to_string()).unwrap_or(0);
    identities
        .iter()
        .map(|id| {
            let because = &id["because"];
            (
                id["id"].as_str().unwrap(),
                because["with"]["id"].as_str().unwrap_or(""),
                event(&because["event_id"]),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_person_is_explained_by_the_events_that_lead_from_each_id_to_the_one_asked_for() {
    let (front, secret) = ann().await;
    let (status, told) = front.get("/v1/persons/laptop/explain", &secret).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        ids(&told),
        [
            ("laptop", "", 0),
            ("ann", "ann@example.com", 3),
            ("ann@example.com", "laptop", 4),
            ("phone", "ann", 2)
        ],
        "Bob identified on the phone too, but later"
    );
    assert_eq!(told["identity_count"], 4);
    let because = &told["identities"][3]["because"];
    assert_eq!(
        (&because["fact"], &because["at"]),
        (&json!("link"), &json!("2026-11-20T12:00:00.002Z"))
    );
    let kinds: Vec<_> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["kind"])
        .collect();
    assert_eq!(kinds, ["merge", "link", "link"]);
}

#[tokio::test]
async fn a_withdrawn_alias_splits_the_person_and_stays_on_record() {
    let (front, secret) = ann().await;
    let path = format!("/v1/aliases/{}", id_at(3));
    let (status, withdrawn) = front.delete(&path, &secret).await;
    assert_eq!(status, StatusCode::OK, "{withdrawn}");
    assert_eq!(withdrawn["users"], json!(["ann", "ann@example.com"]));
    assert_eq!(withdrawn["still_one"], false);
    let told = front.get("/v1/persons/ann/explain", &secret).await.1;
    assert_eq!(ids(&told), [("ann", "", 0), ("phone", "ann", 2)]);
    let passed_over = &told["passed_over"][0];
    assert_eq!(
        (&passed_over["why"], &passed_over["withdrawn_at"]),
        (&json!("withdrawn"), &withdrawn["withdrawn_at"])
    );
    assert_eq!(told["changes"].as_array().unwrap().last().unwrap()["kind"], "split");

    assert_eq!(
        front.delete(&path, &secret).await.1["withdrawn_at"],
        withdrawn["withdrawn_at"]
    );
    let unknown = format!("/v1/aliases/{}", id_at(77));
    assert_eq!(front.delete(&unknown, &secret).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        front.delete("/v1/aliases/7", &secret).await.1["code"],
        "invalid_parameter"
    );
}

#[tokio::test]
async fn an_erased_person_is_gone_from_every_answer_and_late_events_are_refused_with_the_reason() {
    let (front, secret) = ann().await;
    let (status, erased) = front.delete("/v1/persons/ann", &secret).await;
    assert_eq!(status, StatusCode::OK, "{erased}");
    let counts = ["events", "identities", "links", "aliases", "properties", "dead_letters"].map(|of| &erased[of]);
    assert_eq!(
        counts,
        [&json!(4), &json!(4), &json!(3), &json!(1), &json!(1), &json!(0)]
    );
    assert_eq!(erased["done"], true);
    for id in ["ann", "phone", "laptop", "ann@example.com"] {
        assert_eq!(
            front.get(&format!("/v1/persons/{id}"), &secret).await.0,
            StatusCode::NOT_FOUND,
            "{id}"
        );
    }
    assert_eq!(
        front.delete("/v1/persons/ann", &secret).await.0,
        StatusCode::NOT_FOUND,
        "there is nobody any more"
    );
    assert_eq!(front.get("/api/analytics/stats", &secret).await.1["events"], 1, "Bob's");
    assert_eq!(front.get("/v1/erasures", &secret).await.1["erasures"][0], erased);

    let erased_at = Timestamp::parse(erased["erased_at"].as_str().unwrap()).unwrap();
    let of = |id: &str, at: Timestamp| json!({"event": "e", "anonymous_id": id, "timestamp": at.to_string()});
    let late = erased_at.plus_micros(-1_000);
    let later = erased_at.plus_micros(1_000);
    let batch = json!({"batch": [of("phone", late), of("tablet", late), of("phone", later)],
                       "install_id": "i", "counters": {"captured": 3}});
    let receipt = front.receipt(&batch).await;
    assert_eq!(receipt["accepted"], 2, "{receipt}");
    let refused = &receipt["results"][0];
    assert_eq!((&refused["index"], &refused["reason"]), (&json!(0), &json!("erased")));
}

#[tokio::test]
async fn only_a_secret_key_of_the_project_may_change_anything() {
    let (front, _) = ann().await;
    let other = World::beside(front.world().store.clone()).await;
    let theirs = Front::of(other).await.secret().await;
    let alias = format!("/v1/aliases/{}", id_at(3));
    for path in ["/v1/persons/ann", &alias] {
        assert_eq!(front.delete(path, "tm_pk_unknown").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(front.delete(path, &theirs).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(front.world().timeline("ann").await.len(), 4);
}

#[tokio::test]
async fn what_was_erased_counts_as_dropped_and_not_as_lost() {
    let world = World::new().await;
    world
        .report(1, "install-1", &[1, 2], &report(5, 1, &[("too_large", 1)]))
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    front.delete("/v1/persons/install-1", &secret).await;
    let delivery = front.get("/api/analytics/delivery", &secret).await.1;
    let totals = &delivery["totals"];
    assert_eq!(
        (&totals["stored"], &totals["lost"]),
        (&json!(0), &json!(1)),
        "one was lost before, none by this"
    );
    assert_eq!(totals["dropped"], json!({"too_large": 1, "erased": 2}));
}

#[tokio::test]
async fn an_export_is_who_it_is_and_then_every_event_once() {
    let world = World::new().await;
    let mut events: Vec<_> = (0..450).map(|ms| anonymous(ms, "e", "phone")).collect();
    // Many at the same time: the order is decided by the id.
    events
        .iter_mut()
        .skip(100)
        .take(250)
        .for_each(|event| event.timestamp = crate::world::at(100));
    events.push(identify(450, "phone", "ann"));
    events.extend((451..460).map(|ms| event(ms, "as ann", Some("phone"), Some("ann"))));
    events.extend((460..470).map(|ms| user(ms, "not hers", "bob")));
    world.send(&events).await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    let lines = front.lines("/v1/persons/ann/export", &secret).await;
    assert_eq!(lines[0]["identities"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&lines[0]["events"], &lines[0]["identity_count"]),
        (&json!(460), &json!(2))
    );
    let mut seqs: Vec<i64> = lines[1..].iter().map(|line| line["seq"].as_i64().unwrap()).collect();
    assert_eq!(
        (lines[1]["user_id"].as_str(), lines[11]["event"].as_str()),
        (Some("ann"), Some("e"))
    );
    seqs.sort_unstable();
    assert_eq!(seqs, (0..460).collect::<Vec<_>>());
    assert_eq!(
        front.get("/v1/persons/nobody/export", &secret).await.0,
        StatusCode::NOT_FOUND
    );
}
