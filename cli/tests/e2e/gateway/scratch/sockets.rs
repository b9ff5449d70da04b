//! B3: WebSockets.

use serde_json::{Value, json};

use super::super::asked;
use super::super::socket::Socket;
use super::{Scratch, bearer, scratch};
use crate::support::Request;

/// Services hold no sockets, and need no bus: they publish through the operator's listener, or a route to it.
#[test]
fn b3_a_service_reaches_the_clients_of_a_hub_by_topic_by_user_and_one_alone() {
    let Scratch { server, .. } = scratch();
    let join = |user: &str| {
        let mut socket = Socket::open(
            server.address(),
            Request::get("/chat").bearer(&bearer(user, &json!({}))),
        )
        .unwrap();
        let welcome = socket.next();
        assert_eq!((&welcome["hub"], &welcome["user"]), (&json!("welcome"), &json!(user)));
        (socket, welcome["connection"].clone())
    };
    let ((mut ann, _), (mut bob, bobs)) = (join("hub-ann"), join("hub-bob"));
    for socket in [&mut ann, &mut bob] {
        socket.send(r#"{"hub":"subscribe","topic":"room.1"}"#);
        assert_eq!(socket.next()["hub"], "subscribed");
    }
    let publish = |to: Value, text: &str| {
        let body = json!({ "to": to, "data": { "text": text } }).to_string();
        assert_eq!(
            asked(server, &Request::post("/gateway/hubs/chat/publish", body)).status,
            202
        );
    };
    publish(json!({ "topic": "room.1" }), "to the room");
    publish(json!({ "user": "hub-ann" }), "to ann");
    publish(json!({ "connection": bobs }), "to bob");
    let texts = |socket: &mut Socket| [socket.next(), socket.next()].map(|message| message["data"]["text"].clone());
    assert_eq!(texts(&mut ann), ["to the room", "to ann"]);
    assert_eq!(texts(&mut bob), ["to the room", "to bob"]);
    let state = asked(server, &Request::get("/gateway")).json();
    assert_eq!(state["hubs"][0]["hub"], "chat", "{state}");
}

#[test]
fn b3_a_hub_is_entered_with_a_token_from_a_page_that_may_and_only_so_often() {
    let Scratch { server, .. } = scratch();
    let enter = |request: Request| Socket::open(server.address(), request).map(drop);
    let request = || Request::get("/chat").bearer(&bearer("hub-carl", &json!({})));
    assert_eq!(enter(Request::get("/chat")), Err(401));
    assert_eq!(enter(request().header("origin", "https://evil.example")), Err(403));
    let held = [(); 2].map(|()| Socket::open(server.address(), request().header("origin", "https://chat.example")));
    assert!(held.iter().all(Result::is_ok));
    assert_eq!(enter(request()), Err(429));
}

/// A socket may also lead to a service that holds it.
#[test]
fn b3_a_tunnel_carries_bytes_both_ways() {
    let Scratch { server, one, .. } = scratch();
    let request = Request::get("/tunnel")
        .bearer(&bearer("u_t", &json!({})))
        .header("x-request-id", "tunnel");
    assert_eq!(
        Socket::open(
            server.address(),
            request.clone().header("origin", "https://evil.example")
        )
        .map(drop),
        Err(403)
    );
    let mut socket = Socket::open(server.address(), request.clone()).unwrap();
    for text in [r#""a""#, r#"["b", 2]"#] {
        socket.send_unmasked(text);
        assert_eq!(socket.next().to_string().replace(',', ", "), text);
    }
    let received = one.only("tunnel");
    assert_eq!(
        (received.header("x-user-id"), received.header("upgrade")),
        (Some("u_t"), Some("websocket"))
    );
}
