//! Who gets in.

use axum::body::Body;
use http::Request;
use serde_json::json;

use super::super::testing::{Site, caller, heard};

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
