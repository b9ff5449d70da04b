//! From the client's call to the answer of a query, through everything in between.

use std::process::Command;

use serde_json::{Value, json};
use trailmark_core::{Client, Properties};

use crate::support::events::batch;
use crate::support::{PATIENCE, Project, Server};

fn client(project: &Project<'_>) -> Client {
    Client::builder(&project.server.url(), &project.write).build().unwrap()
}

fn deliver(client: &Client, events: u64) {
    let report = client.shutdown(PATIENCE);
    assert_eq!(
        (report.delivered, report.pending, report.dropped_total()),
        (events, 0, 0),
        "{report:?}"
    );
}

fn person(project: &Project<'_>, id: &str) -> Value {
    let response = project.read(&format!("/v1/persons/{id}"));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

fn names(events: &Value) -> Vec<&str> {
    let mut names = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect::<Vec<_>>();
    names.reverse();
    names
}

#[test]
fn what_a_client_tracks_is_what_the_queries_answer() {
    let project = Project::create(Server::shared());
    let client = client(&project);
    for n in 0..30 {
        client.track(
            if n % 3 == 0 { "checkout" } else { "view" },
            Properties::new().with("n", n).with("total", 12.5),
        );
    }
    deliver(&client, 30);
    project.server.until_drained();
    let stats = project.read("/api/analytics/stats").json();
    assert_eq!(
        (&stats["events"], &stats["persons"]),
        (&json!(30), &json!(1)),
        "{stats}"
    );
    assert_eq!(
        stats["by_event"],
        json!([{"event": "view", "count": 20}, {"event": "checkout", "count": 10}])
    );
    let by_day = stats["by_day"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["events"].as_i64().unwrap());
    assert_eq!(by_day.sum::<i64>(), 30, "{stats}");
    assert!(stats["last_event_at"].is_string(), "{stats}");
    let events = project.read("/api/analytics/events?event=checkout").json();
    let totals = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["properties"]["total"].as_f64().unwrap());
    assert_eq!(totals.collect::<Vec<_>>(), [12.5; 10]);
    assert_eq!(events["events"][0]["properties"]["n"], 27, "newest first");
}

#[test]
fn pages_of_events_hold_every_event_once() {
    let project = Project::create(Server::shared());
    let client = client(&project);
    (0..25).for_each(|n| client.track("e", Properties::new().with("n", n)));
    deliver(&client, 25);
    project.server.until_drained();
    let (mut numbers, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = project.read(&format!("/api/analytics/events?limit=10{cursor}")).json();
        numbers.extend(
            page["events"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["properties"]["n"].as_i64().unwrap()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(numbers, (0..25).rev().collect::<Vec<_>>());
}

#[test]
fn history_before_the_identify_joins_the_person() {
    let project = Project::create(Server::shared());
    let client = client(&project);
    client.track("landing", Properties::new());
    client.track("pricing", Properties::new());
    let device = client.anonymous_id();
    client.identify("ada", Properties::new().with("plan", "pro"));
    client.track("checkout", Properties::new());
    deliver(&client, 4);
    project.server.until_drained();
    let [by_user, by_device] = ["ada", &device].map(|id| person(&project, id));
    assert_eq!(by_user, by_device);
    assert_eq!(
        names(&by_user["timeline"]),
        ["landing", "pricing", "$identify", "checkout"]
    );
    assert_eq!(by_user["properties"]["plan"], "pro");
    assert_eq!(by_user["identity_count"], 2, "{by_user}");
    assert_eq!(project.read("/api/analytics/stats").json()["persons"], 1);
    let events = project.read("/api/analytics/events?person=ada").json();
    assert_eq!(names(&events).len(), 4);
}

#[test]
fn a_shared_device_never_glues_two_users_together() {
    let project = Project::create(Server::shared());
    let client = client(&project);
    client.track("before", Properties::new());
    client.identify("ada", Properties::new());
    client.track("as-ada", Properties::new());
    client.reset();
    client.identify("bob", Properties::new());
    client.track("as-bob", Properties::new());
    deliver(&client, 5);
    // An SDK that forgets to reset sends the second user with the first one's device.
    let device = "kitchen-tablet";
    let identify = |user: &str, at: u8| json!({"event": "$identify", "anonymous_id": device, "user_id": user, "timestamp": format!("2026-01-01T00:00:0{at}Z")});
    let events = [
        identify("cleo", 1),
        identify("dan", 2),
        json!({"event": "tap", "anonymous_id": device}),
    ];
    let response = project
        .server
        .send(&project.batch(batch(&events.map(|event| event.to_string()))));
    assert_eq!(response.status, 202);
    project.server.until_drained();
    assert_eq!(
        names(&person(&project, "ada")["timeline"]),
        ["before", "$identify", "as-ada"]
    );
    assert_eq!(names(&person(&project, "bob")["timeline"]), ["$identify", "as-bob"]);
    let (cleo, dan) = (person(&project, "cleo"), person(&project, "dan"));
    assert_ne!(cleo["person_id"], dan["person_id"]);
    assert_eq!(
        person(&project, device)["person_id"],
        cleo["person_id"],
        "the first to identify owns the device"
    );
    assert_eq!((names(&cleo["timeline"]).len(), names(&dan["timeline"]).len()), (2, 1));
    assert_eq!(project.read("/api/analytics/stats").json()["persons"], 4);
}

#[test]
fn an_alias_makes_two_users_one_person_with_one_history() {
    let project = Project::create(Server::shared());
    let client = client(&project);
    client.identify("old-login", Properties::new().with("plan", "free"));
    client.track("as-old", Properties::new());
    client.reset();
    client.identify("new-login", Properties::new().with("plan", "pro"));
    client.alias("old-login");
    client.track("as-new", Properties::new());
    deliver(&client, 5);
    project.server.until_drained();
    let [old, new] = ["old-login", "new-login"].map(|id| person(&project, id));
    assert_eq!(old, new);
    assert_eq!(
        names(&new["timeline"]),
        ["$identify", "as-old", "$identify", "$alias", "as-new"]
    );
    assert_eq!(new["properties"]["plan"], "pro", "the last writer wins");
    assert_eq!(project.read("/api/analytics/stats").json()["persons"], 1);
}

#[test]
fn one_project_never_sees_another() {
    let (one, other) = (Project::create(Server::shared()), Project::create(Server::shared()));
    let client = client(&one);
    client.identify("ada", Properties::new());
    deliver(&client, 1);
    one.server.until_drained();
    assert_eq!(person(&one, "ada")["identity_count"], 2);
    let stranger = other.read("/v1/persons/ada");
    assert_eq!((stranger.status, stranger.code().as_str()), (404, "not_found"));
    assert_eq!(other.read("/api/analytics/stats").json()["events"], 0);
    assert_eq!(other.read("/api/analytics/events").json()["events"], json!([]));
}

/// The README's snippet as it stands there, with this server's address and key.
#[test]
fn the_curl_snippet_of_the_readme_works() {
    let project = Project::create(Server::shared());
    let readme = include_str!("../../../README.md");
    let snippets = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let snippet = snippets
        .filter(|snippet| snippet.trim_start().starts_with("curl"))
        .collect::<Vec<_>>();
    let [snippet] = snippet[..] else {
        panic!("the README has {} curl snippets", snippet.len())
    };
    let command = snippet
        .replace("http://127.0.0.1:7700", &project.server.url())
        .replace("tm_pk_…", &project.write);
    assert!(
        command.contains(&project.write) && command.contains(&project.server.url()),
        "{command}"
    );
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(
        answer.ends_with(r#"{"accepted":1,"results":[],"next_send_after_ms":0}"#),
        "{answer}"
    );
    project.server.until_drained();
    assert_eq!(
        project.read("/api/analytics/stats").json()["by_event"],
        json!([{"event": "signup", "count": 1}])
    );
}
