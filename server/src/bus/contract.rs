//! What every bus promises, as tests that each implementation runs.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use super::{Bus, Message, Pattern, Subscription, Topic};

/// How long anything may take that is sure to come: 20 s on a busy machine.
pub(crate) const SURELY: Duration = Duration::from_secs(20);

/// Two ends of a bus, which may be the same.
pub(crate) struct Ends {
    pub(crate) here: Arc<dyn Bus>,
    pub(crate) there: Arc<dyn Bus>,
    /// What must live as long as they do.
    pub(crate) broker: Option<Box<dyn Any + Send>>,
}

pub(crate) fn message(topic: &str, payload: impl Into<String>) -> Message {
    Message {
        topic: Topic::new(topic).unwrap(),
        payload: payload.into().into(),
    }
}

pub(crate) fn subscribe(bus: &Arc<dyn Bus>, pattern: &str) -> Subscription {
    bus.subscribe(&Pattern::new(pattern).unwrap())
}

/// The next message's payload.
pub(crate) async fn next(subscription: &mut Subscription) -> String {
    let message = timeout(SURELY, subscription.next()).await.expect("a message in time");
    String::from_utf8(message.expect("no end").payload.to_vec()).unwrap()
}

/// Publishes under `topic` until `subscription` hears it: a broker learns of subscriptions a moment later.
pub(crate) async fn connect(publisher: &Arc<dyn Bus>, topic: &str, subscription: &mut Subscription) {
    let probes = async {
        loop {
            let _ = publisher.publish(message(topic, "probe"));
            let heard = timeout(Duration::from_millis(20), subscription.next()).await;
            if let Ok(Some(_)) = heard {
                break;
            }
        }
    };
    timeout(SURELY, probes).await.expect("the ends are connected in time");
    let _ = publisher.publish(message(topic, "end of probes"));
    while next(subscription).await != "end of probes" {}
}

pub(crate) async fn matching_subscribers_of_both_ends_hear_each_message_once(ends: Ends) {
    let mut listeners = [
        subscribe(&ends.there, "room.*"),
        subscribe(&ends.there, "room.1"),
        subscribe(&ends.here, "room.>"),
    ];
    for listener in &mut listeners {
        connect(&ends.here, "room.1", listener).await;
    }
    let _ = ends.here.publish(message("hall.1", "not for rooms"));
    for payload in ["one", "two"] {
        ends.here.publish(message("room.1", payload)).unwrap();
    }
    for listener in &mut listeners {
        // Probes for those that were connected later came before.
        let mut heard = next(listener).await;
        while heard == "probe" || heard == "end of probes" {
            heard = next(listener).await;
        }
        assert_eq!((heard.as_str(), next(listener).await.as_str()), ("one", "two"));
    }
    // Those over there have heard it from the broker, so anything that came back from there would be here by now.
    ends.there.publish(message("room.1", "three")).unwrap();
    for listener in &mut listeners {
        assert_eq!(next(listener).await, "three");
    }
}

pub(crate) async fn messages_of_one_publisher_come_in_their_order(ends: Ends) {
    let mut listener = subscribe(&ends.there, "count");
    connect(&ends.here, "count", &mut listener).await;
    for n in 0..200 {
        ends.here.publish(message("count", n.to_string())).unwrap();
    }
    for n in 0..200 {
        assert_eq!(next(&mut listener).await, n.to_string());
    }
}

pub(crate) async fn a_subscriber_who_does_not_take_its_messages_blocks_nobody(ends: Ends) {
    let mut quick = subscribe(&ends.there, "flood");
    let slow = subscribe(&ends.here, "flood");
    connect(&ends.here, "flood", &mut quick).await;
    for n in 0..super::queue::MESSAGES + 10 {
        // A broker's backlog may refuse some; those here get them all.
        let _ = ends.here.publish(message("flood", n.to_string()));
        if n % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert!(slow.lost() >= 10, "{}", slow.lost());
    let _ = ends.here.publish(message("flood", "end"));
}

pub(crate) async fn a_dropped_subscription_leaves_the_others_alone(ends: Ends) {
    let mut stays = subscribe(&ends.there, "t");
    let mut goes = subscribe(&ends.there, "t");
    connect(&ends.here, "t", &mut stays).await;
    connect(&ends.here, "t", &mut goes).await;
    drop(goes);
    ends.here.publish(message("t", "after")).unwrap();
    while next(&mut stays).await != "after" {}
}

pub(crate) async fn a_subscription_ends_with_its_bus(ends: Ends) {
    let mut listener = subscribe(&ends.there, "t");
    connect(&ends.here, "t", &mut listener).await;
    let broker = ends.broker;
    drop((ends.here, ends.there));
    assert_eq!(timeout(SURELY, listener.next()).await.expect("an end in time"), None);
    drop(broker);
}

/// The tests, for the bus that `$ends` makes.
macro_rules! keeps_the_contract {
    ($ends:path) => {
        $crate::bus::contract::keeps_the_contract!($ends:
            matching_subscribers_of_both_ends_hear_each_message_once,
            messages_of_one_publisher_come_in_their_order,
            a_subscriber_who_does_not_take_its_messages_blocks_nobody,
            a_dropped_subscription_leaves_the_others_alone,
            a_subscription_ends_with_its_bus,
        );
    };
    ($ends:path: $($promise:ident,)*) => {
        mod contract {
            $(#[tokio::test]
            async fn $promise() {
                $crate::bus::contract::$promise($ends().await).await;
            })*
        }
    };
}
pub(crate) use keeps_the_contract;
