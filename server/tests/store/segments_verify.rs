//! `trailmark verify`: segments and rows are compared, and what differs is told and made anew.

use trailmark_server::event::AcceptedEvent;
use trailmark_server::store::{Store, Verified};

use crate::sealed::each_event_is_in_one_place;
use crate::segments::{happened, hours, write};
use crate::support;

/// Two names in two weeks with a column, some of it late, some not sealed.
async fn sealed() -> Store {
    let store = support::store().await;
    store.promote(1, "n", "use", hours(0), 64).await.unwrap();
    let other = |n, hours| AcceptedEvent {
        name: "bought",
        properties: Some(r#"{"n":"x"}"#),
        ..happened(n, hours)
    };
    let events = [
        happened(1, -1),
        happened(2, -200),
        other(3, -1),
        other(4, -200),
        happened(5, 9),
        happened(6, -1),
    ];
    write(&store, &events).await;
    store.seal(1, hours(0)).await.unwrap();
    write(&store, &[happened(7, -1), other(8, -400)]).await;
    store
}

fn told(verified: &Verified) -> Vec<(&str, String, &str)> {
    let wrong = verified.wrong.iter();
    wrong
        .map(|wrong| (wrong.event.as_str(), wrong.week.to_string(), wrong.what.as_str()))
        .collect()
}

#[tokio::test]
async fn what_is_right_is_found_right_whatever_waits() {
    let store = sealed().await;
    let verified = store.verify_segments(1).await.unwrap();
    assert_eq!(told(&verified), []);
    assert_eq!(
        (verified.segments, verified.events, verified.late, verified.stale),
        (4, 5, 2, 0)
    );
    assert!(verified.bytes > 400);
    assert_eq!(
        store.verify_segments(2).await.unwrap(),
        Verified::default(),
        "one without events"
    );
    store.begin_erasure(1, "a", hours(20)).await.unwrap();
    assert_eq!(
        told(&store.verify_segments(1).await.unwrap()),
        [],
        "in the middle of an erasure"
    );
    store.finish_erasures().await.unwrap();
    assert_eq!(store.verify_segments(1).await.unwrap(), Verified::default());
}

#[tokio::test]
async fn what_is_wrong_is_told_by_name_and_week_and_made_anew() {
    let (this, before) = ("2026-11-16T00:00:00.000Z", "2026-11-09T00:00:00.000Z");
    let only_rows = "UPDATE events SET seq = 99 WHERE seq = 1";
    let values = r#"UPDATE events SET properties = '{"n":2}' WHERE seq = 2"#;
    let missing = "DELETE FROM segments WHERE event_name_id = (SELECT id FROM event_names WHERE name = 'bought')
                   AND week = (SELECT max(week) FROM segments)";
    let bits = "UPDATE segments SET bytes = set_byte(bytes, 90, get_byte(bytes, 90) # 4)
                WHERE event_name_id = (SELECT id FROM event_names WHERE name = 'bought')
                  AND week = (SELECT max(week) FROM segments)";
    let row_gone = "DELETE FROM events WHERE seq = 6";
    let mark_gone = "DELETE FROM late_events WHERE seq = 7";
    let no_row = "DELETE FROM events WHERE seq = 7";
    for (harm, event, week, what) in [
        (only_rows, "viewed", this, "other events than the rows"),
        (values, "viewed", before, "other values of properties than the rows"),
        (missing, "bought", this, "no segment, but 1 rows"),
        (bits, "bought", this, "no segment: the checksum is wrong"),
        (row_gone, "viewed", this, "2 events, but 1 rows"),
        (mark_gone, "viewed", this, "2 events, but 3 rows"),
        (
            no_row,
            "viewed",
            this,
            "1 late events that are not, or not so, among the rows",
        ),
    ] {
        let store = sealed().await;
        sqlx::raw_sql(harm).execute(store.pool()).await.unwrap();
        let verified = store.verify_segments(1).await.unwrap();
        assert_eq!(told(&verified), [(event, week.to_owned(), what)], "{harm}");
        store.rebuild_wrong(1, &verified.wrong).await.unwrap();
        assert_eq!(told(&store.verify_segments(1).await.unwrap()), [], "{harm}");
        each_event_is_in_one_place(&store).await;
    }
}
