//! Webhooks to receivers that fail in every way.

use std::time::Duration;

use trailmark_server::clock::Clock;
use trailmark_server::observe::Kind;
use trailmark_server::observe::outbound::{Guard, Outbound};
use trailmark_server::store::alerts::TransitionKind;

use super::receiver::{Receiver, Reply};
use super::{House, until};

#[tokio::test]
async fn what_failed_is_tried_again_under_the_same_id_with_a_new_time() {
    let (house, receiver) = (
        House::new().await,
        Receiver::answering([Reply::Say(500, "", "a\r\n\x1b[31mmess of a-token-that-nobody-sees")]).await,
    );
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    let first = house.deliver().await;
    assert_eq!((first.delivered, first.failed), (0, 1));
    assert_eq!(house.deliver().await.failed, 0, "it is not due yet");
    house.pass(13);
    assert_eq!(house.deliver().await.delivered, 1);
    let received = receiver.received();
    let [one, two] = received.as_slice() else {
        panic!("{received:?}")
    };
    assert_eq!((one.id(), &one.body), (two.id(), &two.body));
    assert!(one.id().starts_with("msg_"));
    assert_eq!(one.line, "POST /hook/a-token-that-nobody-sees?key=1 HTTP/1.1");
    let time = |received: &super::receiver::Received| received.headers["webhook-timestamp"].parse::<i64>().unwrap();
    assert_eq!(time(two) - time(one), 13);
    assert_eq!(time(two), house.clock.now().millis() / 1_000);
    let (messages, attempts) = house.log(alert).await;
    assert_eq!(messages[0].state, "delivered");
    let [one, two] = attempts.as_slice() else {
        panic!("{attempts:?}")
    };
    assert_eq!(
        (one.delivered, one.status, one.body.as_deref()),
        (Some(false), Some(500), Some("a [31mmess of …"))
    );
    assert_eq!(one.error.as_deref(), Some("answered 500 Internal Server Error"));
    assert_eq!(
        (two.attempt, two.delivered, two.status, two.error.as_deref()),
        (2, Some(true), Some(200), None)
    );
    assert!(two.took_ms.is_some());
}

#[tokio::test]
async fn whoever_closes_hangs_or_sends_elsewhere_is_tried_again_and_never_followed() {
    let elsewhere = Receiver::answering([]).await;
    let location: &'static str = format!("Location: {}\r\n", elsewhere.url()).leak();
    let replies = [Reply::Close, Reply::Hang, Reply::Say(307, location, "")];
    let (mut house, receiver) = (House::new().await, Receiver::answering(replies).await);
    house.senders.webhook_timeout = Duration::from_millis(300);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    for wait in [13, 38, 150] {
        assert_eq!(house.deliver().await.failed, 1);
        house.pass(wait);
    }
    assert_eq!(house.deliver().await.delivered, 1);
    assert_eq!(elsewhere.received().len(), 0);
    let (_, attempts) = house.log(alert).await;
    let errors: Vec<_> = attempts.iter().filter_map(|attempt| attempt.error.as_deref()).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert_eq!(errors[1], "no answer in time");
    assert_eq!(errors[2], "answered 307 Temporary Redirect: redirects are not followed");
}

#[tokio::test]
async fn a_receiver_that_is_gone_disables_its_alert_and_says_so() {
    let (house, receiver) = (House::new().await, Receiver::answering([Reply::Say(410, "", "")]).await);
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    house.tell_of(Kind::NewIssue, "8", 2, TransitionKind::Opened).await;
    assert_eq!(house.deliver().await.dead, 1);
    house.pass(3_600);
    assert_eq!(house.deliver().await, Default::default());
    let row = house.row(alert).await;
    assert_eq!(
        (row.enabled, row.disabled_reason.as_deref()),
        (false, Some("answered 410 Gone"))
    );
    assert_eq!((row.waiting, row.dead, receiver.received().len()), (0, 1, 1));
    assert_eq!(house.tell_of(Kind::NewIssue, "9", 3, TransitionKind::Opened).await, 0);
}

#[tokio::test]
async fn a_receiver_that_has_too_much_to_do_is_left_alone_as_long_as_it_says() {
    let busy = [
        Reply::Say(429, "Retry-After: 900\r\n", ""),
        Reply::Say(503, "Retry-After: 1800\r\n", ""),
    ];
    let (house, receiver) = (House::new().await, Receiver::answering(busy).await);
    house.hook(&receiver.url()).await;
    house.opened(1).await;
    house.deliver().await;
    for wait in [900, 1_800] {
        house.pass(wait - 1);
        house.deliver().await;
        let before = receiver.received().len();
        house.pass(1);
        house.deliver().await;
        assert_eq!(receiver.received().len(), before + 1, "after {wait} s");
    }
}

#[tokio::test]
async fn after_a_day_of_failures_a_message_is_dead_and_counted_and_can_be_tried_again() {
    let house = House::new().await;
    let receiver = Receiver::answering(vec![Reply::Say(500, "", ""); 20]).await;
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    house.closed(1).await;
    house.opened(2).await;
    let mut dead = 0;
    for _ in 0..30 {
        dead += house.deliver().await.dead;
        house.pass(3_600);
    }
    assert_eq!(dead, 1);
    let mut states = house.states(alert).await;
    states.sort();
    assert_eq!(states, ["opened dead", "opened withdrawn"]);
    assert_eq!((house.row(alert).await.dead, house.row(alert).await.waiting), (1, 0));
    assert_eq!(house.closed(2).await, 0, "nobody heard of its opening");
    let tried = receiver.received().len();
    assert!((8..=11).contains(&tried), "{tried} attempts");
    let (messages, _) = house.log(alert).await;
    let message = messages.iter().find(|message| message.state == "dead").unwrap().id;
    let retried = house
        .store
        .retry_delivery(house.project, alert, message, house.clock.now());
    retried.await.unwrap();
    assert_eq!(house.deliver().await.failed, 1);
    house.pass(6 * 4_500);
    house.deliver().await;
    assert_eq!(receiver.received().len(), tried + 2, "it has another day");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_nobody_else_up() {
    let hanging = Receiver::answering(vec![Reply::Hang; 100]).await;
    let quick = Receiver::answering([]).await;
    let mut house = House::new().await;
    house.senders.webhook_timeout = Duration::from_secs(60);
    let stuck = house.hook(&hanging.url()).await;
    for _ in 0..10 {
        house.hook(&quick.url()).await;
    }
    for problem in 0..30 {
        house
            .tell_of(Kind::NewIssue, &problem.to_string(), problem, TransitionKind::Opened)
            .await;
    }
    let (store, senders, clock) = (house.store.clone(), house.senders.clone(), house.clock.clone());
    let delivering = tokio::spawn(async move {
        let clock: trailmark_server::clock::SharedClock = clock;
        trailmark_server::observe::alerts::deliver_due(&store, &senders, &clock).await
    });
    let all_told = async || quick.received().len() == 300;
    until("the quick ones have all", all_told).await;
    assert!(!delivering.is_finished(), "the other one still hangs");
    assert_eq!(hanging.received().len(), 1, "one at a time");
    delivering.abort();
    assert_eq!(house.row(stuck).await.waiting, 30);
}

#[tokio::test]
async fn an_address_that_may_not_be_called_is_not_called() {
    let (mut house, receiver) = (House::new().await, Receiver::answering([]).await);
    house.senders.outbound = Outbound::new(Guard::new(Vec::new()));
    let alert = house.hook(&receiver.url()).await;
    house.opened(1).await;
    assert_eq!(house.deliver().await.dead, 1);
    assert_eq!(receiver.received().len(), 0);
    let (_, attempts) = house.log(alert).await;
    assert_eq!(attempts[0].status, None);
    assert!(attempts[0].error.is_some());
}
