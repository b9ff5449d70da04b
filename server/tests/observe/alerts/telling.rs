//! What is told, and what is not.

use serde_json::json;
use trailmark_server::clock::Clock;
use trailmark_server::observe::Kind;
use trailmark_server::store::alerts::{AlertChange, TransitionKind};

use super::House;
use super::receiver::{Receiver, Reply};

#[tokio::test]
async fn an_opening_and_its_end_are_told_once_however_often_they_are_said() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let alert = house.hook(&receiver.url()).await;
    assert_eq!((house.opened(1).await, house.opened(1).await), (1, 0));
    assert_eq!(house.deliver().await.delivered, 1);
    assert_eq!((house.opened(1).await, house.deliver().await.delivered), (0, 0));
    house.pass(1);
    assert_eq!((house.closed(1).await, house.closed(1).await), (1, 0));
    house.deliver().await;
    assert_eq!(receiver.told(), ["problem.opened", "problem.closed"]);
    assert_eq!(house.states(alert).await, ["opened delivered", "closed delivered"]);
}

#[tokio::test]
async fn only_those_alerts_are_told_that_name_the_problem() {
    let house = House::new().await;
    let (issues, monitor, other) = (
        Receiver::answering([]).await,
        Receiver::answering([]).await,
        Receiver::answering([]).await,
    );
    let to = |receiver: &Receiver| json!({"webhook": {"url": receiver.url()}});
    house
        .alert_on(&json!({"kinds": ["new_issue"]}), &to(&issues), None)
        .await;
    let on = json!({"kinds": ["monitor_down"], "subject": "3"});
    house.alert_on(&on, &to(&monitor), None).await;
    let on = json!({"threshold": {"saved_query": 7, "above": 1.5}});
    let threshold = house.alert_on(&on, &to(&other), None).await;
    house.opened(1).await;
    house.tell_of(Kind::MonitorDown, "4", 2, TransitionKind::Opened).await;
    let subject = threshold.to_string();
    house
        .tell_of(Kind::Threshold, &subject, 3, TransitionKind::Opened)
        .await;
    house.tell_of(Kind::Threshold, "99", 4, TransitionKind::Opened).await;
    house.deliver().await;
    assert_eq!(issues.received().len(), 0);
    let problems = |receiver: &Receiver| {
        let received = receiver.received();
        received
            .iter()
            .map(|one| one.json()["data"]["problem"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!((problems(&monitor), problems(&other)), (vec![json!(1)], vec![json!(3)]));
    let thresholds = house.store.alert_thresholds().await.unwrap();
    let [only] = thresholds.as_slice() else {
        panic!("{thresholds:?}")
    };
    assert_eq!((only.alert_id, only.threshold.0.above), (threshold, Some(1.5)));
}

#[tokio::test]
async fn a_silenced_alert_tells_at_its_end_what_is_still_so_and_never_what_is_over() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    house.deliver().await;
    house.silence(alert, 60).await;
    house.tell_of(Kind::NewIssue, "5", 2, TransitionKind::Opened).await;
    house.tell_of(Kind::NewIssue, "6", 3, TransitionKind::Opened).await;
    let at = house.clock.now();
    house
        .tell_of(Kind::NewIssue, "6", 3, TransitionKind::Closed { at })
        .await;
    house.closed(1).await;
    house.pass(3_599);
    assert_eq!(house.deliver().await.delivered, 0);
    house.pass(1);
    assert_eq!(house.deliver().await.delivered, 2);
    let told = receiver.told();
    assert_eq!(told[0], "problem.opened");
    assert!(told[1..].contains(&"problem.opened".to_owned()) && told[1..].contains(&"problem.closed".to_owned()));
    let states = house.states(alert).await;
    assert!(states.contains(&"opened withdrawn".to_owned()), "{states:?}");
    assert_eq!(
        states.len(),
        4,
        "nobody heard of 3, so nobody hears of its end: {states:?}"
    );
}

#[tokio::test]
async fn what_flaps_is_told_every_ten_minutes_at_the_most() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    house.hook(&receiver.url()).await;
    // Up and down each minute, for half an hour.
    for minute in 0..30 {
        house.opened(minute).await;
        house.deliver().await;
        house.pass(30);
        house.closed(minute).await;
        house.deliver().await;
        house.pass(30);
    }
    let told = receiver.told();
    assert_eq!(
        told.iter().filter(|told| *told == "problem.opened").count(),
        3,
        "{told:?}"
    );
    assert_eq!(
        told.iter().filter(|told| *told == "problem.closed").count(),
        3,
        "{told:?}"
    );
    // And once it stays down, that is told.
    house.opened(99).await;
    house.pass(600);
    house.deliver().await;
    assert_eq!(receiver.told().last().unwrap(), "problem.opened");
    assert_eq!(receiver.received().last().unwrap().json()["data"]["problem"], 99);
}

#[tokio::test]
async fn reminders_come_while_it_lasts_and_stop_with_it() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let to = json!({"webhook": {"url": receiver.url()}});
    let alert = house.alert(&to, Some(60)).await;
    house.opened(1).await;
    house.deliver().await;
    // It is looked at every ten minutes, for five hours; two of them are silent.
    for turn in 1..=30 {
        if turn == 13 {
            house.silence(alert, 120).await;
        }
        house.pass(600);
        house.still_open(1).await;
        house.deliver().await;
    }
    house.closed(1).await;
    house.deliver().await;
    let told = receiver.told();
    assert_eq!(told[0], "problem.opened");
    assert_eq!(told.last().unwrap(), "problem.closed");
    assert_eq!(told.len(), 6, "after 1, 2, 4 and 5 hours: {told:?}");
    assert_eq!(house.still_open(1).await, 0);
}

#[tokio::test]
async fn a_reminder_that_did_not_get_through_is_dropped_when_it_is_over() {
    let failures = [Reply::Say(200, "", ""), Reply::Say(500, "", "")];
    let (house, receiver) = (House::new().await, Receiver::answering(failures).await);
    let alert = house
        .alert(&json!({"webhook": {"url": receiver.url()}}), Some(30))
        .await;
    house.opened(1).await;
    house.deliver().await;
    house.pass(1_800);
    house.still_open(1).await;
    assert_eq!(house.deliver().await.failed, 1);
    house.pass(1);
    house.closed(1).await;
    house.pass(60);
    house.deliver().await;
    assert_eq!(
        house.states(alert).await,
        ["opened delivered", "reminder withdrawn", "closed delivered"]
    );
}

#[tokio::test]
async fn who_was_not_told_of_an_opening_hears_nothing_of_its_end() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let quiet = house.hook(&receiver.url()).await;
    house
        .change(
            quiet,
            AlertChange {
                recover: Some(false),
                ..AlertChange::default()
            },
        )
        .await;
    house.opened(1).await;
    house.deliver().await;
    let late = house.hook(&receiver.url()).await;
    house.closed(1).await;
    house.deliver().await;
    assert_eq!(house.states(quiet).await, ["opened delivered"]);
    assert_eq!(house.states(late).await, [""; 0]);
}

#[tokio::test]
async fn what_waited_while_an_alert_was_disabled_is_not_sent_when_it_is_enabled() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    let enabled = |enabled| AlertChange {
        enabled: Some(enabled),
        ..AlertChange::default()
    };
    house.change(alert, enabled(false)).await;
    assert_eq!(house.tell_of(Kind::Ingest, "", 2, TransitionKind::Opened).await, 0);
    house.change(alert, enabled(true)).await;
    assert_eq!(house.deliver().await.delivered, 0);
    assert_eq!(house.states(alert).await, ["opened withdrawn"]);
}

#[tokio::test]
async fn another_project_hears_nothing() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let other = House::over(house.store.clone()).await;
    other.hook(&receiver.url()).await;
    assert_eq!(house.opened(1).await, 0);
    assert_eq!(other.opened(1).await, 1);
}
