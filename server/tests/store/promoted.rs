//! Which properties get columns: those that people say, and those that questions use.

use trailmark_server::store::Store;

use crate::history::at;
use crate::support;

const DAY: i64 = 86_400_000_000;

/// So many questions used a property on a day.
async fn used(store: &Store, property: &str, day: i64, questions: usize) {
    for _ in 0..questions {
        let at = at("2026-11-21T23:59:00Z").plus_micros(day * DAY);
        let twice_in_one_question = [property.to_owned(), property.to_owned()];
        store.count_use(1, &twice_in_one_question, at).await.unwrap();
    }
}

async fn promoted(store: &Store, day: i64) -> Vec<(String, String, i64)> {
    let now = at("2026-11-21T23:59:30Z").plus_micros(day * DAY);
    store.promote_by_use(1, now).await.unwrap();
    let promoted = store.promoted(1, now).await.unwrap();
    promoted
        .into_iter()
        .map(|promoted| (promoted.property, promoted.promoted_by, promoted.uses))
        .collect()
}

fn told(property: &str, by: &str, uses: i64) -> (String, String, i64) {
    (property.to_owned(), by.to_owned(), uses)
}

#[tokio::test]
async fn what_ten_questions_on_three_days_use_is_promoted_until_nobody_asks_for_sixty_days() {
    let store = support::store().await;
    for day in [-13, -5] {
        used(&store, "plan", day, 4).await;
        used(&store, "few", day, 2).await;
        used(&store, "two days", day, 9).await;
    }
    used(&store, "plan", -14, 9).await;
    assert_eq!(promoted(&store, 0).await, [], "two days of the last 14");
    used(&store, "plan", 0, 2).await;
    used(&store, "few", 0, 2).await;
    assert_eq!(promoted(&store, 0).await, [told("plan", "use", 19)]);
    assert_eq!(promoted(&store, 59).await, [told("plan", "use", 0)]);
    assert_eq!(promoted(&store, 61).await, [], "nor is the use of then remembered");
}

#[tokio::test]
async fn what_somebody_promotes_stays_and_what_is_used_most_goes_first() {
    let store = support::store().await;
    for n in 0..18 {
        for day in -2..=0 {
            used(&store, &format!("p{n:02}"), day, 4 + n % 2).await;
        }
    }
    let by_use = promoted(&store, 0).await;
    assert_eq!(by_use.len(), 16);
    assert!(
        (1..18)
            .step_by(2)
            .all(|n| by_use.contains(&told(&format!("p{n:02}"), "use", 15)))
    );
    let now = at("2026-11-22T00:00:00Z");
    assert!(store.promote(1, "p00", "ann@example.com", now, 17).await.unwrap());
    assert!(store.promote(1, "mine", "ann@example.com", now, 17).await.unwrap());
    assert!(!store.promote(1, "too many", "ann@example.com", now, 17).await.unwrap());
    assert!(
        store.promote(1, "p00", "bob@example.com", now, 17).await.unwrap(),
        "is promoted already"
    );
    let late = promoted(&store, 99).await;
    assert_eq!(
        late,
        [told("mine", "ann@example.com", 0), told("p00", "ann@example.com", 0)]
    );
    assert!(store.demote(1, "mine").await.unwrap() && !store.demote(1, "mine").await.unwrap());
    assert!(!store.demote(2, "p00").await.unwrap());
}
