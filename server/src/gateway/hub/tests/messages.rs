//! What is said, and who hears it.

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::super::testing::{Site, heard, said, say};

#[tokio::test]
async fn what_a_client_says_is_published_with_who_it_is() {
    let site = Site::new("").await;
    let mut services = site.listen("hub.chat.in");
    let mut client = site.try_open("ann", &[]).await.unwrap();
    let welcome = said(&mut client).await;
    assert_eq!(welcome["user"], "ann");
    for (sent, encoding, data) in [
        (Frame::text(r#"{"text":"hi"}"#), "json", json!({"text": "hi"})),
        (Frame::text("hi there"), "text", json!("hi there")),
        (Frame::binary(vec![0, 255]), "base64", json!("AP8=")),
    ] {
        client.send(sent).await.unwrap();
        let expected = json!({
            "type": "message", "hub": "chat", "connection": welcome["connection"], "user": "ann",
            "roles": ["member"], "request_id": "r1", "at": "2025-11-20T00:53:20.000Z",
            "encoding": encoding, "data": data,
        });
        assert_eq!(heard(&mut services).await, expected);
    }
}

#[tokio::test]
async fn services_answer_a_connection_a_user_or_a_topic() {
    let site = Site::new("topics = [\"news\"]").await;
    let mut services = site.listen("hub.chat.in");
    let mut phone = site.open("ann.b@c").await;
    let mut laptop = site.open("ann.b@c").await;
    let mut bob = site.open("bob").await;
    say(&mut bob, r#"{"hub":"subscribe","topic":"news","id":"s1"}"#).await;
    let subscribed = json!({"hub": "subscribed", "topic": "news", "id": "s1"});
    assert_eq!(said(&mut bob).await, subscribed);
    say(&mut phone, "who am I?").await;
    let connection = heard(&mut services).await["connection"].as_str().unwrap().to_owned();

    site.publish(&format!("hub.chat.connection.{connection}"), "1");
    site.publish("hub.chat.user.ann%2Eb%40c", r#"{"n":2}"#);
    site.publish("hub.chat.topic.news", "three");
    assert_eq!(said(&mut phone).await, json!({"hub": "message", "data": 1}));
    for socket in [&mut phone, &mut laptop] {
        assert_eq!(said(socket).await, json!({"hub": "message", "data": {"n": 2}}));
    }
    let news = json!({"hub": "message", "topic": "news", "data": "three"});
    assert_eq!(said(&mut bob).await, news);
    site.until(|hub| hub.state().messages_out == 4).await;
}

#[tokio::test]
async fn a_client_hears_only_topics_that_it_may_and_wants() {
    let site = Site::new("topics = [\"room.*\"]\nmax_topics = 1").await;
    let mut ann = site.open("ann").await;
    for (command, answer) in [
        (
            json!({"hub": "subscribe", "topic": "user.bob", "id": 1}),
            "topic_not_allowed",
        ),
        (
            json!({"hub": "subscribe", "topic": "room.*", "id": 2}),
            "topic_not_allowed",
        ),
        (json!({"hub": "subscribe", "topic": "room.1"}), ""),
        (json!({"hub": "subscribe", "topic": "room.1"}), ""),
        (
            json!({"hub": "subscribe", "topic": "room.2", "id": {"a": 3}}),
            "too_many_topics",
        ),
        (json!({"hub": "unsubscribe", "topic": "room.1"}), ""),
        (json!({"hub": "subscribe", "topic": "room.2"}), ""),
        (json!({"hub": "shout", "id": 4}), "unknown_command"),
    ] {
        say(&mut ann, &command.to_string()).await;
        let said = said(&mut ann).await;
        assert_eq!(
            said.get("reason").map_or("", |reason| reason.as_str().unwrap()),
            answer,
            "{command}"
        );
        assert_eq!(said.get("id"), command.get("id"), "{command}");
    }
    site.publish("hub.chat.topic.room.1", "1");
    site.publish("hub.chat.topic.room.2", "2");
    assert_eq!(said(&mut ann).await["data"], 2);
}

#[tokio::test]
async fn a_message_can_be_acknowledged() {
    let site = Site::new("publish_to = [\"orders\", \"audit\"]").await;
    let mut both = [site.listen("orders"), site.listen("audit")];
    let mut ann = site.open("ann").await;
    say(&mut ann, r#"{"hub":"publish","data":{"hub":"mine"},"id":9}"#).await;
    assert_eq!(said(&mut ann).await, json!({"hub": "published", "id": 9}));
    for service in &mut both {
        assert_eq!(heard(service).await["data"], json!({"hub": "mine"}));
    }
}

#[cfg(feature = "nats")]
#[tokio::test]
async fn clients_of_two_instances_with_one_broker_hear_the_same_services() {
    use super::super::testing::Posted;
    use crate::bus::contract::connect;
    use crate::bus::nats::tests::Broker;
    let broker = Broker::start().await;
    let (near, far) = (broker.bus().await, broker.bus().await);
    let here = Site::on(near, "topics = [\"news\"]", Posted::default()).await;
    let there = Site::on(far, "topics = [\"news\"]", Posted::default()).await;
    let mut services = there.listen("hub.chat.in");
    connect(&here.bus, "hub.chat.in", &mut services).await;
    let (mut ann, mut other) = (here.open("ann").await, there.open("ann").await);
    for client in [&mut ann, &mut other] {
        say(client, r#"{"hub":"subscribe","topic":"news"}"#).await;
        said(client).await;
    }
    // The broker hears of a connection's subscriptions in their order, so those of the hubs are known by now.
    for topic in ["hub.chat.user.ann", "hub.chat.topic.news"] {
        there.publish(topic, "1");
        for client in [&mut ann, &mut other] {
            assert_eq!(said(client).await["data"], 1, "{topic}");
        }
    }
    say(&mut ann, r#"{"hub":"publish","data":"from here"}"#).await;
    assert_eq!(said(&mut ann).await["hub"], "published");
    assert_eq!(heard(&mut services).await["data"], "from here");
}
