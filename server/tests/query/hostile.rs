//! Texts that try to be SQL are only ever data.

use trailmark_server::query::{EventFilter, Page, QueryError, TimeRange};

use crate::world::{World, alias, anonymous, identify, user};

const HOSTILE: [&str; 9] = [
    "'; DROP TABLE events; --",
    "' OR '1'='1",
    "\" OR 1=1 --",
    "$1",
    "$$; SELECT pg_sleep(60); $$",
    "\\'; COMMIT; --",
    "{1,2}",
    "%",
    "'||(SELECT key_hash FROM api_keys LIMIT 1)||'",
];

#[tokio::test]
async fn a_hostile_filter_or_id_finds_nothing_and_harms_nothing() {
    let world = World::new().await;
    world
        .send(&[anonymous(1, "open", "device"), user(2, "open", "ann")])
        .await;
    for text in HOSTILE {
        let event = EventFilter {
            event: Some(text),
            ..EventFilter::default()
        };
        let person = EventFilter {
            person: Some(text),
            ..EventFilter::default()
        };
        assert_eq!(world.names(event).await, [""; 0], "{text}");
        assert_eq!(world.names(person).await, [""; 0], "{text}");
        let answer = world.reader().person(text, Page::default()).await;
        assert!(matches!(answer, Err(QueryError::UnknownPerson)), "{text}: {answer:?}");
    }
    assert_eq!(world.reader().stats(TimeRange::default()).await.unwrap().events, 2);
}

#[tokio::test]
async fn hostile_ids_and_names_that_are_stored_come_back_as_they_were_sent() {
    for text in HOSTILE {
        let world = World::new().await;
        let other = format!("{text}2");
        world
            .send(&[
                anonymous(1, text, text),
                identify(2, text, &other),
                alias(3, &other, "ann"),
            ])
            .await;
        assert_eq!(world.timeline(&other).await, ["$alias", "$identify", text]);
        assert_eq!(
            world.timeline(text).await,
            ["$alias", "$identify", text],
            "by its anonymous_id"
        );
        assert_eq!(
            world
                .names(EventFilter {
                    event: Some(text),
                    ..EventFilter::default()
                })
                .await,
            [text]
        );
        let stats = world.reader().stats(TimeRange::default()).await.unwrap();
        assert!(stats.by_event.iter().any(|name| name.event == text));
    }
}
