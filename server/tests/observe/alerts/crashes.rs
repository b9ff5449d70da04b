//! Servers that die, and several that live.

use std::collections::BTreeSet;

use trailmark_server::clock::{Clock, SharedClock};
use trailmark_server::observe::Kind;
use trailmark_server::observe::alerts::deliver_due;
use trailmark_server::store::Store;
use trailmark_server::store::alerts::TransitionKind;

use super::House;
use super::receiver::{Receiver, Reply};
use crate::support;

#[tokio::test]
async fn killed_between_sending_and_writing_it_down_a_message_is_sent_again_under_its_id() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    let mut claimed = house.store.claim_messages(house.clock.now(), 10).await.unwrap();
    let due = claimed.remove(0);
    house.senders.send(&due, house.clock.now()).await;
    // Here the server dies. Until its claim runs out nobody else sends the message.
    drop(due);
    house.pass(119);
    assert_eq!(house.deliver().await.delivered, 0);
    house.pass(1);
    assert_eq!(house.deliver().await.delivered, 1);
    let ids = receiver.ids();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
    let (_, attempts) = house.log(alert).await;
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.delivered).collect();
    assert_eq!(outcomes, [None, Some(true)], "nobody knows how the first went");
}

#[tokio::test]
async fn who_comes_back_late_does_not_undo_what_another_has_done() {
    let (house, receiver) = (House::new().await, Receiver::answering([Reply::Say(500, "", "")]).await);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    let late = house
        .store
        .claim_messages(house.clock.now(), 10)
        .await
        .unwrap()
        .remove(0);
    let outcome = house.senders.send(&late, house.clock.now()).await;
    house.pass(121);
    assert_eq!(house.deliver().await.delivered, 1);
    let next = outcome.next(1, late.first_attempt_at.0, house.clock.now(), 0);
    house.store.finish_attempt(&late, &outcome, next).await.unwrap();
    assert_eq!(house.states(alert).await, ["opened delivered"]);
    let (_, attempts) = house.log(alert).await;
    assert_eq!(attempts[0].status, Some(500), "the log has it all the same");
    house.pass(3_600);
    assert_eq!(house.deliver().await, Default::default());
}

#[tokio::test]
async fn a_problem_that_ends_while_its_opening_is_on_its_way_is_told_as_over_afterwards() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    house.hook(&receiver.url()).await;
    house.opened(1).await;
    let due = house
        .store
        .claim_messages(house.clock.now(), 10)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(house.closed(1).await, 1, "the receiver may have heard of it");
    assert_eq!(house.deliver().await.delivered, 0, "the opening comes first");
    let outcome = house.senders.send(&due, house.clock.now()).await;
    let next = outcome.next(1, due.first_attempt_at.0, house.clock.now(), 0);
    house.store.finish_attempt(&due, &outcome, next).await.unwrap();
    house.deliver().await;
    assert_eq!(receiver.told(), ["problem.opened", "problem.closed"]);
}

#[tokio::test]
async fn two_servers_send_each_message_once() {
    let options = support::empty_database().await;
    let stores = [Store::connect(options.clone(), 4), Store::connect(options, 4)];
    stores[0].migrate().await.unwrap();
    let (house, receiver) = (House::over(stores[0].clone()).await, Receiver::answering([]).await);
    for _ in 0..20 {
        house.hook(&receiver.url()).await;
    }
    for problem in 0..10 {
        house
            .tell_of(Kind::NewIssue, &problem.to_string(), problem, TransitionKind::Opened)
            .await;
    }
    let clock: SharedClock = house.clock.clone();
    let (one, two) = tokio::join!(
        deliver_due(&stores[0], &house.senders, &clock),
        deliver_due(&stores[1], &house.senders, &clock)
    );
    let (one, two) = (one.unwrap().delivered, two.unwrap().delivered);
    // One may have ended while the other had the last messages.
    assert_eq!(one + two + house.deliver().await.delivered, 200);
    let ids = receiver.ids();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (200, 200));
}

#[tokio::test]
async fn old_messages_are_forgotten_but_openings_are_known_while_a_problem_lasts() {
    let (house, receiver) = (House::new().await, Receiver::answering([]).await);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    house.tell_of(Kind::NewIssue, "5", 2, TransitionKind::Opened).await;
    house.deliver().await;
    let at = house.clock.now();
    house
        .tell_of(Kind::NewIssue, "5", 2, TransitionKind::Closed { at })
        .await;
    house.deliver().await;
    house.pass(31 * 86_400);
    house.store.forget_deliveries(house.clock.now()).await.unwrap();
    let (messages, attempts) = house.log(alert).await;
    assert_eq!((messages.len(), attempts.len()), (2, 0), "the openings");
    assert_eq!(house.closed(1).await, 1, "the end of what lasted a month is told");
    house.deliver().await;
    house.pass(400 * 86_400);
    house.store.forget_deliveries(house.clock.now()).await.unwrap();
    assert_eq!(house.log(alert).await.0.len(), 0);
}
