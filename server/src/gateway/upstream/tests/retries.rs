//! When a request is sent again, and when not.

use super::*;

async fn failing(code: &'static str) -> Server {
    Server::new(move |mut peer, _| async move {
        while peer.request().await.is_some() {
            peer.say(&format!("HTTP/1.1 {code} Oh\r\ncontent-length: 0\r\n\r\n"))
                .await;
        }
    })
    .await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_dead_instance_is_not_noticed_by_anybody() {
    let server = Server::always(OK).await;
    let (_socket, dead) = dead();
    let addresses = [dead, server.address];
    let more = "balance = \"round_robin\"\noutlier = { consecutive = 0 }\nretry = { budget = 1.0 }";
    let upstream = upstream(&addresses, more);
    for _ in 0..20 {
        assert_eq!(answer(&upstream, get("/")).await.0, 200);
        assert_eq!(answer(&upstream, post("it never left")).await.0, 200);
    }
}

#[tokio::test]
async fn a_dead_instance_is_ejected_and_no_longer_asked() {
    let server = Server::always(OK).await;
    let (_socket, dead) = dead();
    let addresses = [dead, server.address];
    let upstream = upstream(&addresses, "balance = \"round_robin\"\noutlier = { consecutive = 3 }");
    for _ in 0..20 {
        assert_eq!(status(&upstream, get("/")).await, 200);
    }
    let state = &upstream.state().endpoints[0];
    assert_eq!(state.failed, 3);
    assert!(state.ejected_for_ms > 29_000, "{}", state.ejected_for_ms);
}

#[tokio::test]
async fn a_listed_status_goes_to_another_instance_if_the_method_may_be_repeated() {
    let (bad, good) = (failing("503").await, Server::always(OK).await);
    let more = "balance = \"round_robin\"\noutlier = { consecutive = 0 }\nretry = { budget = 1.0 }";
    let upstream = upstream(&[bad.address, good.address], more);
    for _ in 0..6 {
        assert_eq!(status(&upstream, get("/")).await, 200);
    }
    let codes = [status(&upstream, post("a")).await, status(&upstream, post("b")).await];
    assert!(codes.contains(&503), "a POST is not repeated: {codes:?}");
}

#[tokio::test]
async fn a_small_body_is_sent_again_whole() {
    let server = Server::new(|mut peer, nth| async move {
        let request = peer.request().await.unwrap();
        assert!(request.ends_with("\r\n\r\nthe whole body"), "{request}");
        let code = if nth == 0 { "502 Oh" } else { "200 OK" };
        peer.say(&format!(
            "HTTP/1.1 {code}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ))
        .await;
    })
    .await;
    let upstream = server.upstream("");
    let request = Request::put("/").body(Body::from("the whole body")).unwrap();
    assert_eq!(status(&upstream, request).await, 200);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_large_body_is_sent_once() {
    let server = failing("502").await;
    let upstream = server.upstream("");
    let request = Request::put("/").body(Body::from(vec![b'x'; 64 * 1024 + 1])).unwrap();
    assert_eq!(status(&upstream, request).await, 502);
    assert_eq!(upstream.state().endpoints[0].answered, 1);
    let request = Request::put("/").body(Body::from(vec![b'x'; 64 * 1024])).unwrap();
    assert_eq!(status(&upstream, request).await, 502);
    assert_eq!(upstream.state().endpoints[0].answered, 3, "as large as may be: twice");
}

#[tokio::test]
async fn a_route_or_a_status_that_does_not_want_it_is_not_tried_again() {
    let server = failing("500").await;
    let upstream = server.upstream("");
    assert_eq!(status(&upstream, get("/")).await, 500);
    assert_eq!(upstream.state().endpoints[0].answered, 1);
    let server = failing("503").await;
    let upstream = server.upstream("");
    let plan = Plan {
        may_retry: false,
        ..Plan::default()
    };
    assert_eq!(upstream.send(get("/"), &plan).await.unwrap().status(), 503);
    assert_eq!(upstream.state().endpoints[0].answered, 1);
}

#[tokio::test]
async fn an_outage_is_not_made_worse_than_the_budget_says() {
    let server = failing("503").await;
    let more = "breaker = { failures = 0 }\nretry = { attempts = 2, budget = 0.2, min_per_second = 0 }";
    let upstream = server.upstream(more);
    for _ in 0..100 {
        assert_eq!(status(&upstream, get("/")).await, 503);
    }
    assert_eq!(upstream.state().endpoints[0].answered, 120);
}
