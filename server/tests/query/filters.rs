//! Filters, alone and together.

use trailmark_server::query::{EventFilter, Page, TimeRange};

use crate::world::{World, alias, anonymous, at, event, identify, user};

fn between(from: Option<i64>, to: Option<i64>) -> EventFilter<'static> {
    EventFilter {
        range: TimeRange {
            from: from.map(at),
            to: to.map(at),
        },
        ..EventFilter::default()
    }
}

async fn a_week() -> World {
    let world = World::new().await;
    world
        .send(&[
            anonymous(0, "open", "device-a"),
            anonymous(10, "buy", "device-b"),
            user(20, "open", "ann"),
            event(30, "buy", Some("device-a"), Some("ann")),
            anonymous(40, "close", "device-b"),
        ])
        .await;
    world
}

#[tokio::test]
async fn by_event_by_time_and_by_both() {
    let world = a_week().await;
    let buy = EventFilter {
        event: Some("buy"),
        ..EventFilter::default()
    };
    assert_eq!(world.names(buy).await, ["buy", "buy"]);
    assert_eq!(
        world
            .names(EventFilter {
                event: Some("sell"),
                ..buy
            })
            .await,
        [""; 0]
    );
    assert_eq!(
        world.names(between(Some(10), Some(30))).await,
        ["open", "buy"],
        "from is inside, to is not"
    );
    assert_eq!(world.names(between(Some(10), Some(10))).await, [""; 0]);
    assert_eq!(world.names(between(None, Some(1))).await, ["open"]);
    assert_eq!(world.names(between(Some(31), None)).await, ["close"]);
    assert_eq!(
        world
            .names(EventFilter {
                range: between(Some(10), Some(11)).range,
                ..buy
            })
            .await,
        ["buy"]
    );
}

#[tokio::test]
async fn time_means_the_corrected_time_not_that_of_the_id() {
    let world = World::new().await;
    let skewed = trailmark_server::event::AcceptedEvent {
        timestamp: at(86_400_000),
        ..anonymous(5, "skewed", "device")
    };
    world.send(&[skewed]).await;
    assert_eq!(world.names(between(Some(0), Some(10))).await, [""; 0]);
    assert_eq!(world.names(between(Some(86_400_000), None)).await, ["skewed"]);
}

#[tokio::test]
async fn a_person_is_all_its_ids_whichever_of_them_is_asked_for() {
    let world = a_week().await;
    world
        .send(&[identify(50, "device-a", "ann"), alias(60, "ann", "ann@example.com")])
        .await;
    for id in ["ann", "device-a", "ann@example.com"] {
        let hers = EventFilter {
            person: Some(id),
            ..EventFilter::default()
        };
        assert_eq!(
            world.names(hers).await,
            ["$alias", "$identify", "buy", "open", "open"],
            "{id}"
        );
        assert_eq!(
            world
                .names(EventFilter {
                    event: Some("buy"),
                    ..hers
                })
                .await,
            ["buy"],
            "{id}"
        );
        let early = EventFilter {
            range: between(None, Some(30)).range,
            ..hers
        };
        assert_eq!(world.names(early).await, ["open", "open"], "{id}");
    }
    let nobody = EventFilter {
        person: Some("nobody"),
        ..EventFilter::default()
    };
    assert_eq!(world.names(nobody).await, [""; 0]);
}

#[tokio::test]
async fn more_event_names_than_are_looked_up_one_by_one_give_the_same_answer() {
    let world = World::new().await;
    let names: Vec<_> = (0..250).map(|i| format!("event {i}")).collect();
    let events: Vec<_> = names
        .iter()
        .zip(0..)
        .map(|(name, ms)| anonymous(ms, name, "device"))
        .collect();
    world.send(&events).await;
    assert_eq!(
        world.names(between(Some(100), Some(103))).await,
        ["event 102", "event 101", "event 100"]
    );
    let page = world
        .events(
            between(Some(0), None),
            Page {
                limit: 1_000,
                before: None,
            },
        )
        .await;
    assert_eq!(page.events.len(), 250);
}
