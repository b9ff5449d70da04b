//! How sockets end, and what keeps them.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use trailmark_protocol::Timestamp;

use super::super::join::{LONGEST_TOKEN, left_of};
use super::super::testing::{NOW_S, Site, caller, close_code, heard, heard_now, said, say};
use crate::bus::contract::SURELY;

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

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
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

#[tokio::test]
async fn a_socket_ends_with_its_token() {
    let site = Site::new("").await;
    let soon = format!("{NOW_S}.2");
    let mut ann = site.try_open("ann", &[("x-test-exp", &soon)]).await.unwrap();
    assert_eq!(said(&mut ann).await["hub"], "welcome");
    assert_eq!(close_code(&mut ann).await, 4401);
}

#[test]
fn a_token_that_has_ended_has_nothing_left_and_none_lasts_longer_than_a_timer() {
    let left = |exp: Value| {
        let mut ann = caller("ann");
        ann.claims.insert("exp".to_owned(), exp);
        left_of(&ann, Timestamp::from_millis(NOW_S * 1000))
    };
    assert_eq!(left(json!(NOW_S + 60)), Some(Duration::from_secs(60)));
    assert_eq!(left(json!(NOW_S - 60)), Some(Duration::ZERO));
    assert_eq!(left(json!(1e300)), Some(LONGEST_TOKEN));
    assert_eq!(left(json!("soon")), None);
    assert_eq!(left_of(&caller("ann"), Timestamp::default()), None);
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
