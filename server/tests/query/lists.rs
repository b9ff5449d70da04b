//! Lists: events by session and property, persons, sessions, properties, names of events.

use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;

use crate::http::{Front, encoded};
use crate::world::{World, alias, anonymous, event, identify, user};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The stretch in which all the tests' events happen.
const STRETCH: &str = "from=2026-11-01T00:00:00Z&to=2027-02-01T00:00:00Z";

fn texts(list: &Value, field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().unwrap_or("null").to_owned();
    list.as_array()
        .unwrap_or_else(|| panic!("{list}"))
        .iter()
        .map(text)
        .collect()
}

/// One field of the rows of a list, page by page.
async fn pages(front: &Front, path: &str, list: &str, field: &str, limit: usize) -> Vec<String> {
    let secret = front.secret().await;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (status, page) = front
            .get(&format!("{path}{separator}limit={limit}{cursor}"), &secret)
            .await;
        assert_eq!(status, 200, "{page}");
        let rows = texts(&page[list], field);
        assert!(rows.len() <= limit);
        found.extend(rows);
        assert!(found.len() < 1_000, "the pages go round in circles");
        cursor = match &page["next_cursor"] {
            Value::Null => return found,
            Value::String(cursor) => format!("&cursor={}", encoded(cursor)),
            number => format!("&cursor={number}"),
        };
    }
}

async fn all(front: &Front, path: &str, list: &str, field: &str) -> Vec<String> {
    let rows = pages(front, path, list, field, 1_000).await;
    for limit in [1, 2, 3] {
        assert_eq!(pages(front, path, list, field, limit).await, rows, "{path} by {limit}");
    }
    rows
}

fn with<'a>(event: AcceptedEvent<'a>, session: &'a str, properties: &'a str) -> AcceptedEvent<'a> {
    AcceptedEvent {
        session_id: Some(session),
        properties: Some(properties),
        ..event
    }
}

#[tokio::test]
async fn events_are_found_by_their_session_and_properties() {
    let world = World::new().await;
    world
        .send(&[
            with(
                user(1, "one", "ann"),
                "s1",
                r#"{"plan":"pro","n":12.5,"on":true,"none":null}"#,
            ),
            with(user(2, "two", "ann"), "s2", r#"{"plan":"pro","n":"12.5"}"#),
            with(user(3, "three", "bob"), "s1", r#"{"plan":"Pro","n":13,"":1}"#),
            user(4, "four", "bob"),
        ])
        .await;
    let front = Front::of(world).await;
    for (query, names) in [
        ("session=s1", vec!["three", "one"]),
        ("session=s1&person=ann", vec!["one"]),
        ("property.plan=pro", vec!["two", "one"]),
        ("property.n=12.5", vec!["two", "one"]),
        ("property.on=true&property.plan=pro", vec!["one"]),
        ("property.none=null", vec![]),
        ("property.plan=", vec![]),
        ("property.plan=pro&session=s2&event=two&person=ann", vec!["two"]),
    ] {
        for path in ["/api/v1/events", "/api/analytics/events"] {
            assert_eq!(
                all(&front, &format!("{path}?{query}"), "events", "event").await,
                names,
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn persons_come_newest_first_and_each_once() {
    let world = World::new().await;
    world
        .send(&[
            identify(1, "phone", "ann"),
            AcceptedEvent {
                set: Some(r#"{"email":"Bob@Example.com","plan":"pro"}"#),
                ..user(2, "$set", "bob")
            },
            anonymous(3, "open", "tablet"),
            identify(4, "laptop", "ann"),
            alias(5, "cho", "cho2"),
        ])
        .await;
    let front = Front::of(world).await;
    let ids = all(&front, "/api/v1/persons", "persons", "id").await;
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(sorted.len(), 4, "{ids:?}");
    assert_eq!(sorted[..2], ["ann", "bob"]);
    assert!(
        ["cho", "cho2"].contains(&sorted[2].as_str()) && sorted[3] == "tablet",
        "{sorted:?}"
    );
    let (_, page) = front.get("/api/v1/persons", &front.secret().await).await;
    let numbers: Vec<_> = page["persons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["person_id"].as_i64())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "{numbers:?}");
    let bob = page["persons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["id"] == "bob")
        .unwrap();
    assert_eq!(bob["properties"], json!({"email": "Bob@Example.com", "plan": "pro"}));
    assert_eq!((&bob["kind"], &bob["identity_count"]), (&json!("user"), &json!(1)));
    assert_eq!(bob["last_seen_at"], "2026-11-20T12:00:00.002Z");
    let ann = page["persons"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["id"] == "ann")
        .unwrap();
    assert_eq!((&ann["identity_count"], &ann["properties"]), (&json!(3), &json!({})));
    assert_eq!(ann["last_seen_at"], "2026-11-20T12:00:00.004Z");
}

#[tokio::test]
async fn a_search_finds_ids_emails_and_names_and_the_exact_id_first() {
    let world = World::new().await;
    let set = |ms, id, json| AcceptedEvent {
        set: Some(json),
        ..user(ms, "$set", id)
    };
    world.send(&[user(1, "open", "ann")]).await;
    world
        .send(&[
            set(2, "u_2", r#"{"email":"JoANNa@example.com"}"#),
            set(3, "u_3", r#"{"name":"Hannes 100%"}"#),
            set(4, "u_4", r#"{"nickname":"ann"}"#),
            anonymous(5, "open", "device-ANN-1"),
            identify(6, "ann's phone", "bob"),
            user(7, "open", "ann"),
        ])
        .await;
    let front = Front::of(world).await;
    let found = all(&front, "/api/v1/persons?search=ann", "persons", "id").await;
    assert_eq!(found[0], "ann");
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(sorted, ["ann", "bob", "device-ANN-1", "u_2", "u_3"]);
    for (search, expected) in [
        ("100%25", vec!["u_3"]),
        ("%25", vec!["u_3"]),
        ("example.com", vec!["u_2"]),
        ("u_", vec!["u_4", "u_3", "u_2"]),
        ("nobody", vec![]),
    ] {
        let mut found = all(&front, &format!("/api/v1/persons?search={search}"), "persons", "id").await;
        found.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{search}");
    }
}

#[tokio::test]
async fn sessions_have_their_person_length_and_pages() {
    let world = World::new().await;
    let page = r#"{"$pathname":"/"}"#;
    world
        .send(&[
            with(anonymous(0, "open", "phone"), "s1", "{}"),
            with(anonymous(MINUTE, "$pageview", "phone"), "s1", page),
            with(identify(2 * MINUTE, "phone", "ann"), "s1", "{}"),
            with(user(3 * MINUTE, "$screen", "ann"), "s1", r#"{"$screen_name":"Cart"}"#),
            with(user(4 * MINUTE, "buy", "ann"), "s1", "{}"),
            with(user(DAY, "open", "bob"), "s2", "{}"),
            with(user(40 * DAY, "$pageview", "bob"), "s3", page),
            with(user(40 * DAY + 23 * 60 * MINUTE, "late", "ann"), "s3", "{}"),
            AcceptedEvent {
                session_id: None,
                ..user(41 * DAY, "no session", "bob")
            },
        ])
        .await;
    let front = Front::of(world).await;
    let path = format!("/api/v1/sessions?{STRETCH}");
    assert_eq!(all(&front, &path, "sessions", "session_id").await, ["s3", "s2", "s1"]);
    assert_eq!(
        all(&front, &format!("{path}&person=phone"), "sessions", "session_id").await,
        ["s3", "s1"]
    );
    let (_, answer) = front.get(&path, &front.secret().await).await;
    let first = &answer["sessions"][2];
    assert_eq!(first["person"]["id"], "ann");
    assert_eq!(
        (&first["events"], &first["duration_seconds"]),
        (&json!(5), &json!(240.0))
    );
    assert_eq!(
        (&first["first_page"], &first["last_page"]),
        (&json!("/"), &json!("Cart"))
    );
    assert_eq!(first["started_at"], "2026-11-20T12:00:00.000Z");
    assert_eq!(answer["sessions"][1]["first_page"], Value::Null);
    assert_eq!(answer["sessions"][0]["person"]["id"], "ann", "whose the last event is");
}

#[tokio::test]
async fn a_session_belongs_to_the_moment_it_began_and_is_never_cut() {
    let world = World::new().await;
    world
        .send(&[
            with(user(0, "open", "ann"), "s1", "{}"),
            with(user(60 * MINUTE, "close", "ann"), "s1", "{}"),
        ])
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    for (range, count) in [
        ("from=2026-11-20T12:00:00Z&to=2026-11-20T12:30:00Z", 1),
        ("from=2026-11-20T12:30:00Z&to=2026-11-20T14:00:00Z", 0),
        ("from=2026-11-20T11:00:00Z&to=2026-11-20T12:00:00Z", 0),
    ] {
        for person in ["", "&person=ann"] {
            let (_, page) = front.get(&format!("/api/v1/sessions?{range}{person}"), &secret).await;
            assert_eq!(
                page["sessions"].as_array().unwrap().len(),
                count,
                "{range}{person}: {page}"
            );
            assert!(
                page["sessions"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|session| session["events"] == 2)
            );
        }
    }
}

#[tokio::test]
async fn properties_have_names_types_and_values() {
    let world = World::new().await;
    world
        .send(&[
            AcceptedEvent {
                context: Some(r#"{"os":{"name":"iOS"},"locale":"de"}"#),
                ..with(user(1, "buy", "ann"), "s", r#"{"plan":"pro","n":1,"list":[1]}"#)
            },
            with(user(2, "buy", "ann"), "s", r#"{"plan":"pro","n":"x"}"#),
            with(user(3, "open", "ann"), "s", r#"{"plan":"free","n":null}"#),
            AcceptedEvent {
                set: Some(r#"{"email":"ann@example.com"}"#),
                ..user(4, "$set", "ann")
            },
        ])
        .await;
    let front = Front::of(world).await;
    let secret = front.secret().await;
    let (_, answer) = front.get("/api/v1/properties", &secret).await;
    let of_events = &answer["event"];
    assert_eq!(of_events["sampled"], 4);
    assert_eq!(
        texts(&of_events["properties"], "name"),
        ["n", "plan", "$context.locale", "$context.os.name", "list"]
    );
    assert_eq!(of_events["properties"][0]["types"], json!(["null", "number", "string"]));
    assert_eq!(
        of_events["properties"][1]["values"],
        json!([{"value": "pro", "count": 2}, {"value": "free", "count": 1}])
    );
    assert_eq!(of_events["properties"][4]["values"], json!([]));
    assert_eq!(
        answer["person"],
        json!({"sampled": 1, "properties": [{"name": "email", "count": 1, "types": ["string"],
               "values": [{"value": "ann@example.com", "count": 1}]}]})
    );
    let (_, answer) = front.get("/api/v1/properties?type=event&event=open", &secret).await;
    assert_eq!(
        (&answer["person"], &answer["event"]["sampled"]),
        (&Value::Null, &json!(1))
    );
    let (_, answer) = front.get("/api/v1/properties?type=event&event=nothing", &secret).await;
    assert_eq!(answer["event"], json!({"sampled": 0, "properties": []}));
}

#[tokio::test]
async fn names_of_events_are_counted_in_the_range_and_last_seen_at_any_time() {
    let world = World::new().await;
    world
        .send(&[
            user(1, "buy", "ann"),
            user(2, "buy", "ann"),
            user(DAY, "open", "ann"),
            user(2 * DAY, "Buy again", "ann"),
        ])
        .await;
    let front = Front::of(world).await;
    let range = "from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z";
    let mut names = all(&front, &format!("/api/v1/event-names?{range}"), "event_names", "event").await;
    names.sort();
    assert_eq!(names, ["Buy again", "buy", "open"]);
    let (_, answer) = front
        .get(
            &format!("/api/v1/event-names?{range}&search=BUY"),
            &front.secret().await,
        )
        .await;
    let rows = answer["event_names"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row["event"] == name).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&row("buy")["count"], &row("Buy again")["count"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(row("Buy again")["last_seen_at"], "2026-11-22T12:00:00.000Z");
    assert_eq!(answer["from"], "2026-11-20T00:00:00.000Z");
}

#[tokio::test]
async fn no_list_shows_anything_of_another_project() {
    let theirs = World::new().await;
    let ours = World::beside(theirs.store.clone()).await;
    theirs
        .send(&[AcceptedEvent {
            set: Some(r#"{"email":"theirs"}"#),
            properties: Some(r#"{"theirs":1}"#),
            ..event(1, "theirs", Some("their device"), Some("their user"))
        }])
        .await;
    let front = Front::of(ours).await;
    let secret = front.secret().await;
    for path in [
        "/api/v1/events",
        "/api/v1/persons",
        "/api/v1/persons?search=theirs",
        "/api/v1/sessions?from=2026-11-01T00:00:00Z",
        "/api/v1/properties",
        "/api/v1/event-names",
        "/api/v1/cohorts",
    ] {
        let (status, answer) = front.get(path, &secret).await;
        assert_eq!(status, 200);
        assert!(!answer.to_string().contains("their"), "{path}: {answer}");
    }
    assert_eq!(front.get("/api/v1/persons/their%20user/timeline", &secret).await.0, 404);
}
