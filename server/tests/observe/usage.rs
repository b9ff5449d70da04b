//! Daily usage: from the rows, and again when a day has changed.

use crate::world::{DAY, HOUR, MINUTE, Sent, World, at, sent};

/// The beginning is at noon.
const NOON_TO_MIDNIGHT: i64 = 12 * HOUR;

fn in_session(ms: i64, who: &str, session: &str) -> Sent {
    Sent {
        session: Some(session.to_owned()),
        ..sent(ms, "visit", who)
    }
}

async fn days(world: &World) -> Vec<(String, i64, i64, Option<i64>, Option<i64>, Option<i64>)> {
    let days = world.store.usage(world.project, at(-DAY), at(3 * DAY)).await.unwrap();
    days.into_iter()
        .map(|day| {
            (
                day.day,
                day.events,
                day.persons,
                day.sessions,
                day.sessions_open,
                day.session_seconds,
            )
        })
        .collect()
}

#[tokio::test]
async fn a_day_is_counted_again_when_late_events_have_come() {
    let world = World::new().await;
    world
        .store(&[
            sent(0, "a", "d1"),
            sent(1, "a", "d2"),
            sent(NOON_TO_MIDNIGHT, "a", "d1"),
        ])
        .await;
    world.take_up().await;
    assert_eq!(world.store.count_usage(world.project, at(DAY)).await.unwrap(), 2);
    assert_eq!(
        world.store.count_usage(world.project, at(DAY)).await.unwrap(),
        0,
        "nothing has changed"
    );
    world.store(&[sent(2, "b", "d3")]).await;
    world.take_up().await;
    assert_eq!(world.store.count_usage(world.project, at(DAY)).await.unwrap(), 1);
    let counted: Vec<_> = days(&world)
        .await
        .into_iter()
        .map(|day| (day.0, day.1, day.2))
        .collect();
    assert_eq!(
        counted,
        [("2026-11-20".to_owned(), 3, 3), ("2026-11-21".to_owned(), 1, 1)]
    );
}

#[tokio::test]
async fn sessions_are_closed_when_they_are_over_and_counted_on_the_day_they_began() {
    let world = World::new().await;
    let over_midnight = NOON_TO_MIDNIGHT - MINUTE;
    world
        .store(&[
            in_session(0, "d1", "s1"),
            in_session(10 * MINUTE, "d1", "s1"),
            in_session(over_midnight, "d2", "s2"),
            in_session(over_midnight + 2 * MINUTE, "d2", "s2"),
        ])
        .await;
    world.take_up().await;
    world.store.count_usage(world.project, at(DAY)).await.unwrap();
    // A minute after midnight the second session is not over.
    world
        .store
        .close_sessions(world.project, at(NOON_TO_MIDNIGHT + MINUTE))
        .await
        .unwrap();
    assert_eq!(
        days(&world).await[0],
        ("2026-11-20".to_owned(), 3, 2, Some(2), Some(1), Some(600))
    );
    world
        .store
        .close_sessions(world.project, at(NOON_TO_MIDNIGHT + HOUR))
        .await
        .unwrap();
    let closed = days(&world).await;
    assert_eq!(closed[0], ("2026-11-20".to_owned(), 3, 2, Some(2), Some(0), Some(720)));
    assert_eq!(
        closed[1],
        ("2026-11-21".to_owned(), 1, 1, Some(0), Some(0), Some(0)),
        "it did not begin on this day"
    );
    assert_eq!(
        world.store.close_sessions(world.project, at(2 * DAY)).await.unwrap(),
        0,
        "all are closed"
    );
}

#[tokio::test]
async fn weeks_that_were_kept_long_enough_go_with_their_counts() {
    let world = World::new().await;
    world.store(&[sent(-30 * DAY, "old", "d"), sent(0, "new", "d")]).await;
    world.take_up().await;
    assert_eq!(world.store.drop_weeks(at(-21 * DAY)).await.unwrap(), 1);
    let rows: Vec<(i64,)> = sqlx::query_as("SELECT count(*) FROM events")
        .fetch_all(world.store.pool())
        .await
        .unwrap();
    assert_eq!(rows, [(1,)]);
    assert_eq!(world.hours().await, [("new".to_owned(), 1)]);
    // What comes for such a week is stored, and goes the next time.
    world.store(&[sent(-30 * DAY, "old", "d")]).await;
    assert_eq!(world.store.drop_weeks(at(-21 * DAY)).await.unwrap(), 1);
}
