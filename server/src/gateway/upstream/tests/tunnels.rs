//! Tunnels, with a client at the other end.

use super::*;

const HANDSHAKE: &str =
    "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: k\r\n\r\n";
const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: WebSocket\r\nsec-websocket-accept: a\r\nx-more: 1\r\n\r\n";

async fn opened(upstream: &Arc<Upstream>, idle: Duration, stop: &CancellationToken) -> Peer {
    let gateway = gateway(Arc::clone(upstream), idle, stop.clone()).await;
    let mut client = Peer::connect(gateway).await;
    client.say(HANDSHAKE).await;
    client
}

/// An upstream that switches, and then says back what it hears, until it hears the end.
async fn echo() -> Server {
    Server::new(|mut peer, _| async move {
        let head = peer.head().await.unwrap();
        assert!(
            head.contains("connection: upgrade\r\n") && head.contains("upgrade: websocket\r\n"),
            "{head}"
        );
        assert!(head.contains("sec-websocket-key: k"));
        peer.say(SWITCHED).await;
        let (mut read, mut write) = peer.stream.into_split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
        let _ = write.write_all(b"bye").await;
    })
    .await
}

#[tokio::test]
async fn both_sides_are_joined_and_each_may_end_first() {
    let server = echo().await;
    let upstream = server.upstream("");
    let mut client = opened(&upstream, SOON, &CancellationToken::new()).await;
    let head = client.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("connection: upgrade") && head.contains("upgrade: WebSocket") && head.contains("x-more: 1"));
    for text in ["hello", "again"] {
        client.say(text).await;
        assert_eq!(client.exactly(5).await.unwrap(), text);
    }
    let state = upstream.state();
    assert_eq!((state.tunnels, state.endpoints[0].in_flight), (1, 1));
    client.stream.shutdown().await.unwrap();
    assert_eq!(
        client.rest().await.unwrap(),
        "bye",
        "what comes after the client's end still arrives"
    );
    comes_true(|| upstream.state().tunnels == 0 && upstream.state().endpoints[0].in_flight == 0).await;
}

#[tokio::test]
async fn bytes_that_come_with_the_101_are_not_lost() {
    let server = Server::new(|mut peer, _| async move {
        peer.head().await;
        peer.say(&format!("{SWITCHED}early")).await;
        peer.rest().await;
    })
    .await;
    let mut client = opened(&server.upstream(""), SOON, &CancellationToken::new()).await;
    client.head().await.unwrap();
    assert_eq!(client.exactly(5).await.unwrap(), "early");
}

#[tokio::test]
async fn an_answer_that_does_not_switch_is_an_answer_like_any_other() {
    let server = Server::always("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno").await;
    let upstream = server.upstream("");
    let mut client = opened(&upstream, SOON, &CancellationToken::new()).await;
    let head = client.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert_eq!(client.exactly(2).await.unwrap(), "no");
    client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(
        client.head().await.unwrap().starts_with("HTTP/1.1 403"),
        "the client's connection goes on"
    );
    assert_eq!(upstream.state().tunnels, 0);
}

#[tokio::test]
async fn a_switch_to_something_else_is_a_bad_gateway() {
    let server =
        Server::always("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n").await;
    let mut client = opened(&server.upstream(""), SOON, &CancellationToken::new()).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 502"));
}

#[tokio::test]
async fn a_hanging_or_dead_upstream_is_told_to_the_client() {
    let server = Server::new(|mut peer, _| async move {
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("timeouts = { response_headers = \"50ms\" }");
    let mut client = opened(&upstream, SOON, &CancellationToken::new()).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 504"));
    let (_socket, dead) = dead();
    let mut client = opened(&super::upstream(&[dead], ""), SOON, &CancellationToken::new()).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 502"));
}

#[tokio::test]
async fn a_tunnel_in_which_nothing_moves_is_closed_and_one_that_moves_is_not() {
    let server = echo().await;
    let upstream = server.upstream("");
    let mut client = opened(&upstream, Duration::from_millis(400), &CancellationToken::new()).await;
    client.head().await.unwrap();
    for _ in 0..10 {
        client.say(".").await;
        assert_eq!(client.exactly(1).await.unwrap(), ".");
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(upstream.state().tunnels, 1);
    client.rest().await;
    comes_true(|| upstream.state().tunnels == 0).await;
}

#[tokio::test]
async fn a_websocket_that_is_stopped_between_frames_is_told_1001() {
    let server = echo().await;
    let stop = CancellationToken::new();
    let mut client = opened(&server.upstream(""), SOON, &stop).await;
    client.head().await.unwrap();
    // An echo's frame: a text of two bytes.
    client.say("\u{1}\u{2}hi").await;
    assert_eq!(client.exactly(4).await.unwrap(), "\u{1}\u{2}hi");
    stop.cancel();
    let mut farewell = Vec::new();
    client.stream.read_to_end(&mut farewell).await.unwrap();
    assert_eq!(farewell, [0x88, 2, 3, 0xe9]);
}

#[tokio::test]
async fn one_that_is_stopped_within_a_frame_is_just_closed() {
    let server = echo().await;
    let stop = CancellationToken::new();
    let mut client = opened(&server.upstream(""), SOON, &stop).await;
    client.head().await.unwrap();
    client.say("\u{1}\u{9}hi").await;
    assert_eq!(client.exactly(4).await.unwrap(), "\u{1}\u{9}hi");
    stop.cancel();
    assert_eq!(client.rest().await.unwrap(), "");
}
