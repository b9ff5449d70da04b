//! No project sees anything of another, whatever it asks for.

use trailmark_server::event::AcceptedEvent;
use trailmark_server::query::{EventFilter, Page, QueryError, TimeRange};

use crate::world::{World, alias, anonymous, id_at, identify, json, user};

/// Two projects with the same ids and names, so that only the project tells them apart; and ids of one alone.
async fn neighbours() -> (World, World) {
    let ours = World::new().await;
    let theirs = World::beside(ours.store.clone()).await;
    ours.send(&[anonymous(1, "open", "device"), identify(2, "device", "ann")])
        .await;
    theirs
        .send(&[
            anonymous(1, "open", "device"),
            AcceptedEvent {
                set: Some(r#"{"secret":"theirs"}"#),
                ..identify(2, "device", "bob")
            },
            AcceptedEvent {
                set: Some(r#"{"secret":"theirs"}"#),
                ..user(3, "their event", "ann")
            },
            alias(4, "ann", "only theirs"),
        ])
        .await;
    (ours, theirs)
}

#[tokio::test]
async fn the_same_ids_in_two_projects_are_two_persons() {
    let (ours, theirs) = neighbours().await;
    assert_eq!(ours.timeline("ann").await, ["$identify", "open"]);
    assert_eq!(theirs.timeline("ann").await, ["$alias", "their event"]);
    assert_eq!(ours.person("ann").await["properties"], serde_json::json!({}));
    assert_eq!(
        ours.person("device").await["person_id"],
        ours.person("ann").await["person_id"]
    );
    assert_ne!(
        ours.person("ann").await["person_id"],
        theirs.person("ann").await["person_id"]
    );
}

#[tokio::test]
async fn ids_names_and_cursors_of_another_project_lead_nowhere() {
    let (ours, theirs) = neighbours().await;
    for id in ["only theirs", "bob"] {
        assert!(
            matches!(
                ours.reader().person(id, Page::default()).await,
                Err(QueryError::UnknownPerson)
            ),
            "{id}"
        );
        assert_eq!(
            ours.names(EventFilter {
                person: Some(id),
                ..EventFilter::default()
            })
            .await,
            [""; 0]
        );
    }
    let their_event = EventFilter {
        event: Some("their event"),
        ..EventFilter::default()
    };
    assert_eq!(ours.names(their_event).await, [""; 0]);
    assert_eq!(theirs.names(their_event).await, ["their event"]);

    let after_theirs = Page {
        limit: 10,
        before: Some(id_at(4)),
    };
    let page = json(&ours.events(EventFilter::default(), after_theirs).await);
    assert!(!page.to_string().contains("their"), "{page}");
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_of_another_project_is_counted() {
    let (ours, theirs) = neighbours().await;
    let insert = "INSERT INTO dead_letters (project_id, event_id, reason, detail, payload)
                  VALUES ($1, gen_random_uuid(), 'dead_letter', 'd', '')";
    sqlx::query(insert)
        .bind(theirs.project)
        .execute(ours.store.pool())
        .await
        .unwrap();
    let stats = ours.reader().stats(TimeRange::default()).await.unwrap();
    assert_eq!(
        (stats.events, stats.persons, stats.devices, stats.dead_letters),
        (2, 1, 1, 0)
    );
    assert!(stats.by_event.iter().all(|name| name.event != "their event"));
}

#[tokio::test]
async fn a_project_that_does_not_exist_has_nothing() {
    let (ours, _) = neighbours().await;
    let nobody = World {
        project: 9_999,
        store: ours.store.clone(),
    };
    assert_eq!(nobody.names(EventFilter::default()).await, [""; 0]);
    assert_eq!(nobody.reader().stats(TimeRange::default()).await.unwrap().events, 0);
}
