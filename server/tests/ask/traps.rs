//! What answers are known to stumble over.

use serde_json::{Value, json};
use trailmark_server::event::AcceptedEvent;
use trailmark_server::query::TimeRange;
use trailmark_server::query::timeline::TimelinePage;

use crate::who::who;
use crate::world::{World, anonymous, user};
use crate::{DAY, HOUR, ask, ask_at};

const PERSONS: [&str; 3] = ["ann", "bob", "cho"];

#[tokio::test]
async fn values_in_any_script_and_of_ten_kilobytes_are_lines_of_their_own_and_lead_to_their_persons() {
    let long = "漢字 ".repeat(1_500);
    let values = ["Ångström \u{1f980}\u{200d} \"\\", "A\u{30a}ngström", long.as_str()];
    let texts = values.map(|value| json!({"city": value}).to_string());
    let world = World::new().await;
    let events: Vec<AcceptedEvent<'_>> = (0..6)
        .map(|n: usize| AcceptedEvent {
            properties: Some(&texts[n / 2]),
            ..user(n as i64, "visit", PERSONS[n / 2])
        })
        .collect();
    world.send(&events).await;
    for math in ["total", "unique_persons", "sessions"] {
        let question = json!({"kind": "trends", "series": [{"event": "visit", "math": math}],
                              "breakdown": [{"property": "city"}]});
        let answer = ask(&world, question.clone()).await;
        for (value, person) in values.into_iter().zip(PERSONS) {
            let part = json!([{"value": value}]);
            let lines = answer["results"].as_array().unwrap();
            let line = lines.iter().find(|line| line["breakdown"] == part);
            let total = if math == "total" { 2.0 } else { 1.0 };
            assert_eq!(line.unwrap()["total"], total, "{math} of {person}");
            let place = json!({"series": "A", "breakdown": part});
            assert_eq!(who(&world, &question, place).await, [person]);
        }
    }
}

#[tokio::test]
async fn the_day_on_which_clocks_go_back_has_the_hour_twice() {
    // Berlin, 2026-10-25: at 01:00 UTC it is 02:00 for the second time.
    let midnight = -26 * DAY - 14 * HOUR;
    let world = World::new().await;
    let hours = [0, 2, 3, 24];
    let events: Vec<_> = hours
        .map(|hour| anonymous(midnight + hour * HOUR, "open", "phone"))
        .into();
    world.send(&events).await;
    let answer = ask(
        &world,
        json!({"kind": "trends", "series": [{"event": "open"}], "interval": "hour", "timezone": "Europe/Berlin",
               "date_from": "2026-10-25", "date_to": "2026-10-25"}),
    )
    .await;
    let labels = answer["labels"].as_array().unwrap();
    assert_eq!(labels.len(), 25);
    assert_eq!(
        (&labels[2], &labels[3]),
        (&json!("2026-10-25T02:00:00+02:00"), &json!("2026-10-25T02:00:00+01:00"))
    );
    let values = answer["results"][0]["values"].as_array().unwrap();
    let there: Vec<usize> = (0..25).filter(|hour| values[*hour] == 1.0).collect();
    assert_eq!(there, [0, 2, 3, 24]);
}

/// Of each of two events, so many more.
const MORE: i64 = 500_000;

/// Copies every event 500,000 times, 100 ms apart, a hundred of them in a session.
const COPIES: &str = "
    INSERT INTO events (project_id, event_name_id, identity_id, timestamp, received_at, client_timestamp, id, session_id)
    SELECT e.project_id, e.event_name_id, e.identity_id, at, at, at,
           (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
           'session of ' || n / 100
    FROM events e CROSS JOIN generate_series(1, $2) AS n
    CROSS JOIN LATERAL (SELECT e.timestamp + n * interval '100 ms' AS at) AS moved
    WHERE e.project_id = $1";

async fn a_million_events_of_ann() -> World {
    let world = World::new().await;
    world.send(&[user(0, "open", "ann"), user(50, "buy", "ann")]).await;
    let copied = sqlx::query(COPIES).bind(world.project).bind(MORE);
    let copied = copied.execute(world.store.pool()).await.unwrap();
    assert_eq!(copied.rows_affected(), 1_000_000);
    world
}

#[tokio::test]
async fn a_person_of_a_million_events_is_answered_about_in_every_way() {
    let world = a_million_events_of_ann().await;
    let open = json!({"event": "open"});
    let asked = |question: Value| ask_at(&world, 2 * DAY, question);
    let trends = asked(json!({"kind": "trends", "series": [open, {"event": "buy", "math": "unique_persons"}]})).await;
    assert_eq!(trends["results"][0]["total"], (MORE + 1) as f64);
    assert_eq!(trends["results"][1]["total"], 1.0);
    for order in ["ordered", "unordered"] {
        let funnel = asked(json!({"kind": "funnel", "order": order, "steps": [open, {"event": "buy"}]})).await;
        let steps = funnel["results"][0]["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["count"] == 1), "{order}: {funnel}");
    }
    let retention =
        asked(json!({"kind": "retention", "start_event": open, "intervals": 2, "date_from": "2026-11-20"})).await;
    assert_eq!(retention["results"][0]["values"], json!([1, 1]));
    let lifecycle = asked(json!({"kind": "lifecycle", "date_from": "2026-11-20", "date_to": "2026-11-21"})).await;
    assert_eq!(
        (&lifecycle["new"], &lifecycle["returning"]),
        (&json!([1, 0]), &json!([0, 1]))
    );
    let stickiness = asked(json!({"kind": "stickiness", "series": [open], "date_from": "2026-11-20"})).await;
    assert_eq!(stickiness["results"][0]["values"][1], 1);
    let sessions = asked(json!({"kind": "sessions"})).await;
    assert_eq!(
        sessions["results"][0]["total"]["sessions"],
        MORE / 100 + 2,
        "{sessions}"
    );
    let paths = asked(json!({"kind": "paths"})).await;
    assert!(!paths["results"].as_array().unwrap().is_empty(), "{paths}");
    let page = TimelinePage {
        range: TimeRange { from: None, to: None },
        before: None,
        limit: 100,
    };
    assert_eq!(world.reader().timeline("ann", page).await.unwrap().entries.len(), 100);
}
