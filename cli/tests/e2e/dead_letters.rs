//! A row that Postgres refuses: only it becomes a dead letter, and it can be replayed.

use crate::support::events::{batch, event};
use crate::support::{Project, Setup, until};

#[test]
fn a_poison_row_becomes_a_dead_letter_alone_and_is_stored_by_a_replay() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    project
        .rows()
        .execute("ALTER TABLE events ADD CONSTRAINT poison CHECK (properties->>'poison' IS NULL)");
    let ids = std::array::from_fn::<_, 50, _>(|_| uuid::Uuid::now_v7());
    let poison = ids[17];
    let events = ids.map(|id| {
        let mut event = event(id, "e", "device-1");
        event["properties"] = if id == poison {
            serde_json::json!({"poison": true})
        } else {
            serde_json::json!({})
        };
        event.to_string()
    });
    assert_eq!(server.send(&project.batch(batch(&events))).json()["accepted"], 50);
    server.until_drained();
    assert_eq!(
        project.rows().ids(),
        ids.into_iter().filter(|&id| id != poison).collect::<Vec<_>>()
    );

    let number = project.id.to_string();
    let listed = server.run(&["deadletter", "list", "--project", &number]);
    let letters = listed["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "{listed}");
    let letter = &letters[0];
    assert_eq!(letter["event"], poison.to_string(), "{letter}");
    assert_eq!(
        (&letter["sqlstate"], &letter["reason"]),
        (&"23514".into(), &"dead_letter".into()),
        "{letter}"
    );
    assert_eq!(project.read("/api/analytics/stats").json()["dead_letters"], 1);

    project.rows().execute("ALTER TABLE events DROP CONSTRAINT poison");
    let replayed = server.run(&["deadletter", "replay", "--project", &number]);
    assert_eq!(
        replayed,
        serde_json::json!({"stored": 1, "duplicates": 0, "refused": 0})
    );
    assert_eq!(project.rows().ids(), ids);
    assert_eq!(
        server.run(&["deadletter", "list"])["dead_letters"],
        serde_json::json!([])
    );
    until("a count of the replayed event", || {
        (project.read("/api/analytics/stats").json()["events"] == 50).then_some(())
    });
    server.assert_sound();
}
