//! The hub, over real sockets.

use std::time::Duration;

use axum::body::Body;
use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use trailmark_protocol::Timestamp;

use super::join::{LONGEST_TOKEN, left_of};
use super::testing::{Posted, Site, caller, close_code, heard, heard_now, said, say};
use super::*;
use crate::bus::LocalBus;
use crate::bus::contract::SURELY;
use crate::clock::ManualClock;

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

#[tokio::test]
async fn it_is_told_who_comes_and_goes() {
    let site = Site::new("").await;
    let mut presence = site.listen("hub.chat.presence");
    let mut ann = site.open("ann").await;
    let joined = heard(&mut presence).await;
    assert_eq!((&joined["type"], &joined["user"]), (&json!("joined"), &json!("ann")));
    ann.close(None).await.unwrap();
    let left = heard(&mut presence).await;
    assert_eq!((&left["type"], &left["reason"]), (&json!("left"), &json!("left")));
    assert_eq!(left["connection"], joined["connection"]);
    assert_eq!(site.hub.state().open, 0);
    drop(site.open("bob").await);
    heard(&mut presence).await;
    assert_eq!(heard(&mut presence).await["reason"], "lost");
}

#[tokio::test]
async fn a_user_has_so_many_sockets_and_no_more() {
    let site = Site::new("max_per_user = 2\nmax_sockets = 4").await;
    let first = site.open("ann").await;
    let _second = site.open("ann").await;
    let (status, body) = site.refused("ann", &[]).await;
    assert_eq!((status, body.contains("too_many_sockets")), (429, true), "{body}");
    let _others = (site.open("").await, site.open("").await);
    let (status, body) = site.refused("bob", &[]).await;
    assert_eq!((status, body.contains("all places are taken")), (503, true), "{body}");
    drop(first);
    site.until(|hub| hub.state().open == 3).await;
    site.open("ann").await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_socket() {
    let site = Site::new("origins = [\"https://app.example\"]").await;
    let evil = ("origin", "https://evil.example");
    let (status, body) = site.refused("ann", &[evil]).await;
    assert_eq!((status, body.contains("origin_refused")), (403, true), "{body}");
    let cookie = ("x-test-cookie", "1");
    assert_eq!(site.refused("ann", &[cookie]).await.0, 403);
    assert_eq!(
        site.refused("ann", &[cookie, ("origin", "https://app.example")])
            .await
            .0,
        101
    );
    assert_eq!(site.refused("ann", &[]).await.0, 101);
}

#[tokio::test]
async fn a_handshake_of_another_version_hears_which_would_do() {
    let site = Site::new("").await;
    let refused = site
        .try_open("ann", &[("sec-websocket-version", "8")])
        .await
        .unwrap_err();
    let tokio_tungstenite::tungstenite::Error::Http(response) = refused else {
        panic!("{refused}")
    };
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["sec-websocket-version"], "13");
    assert_eq!(site.hub.state().open, 0);
}

#[tokio::test]
async fn a_client_that_goes_silent_is_asked_and_then_closed() {
    let site = Site::new("idle = \"300ms\"\nping = \"100ms\"").await;
    let mut silent = site.open_raw().await;
    let mut bytes = Vec::new();
    // The close frame: its length, 1001, and the reason's first letters.
    while !has(&bytes, b"\x88\x1b\x03\xe9nothing came") {
        let read = timeout(SURELY, silent.read_buf(&mut bytes))
            .await
            .expect("a close frame in time");
        assert_ne!(read.unwrap(), 0, "an end without a close frame");
    }
    assert!(has(&bytes, b"\x89\x00"), "a ping came before");
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn whoever_answers_pings_stays() {
    let site = Site::new("idle = \"200ms\"\nping = \"20ms\"").await;
    let mut ann = site.open("ann").await;
    let mut pings = 0;
    // Forty pings are four times as long as one may be silent.
    while pings < 40 {
        match timeout(SURELY, ann.next()).await.unwrap().unwrap().unwrap() {
            Frame::Ping(_) => pings += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(site.hub.state().open, 1);
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_socket_with_1009() {
    let site = Site::new("max_message = 1000").await;
    let mut services = site.listen("hub.chat.in");
    let mut ann = site.open("ann").await;
    say(&mut ann, &"x".repeat(1000)).await;
    assert_eq!(heard(&mut services).await["data"].as_str().unwrap().len(), 1000);
    say(&mut ann, &"x".repeat(1001)).await;
    assert_eq!(close_code(&mut ann).await, 1009);
    // A masked text frame of 32 MiB, more than the kernel keeps for both ends. This client reads nothing while it sends.
    let mut eager = site.open_raw().await;
    eager
        .write_all(&[0x81, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    let sent = timeout(SURELY, eager.write_all(&vec![b'x'; 32 << 20]))
        .await
        .expect("it is taken in time");
    sent.expect("the connection is not reset while the client sends");
    let mut bytes = Vec::new();
    timeout(SURELY, eager.read_to_end(&mut bytes))
        .await
        .expect("an end in time")
        .unwrap();
    assert!(has(&bytes, b"\x03\xf1the message is too large"), "1009");
    assert!(heard_now(&mut services).is_none());
}

#[tokio::test]
async fn what_is_no_text_or_no_websocket_ends_the_socket_with_its_code() {
    let site = Site::new("").await;
    for (bytes, code) in [
        // A final text frame, masked with zeros, of one byte that is no UTF-8.
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], 1007),
        // The same without a mask, which clients must use.
        (&[0x81, 0x01, b'a'], 1002),
        // A reserved opcode.
        (&[0x83, 0x80, 0, 0, 0, 0], 1002),
        // A fragmented ping.
        (&[0x09, 0x80, 0, 0, 0, 0], 1002),
    ] {
        let mut ann = site.open("ann").await;
        ann.get_mut().write_all(bytes).await.unwrap();
        assert_eq!(close_code(&mut ann).await, code, "{bytes:x?}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_the_others_go_on() {
    let site = Site::new("queue = 8\nqueue_bytes = \"256KiB\"").await;
    let mut slow = site.open("slow").await;
    let mut quick = site.open("quick").await;
    let large = format!("\"{}\"", "x".repeat(100_000));
    let mut sent = 0;
    while site.hub.state().dropped["too_slow"] == 0 {
        for user in ["slow", "quick"] {
            site.publish(&format!("hub.chat.user.{user}"), large.clone());
        }
        sent += 1;
        assert_eq!(said(&mut quick).await["data"].as_str().unwrap().len(), 100_000);
        // What the kernel keeps for both ends is a few MiB.
        assert!(sent < 1000, "a hundred MB wait somewhere");
    }
    assert_eq!(close_code(&mut slow).await, 1013);
    site.until(|hub| hub.state().open == 1).await;
    site.publish("hub.chat.user.quick", "1");
    assert_eq!(said(&mut quick).await["data"], 1);
}

#[tokio::test]
async fn a_service_cannot_close_a_client_with_a_message_that_no_queue_takes() {
    let site = Site::new("queue_bytes = 1000").await;
    let mut ann = site.open("ann").await;
    site.publish("hub.chat.user.ann", "x".repeat(1001));
    site.publish("hub.chat.user.ann", "1");
    assert_eq!(said(&mut ann).await["data"], 1);
    assert_eq!(site.hub.state().dropped["too_large"], 1);
}

#[tokio::test]
async fn draining_sends_what_waits_closes_with_1001_and_lets_nobody_in() {
    let site = Site::new("").await;
    let (mut ann, mut bob) = (site.open("ann").await, site.open("bob").await);
    site.publish("hub.chat.user.ann", "\"last\"");
    site.until(|hub| hub.state().messages_out == 1).await;
    let (codes, ()) = tokio::join!(
        async {
            assert_eq!(said(&mut ann).await["data"], "last");
            (close_code(&mut ann).await, close_code(&mut bob).await)
        },
        site.hub.drain(SURELY)
    );
    assert_eq!((codes, site.hub.state().open), ((1001, 1001), 0));
    let (status, body) = site.refused("ann", &[]).await;
    assert_eq!((status, body.contains("draining")), (503, true), "{body}");
}

#[tokio::test]
async fn draining_waits_for_nobody_who_does_not_answer() {
    let site = Site::new("").await;
    let mut silent = site.open("ann").await;
    timeout(SURELY, site.hub.drain(Duration::from_millis(20)))
        .await
        .expect("bounded");
    assert_eq!(site.hub.state().open, 0);
    assert_eq!(close_code(&mut silent).await, 1001);
}

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let site = Site::new("").await;
    let soon = format!("{}.2", testing::NOW_S);
    let mut ann = site.try_open("ann", &[("x-test-exp", &soon)]).await.unwrap();
    assert_eq!(said(&mut ann).await["hub"], "welcome");
    assert_eq!(close_code(&mut ann).await, 4401);
}

#[test]
fn a_token_that_has_ended_has_nothing_left_and_none_lasts_longer_than_a_timer() {
    let left = |exp: Value| {
        let mut ann = caller("ann");
        ann.claims.insert("exp".to_owned(), exp);
        left_of(&ann, Timestamp::from_millis(testing::NOW_S * 1000))
    };
    assert_eq!(left(json!(testing::NOW_S + 60)), Some(Duration::from_secs(60)));
    assert_eq!(left(json!(testing::NOW_S - 60)), Some(Duration::ZERO));
    assert_eq!(left(json!(1e300)), Some(LONGEST_TOKEN));
    assert_eq!(left(json!("soon")), None);
    assert_eq!(left_of(&caller("ann"), Timestamp::default()), None);
}

#[tokio::test]
async fn a_client_that_floods_is_read_at_its_pace_and_loses_nothing() {
    let site = Site::new("messages_per_second = 20").await;
    let mut services = site.listen("hub.chat.in");
    let mut ann = site.open("ann").await;
    let started = std::time::Instant::now();
    for n in 0..30 {
        say(&mut ann, &n.to_string()).await;
    }
    for n in 0..30 {
        assert_eq!(heard(&mut services).await["data"], n);
    }
    // Twenty at once, ten more at 50 ms each.
    assert!(
        started.elapsed() >= Duration::from_millis(450),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_service_without_a_bus_writes_over_http() {
    let site = Site::new("topics = [\"news\"]\nqueue_bytes = 2000").await;
    let mut ann = site.open("ann").await;
    let post = async |body: String| {
        let request = Request::post("/gateway/hubs/chat/publish")
            .body(Body::from(body))
            .unwrap();
        site.hub
            .publish(request)
            .await
            .map_err(|problem| problem.code().as_str())
    };
    let response = post(json!({"to": {"user": "ann"}, "data": {"n": 1}}).to_string())
        .await
        .unwrap();
    assert_eq!(response.status(), 202);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"reach":"all_instances"}"#);
    assert_eq!(said(&mut ann).await, json!({"hub": "message", "data": {"n": 1}}));
    for (body, code) in [
        ("{".to_owned(), "invalid_json"),
        (
            json!({"to": {"everybody": true}, "data": 1}).to_string(),
            "invalid_json",
        ),
        (json!({"to": {"user": ""}, "data": 1}).to_string(), "invalid_parameter"),
        (
            json!({"to": {"topic": "a..b"}, "data": 1}).to_string(),
            "invalid_parameter",
        ),
        (
            json!({"to": {"user": "ann"}, "data": "x".repeat(9000)}).to_string(),
            "body_too_large",
        ),
    ] {
        assert_eq!(post(body).await.unwrap_err(), code);
    }
}

const WEBHOOK: &str = "deliver = { upstream = \"chat\", path = \"/messages\", queue = 8 }";

#[tokio::test]
async fn a_service_without_a_bus_is_posted_what_clients_say_in_their_order() {
    let site = Site::on(Arc::new(LocalBus::default()), WEBHOOK, Posted::default()).await;
    let mut ann = site.open("ann").await;
    say(&mut ann, "1").await;
    site.until(|_| site.posted.bodies.lock().unwrap().len() == 2).await;
    ann.close(None).await.unwrap();
    site.until(|_| site.posted.bodies.lock().unwrap().len() == 3).await;
    let bodies = site.posted.bodies.lock().unwrap();
    let kinds: Vec<_> = bodies.iter().map(|body| body["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["joined", "message", "left"]);
    assert_eq!(bodies[1]["data"], 1);
}

#[tokio::test]
async fn what_a_webhook_does_not_take_is_dropped_and_counted() {
    let failing = Posted {
        fails: true,
        ..Posted::default()
    };
    let site = Site::on(Arc::new(LocalBus::default()), WEBHOOK, failing).await;
    let _ann = site.open("ann").await;
    site.until(|hub| hub.state().dropped["deliver_failed"] == 1).await;

    let stuck = Posted {
        gate: Some(Semaphore::new(0)),
        ..Posted::default()
    };
    let site = Site::on(Arc::new(LocalBus::default()), WEBHOOK, stuck).await;
    let mut ann = site.open("ann").await;
    for n in 0..10 {
        say(&mut ann, &n.to_string()).await;
    }
    // One is under way, one waits in the socket's lane; joining was the first of the eleven.
    site.until(|hub| hub.state().dropped["deliver_queue_full"] == 9).await;
    site.posted.gate.as_ref().unwrap().add_permits(2);
    site.until(|_| site.posted.bodies.lock().unwrap().len() == 2).await;
}

#[tokio::test]
async fn a_client_that_gives_up_its_handshake_leaves_no_trace() {
    let site = Site::new("").await;
    let request = Request::get("/")
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    let request = request
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    // No connection is behind this request.
    let response = site
        .hub
        .join(Some(&caller("ann")), "r1", request.body(Body::empty()).unwrap());
    assert_eq!(response.status(), 101);
    site.until(|hub| hub.state().open == 0).await;
}

#[tokio::test]
async fn a_hub_that_nobody_holds_is_gone() {
    let parts = Parts {
        bus: Arc::new(LocalBus::default()),
        deliver: Arc::new(Posted::default()),
        clock: ManualClock::at(Timestamp::default()),
    };
    let hub = Hub::start("chat", HubConfig::default(), parts).unwrap();
    tokio::task::yield_now().await;
    let seen = Arc::downgrade(&hub);
    drop(hub);
    assert!(seen.upgrade().is_none(), "its own task keeps it");
}

#[tokio::test]
async fn a_hub_with_wrong_settings_does_not_start() {
    let parts = || Parts {
        bus: Arc::new(LocalBus::default()),
        deliver: Arc::new(Posted::default()),
        clock: ManualClock::at(Timestamp::default()),
    };
    let wrong = HubConfig {
        queue: 0,
        ..HubConfig::default()
    };
    assert_eq!(Hub::start("chat", wrong, parts()).unwrap_err().len(), 1);
    assert!(Hub::start("", HubConfig::default(), parts()).is_err());
}

#[tokio::test]
async fn after_its_close_frame_the_server_ends_the_connection() {
    let site = Site::new("").await;
    let mut ann = site.open("ann").await;
    // A masked close frame without a code.
    ann.get_mut().write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
    let raw: &mut TcpStream = ann.get_mut();
    let mut rest = Vec::new();
    timeout(SURELY, raw.read_to_end(&mut rest))
        .await
        .expect("an end in time")
        .unwrap();
    assert_eq!(rest, [0x88, 0x00], "a close frame and the end");
}

#[cfg(feature = "nats")]
#[tokio::test]
async fn clients_of_two_instances_with_one_broker_hear_the_same_services() {
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
