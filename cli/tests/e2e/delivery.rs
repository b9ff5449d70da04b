//! The conservation law, told by the server: captured = stored + dropped + queued + lost.

use serde_json::{Value, json};
use trailmark_core::{Capture, Client, Properties};
use uuid::Uuid;

use crate::support::events::event;
use crate::support::{PATIENCE, Project, Server};

fn delivery(project: &Project<'_>) -> Value {
    project.server.until_drained();
    let response = project.read("/api/analytics/delivery");
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

#[test]
fn an_sdk_that_drops_under_a_reason_loses_nothing() {
    let project = Project::create(Server::shared());
    let client = Client::builder(&project.server.url(), &project.write).build().unwrap();
    for n in 0..5 {
        client.track("", Properties::new());
        client.track("kept", Properties::new().with("n", n));
    }
    client.capture(Capture::new("whose?"));
    client.track("last", Properties::new());
    let report = client.shutdown(PATIENCE);
    assert_eq!((report.delivered, report.pending), (6, 0), "{report:?}");

    let answer = delivery(&project);
    let install = &answer["installs"][0];
    assert_eq!(
        (&install["captured"], &install["stored"], &install["queued"]),
        (&json!(12), &json!(6), &json!(0))
    );
    assert_eq!(install["dropped"], json!({"missing_identity": 1, "missing_name": 5}));
    assert_eq!(
        (&install["lost"], &install["loss_rate"], &install["missing"]),
        (&json!(0), &json!(0.0), &json!([]))
    );
    assert!(install["sdk"].as_str().unwrap().starts_with("trailmark-"), "{install}");
    assert_eq!(answer["totals"]["lost"], 0);
}

/// One numbered event of the app's release 2.1.
fn numbered(seq: u64) -> Value {
    let mut event = event(Uuid::now_v7(), "e", "device-1");
    event["seq"] = seq.into();
    event["context"] = json!({"app": {"version": "2.1"}});
    event
}

#[test]
fn an_install_that_captured_more_than_arrived_has_lost_it_and_shows_where() {
    let project = Project::create(Server::shared());
    let mut junk = numbered(6);
    junk["user_id"] = "null".into();
    let body = json!({
        "install_id": "leaky",
        "batch": [numbered(1), numbered(2), numbered(5), junk],
        "counters": {"captured": 8, "queued": 1, "dropped": {"queue_full": 1}}
    });
    let send = |body: &Value| {
        project
            .server
            .send(&project.batch(body.to_string()).header("trailmark-sdk", "raw/1"))
    };
    for _ in 0..2 {
        assert_eq!(send(&body).json()["accepted"], 3, "a retry changes nothing");
    }
    let answer = delivery(&project);
    let install = &answer["installs"][0];
    let told = |key: &str| install[key].clone();
    assert_eq!(
        ["install_id", "sdk", "release"].map(told),
        [json!("leaky"), json!("raw/1"), json!("2.1")]
    );
    assert_eq!(
        ["captured", "stored", "queued", "lost", "loss_rate"].map(told),
        [json!(8), json!(3), json!(1), json!(2), json!(0.25)]
    );
    assert_eq!(told("dropped"), json!({"junk_user_id": 1, "queue_full": 1}));
    assert_eq!(told("missing"), json!([{"from": 3, "to": 4}, {"from": 6, "to": 8}]));
    assert_eq!(
        (&answer["by_release"][0]["name"], &answer["by_release"][0]["lost"]),
        (&json!("2.1"), &json!(2))
    );

    // The queued one and a late one arrive; nothing captured since.
    let body = json!({"install_id": "leaky", "batch": [numbered(8), numbered(3)],
                      "counters": {"captured": 8, "queued": 0, "dropped": {"queue_full": 1, "junk_user_id": 1}}});
    assert_eq!(send(&body).status, 202);
    assert_eq!(delivery(&project)["totals"]["lost"], 1);
}

#[test]
fn counters_that_make_no_sense_cost_no_event() {
    let project = Project::create(Server::shared());
    for counters in [
        json!(7),
        json!({"captured": -1}),
        json!({"captured": 1, "dropped": {"<b>": 1}}),
    ] {
        let body = json!({"install_id": "odd", "batch": [numbered(1)], "counters": counters});
        let response = project.server.send(&project.batch(body.to_string()));
        assert_eq!(
            (response.status, &response.json()["accepted"]),
            (202, &json!(1)),
            "{counters}"
        );
    }
    assert_eq!(delivery(&project)["totals"]["installs"], 0);
    assert_eq!(project.rows().count(), 3);
    project.server.assert_sound();
}
