//! Connections: reused, closed, and what is said over them.

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_requests_share_a_handful_of_connections() {
    let server = Server::always(OK).await;
    let upstream = server.upstream("");
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move {
                for _ in 0..500 {
                    assert_eq!(answer(&upstream, get("/")).await, (200, "ok".to_owned()));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert!(server.connections() <= 4, "{} connections", server.connections());
    let state = upstream.state();
    assert_eq!((state.endpoints[0].in_flight, state.endpoints[0].failed), (0, 0));
    assert_eq!(state.endpoints[0].answered, 2_000);
}

#[tokio::test]
async fn the_upstream_sees_its_own_host_unless_the_clients_is_preserved() {
    let server = Server::new(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            let host = request
                .lines()
                .find_map(|line| line.strip_prefix("host: "))
                .unwrap()
                .to_owned();
            peer.say(&format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{host}",
                host.len()
            ))
            .await;
        }
    })
    .await;
    let own = answer(&server.upstream(""), get("/")).await.1;
    assert_eq!(own, server.address.to_string());
    let clients = answer(&server.upstream("preserve_host = true"), get("/")).await.1;
    assert_eq!(clients, "api.example");
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_while_idle_costs_the_client_nothing() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        peer.say(OK).await;
    })
    .await;
    let upstream = server.upstream("retry = { attempts = 1 }");
    for _ in 0..200 {
        assert_eq!(answer(&upstream, get("/")).await.0, 200);
    }
    assert_eq!(server.connections(), 200);
    assert_eq!(upstream.state().endpoints[0].failed, 0);
}

#[tokio::test]
async fn a_close_that_comes_with_the_next_request_is_tried_once_more_if_it_may_be_repeated() {
    // The first connection answers once, takes the next request and closes without a word: the race of every keep-alive.
    let server = Server::new(|mut peer, nth| async move {
        peer.request().await;
        peer.say(OK).await;
        peer.request().await;
        if nth > 0 {
            peer.say(OK).await;
        }
    })
    .await;
    let upstream = server.upstream("retry = { attempts = 1 }");
    assert_eq!(status(&upstream, get("/")).await, 200);
    let upstream = server.upstream("");
    assert_eq!(status(&upstream, get("/")).await, 200);
    assert_eq!(status(&upstream, get("/")).await, 200);
    assert_eq!(
        upstream.state().endpoints[0].failed,
        0,
        "it says nothing of the address"
    );
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_not_repeated() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        peer.say(OK).await;
        peer.request().await;
    })
    .await;
    let upstream = server.upstream("");
    assert_eq!(status(&upstream, get("/")).await, 200);
    assert_eq!(status(&upstream, post("{}")).await, 502);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn connection_close_is_respected() {
    let server = Server::always("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").await;
    let upstream = server.upstream("");
    for _ in 0..3 {
        let response = send(&upstream, get("/")).await.unwrap();
        assert!(!response.headers().contains_key("connection"));
        assert_eq!(text(response).await.unwrap(), "ok");
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn answers_without_a_body_leave_their_connection_in_use() {
    let server = Server::new(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            peer.say(match request.split(' ').next().unwrap() {
                "HEAD" => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
                "DELETE" => "HTTP/1.1 204 No Content\r\n\r\n",
                _ => "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\ncontent-length: 1000\r\n\r\n",
            })
            .await;
        }
    })
    .await;
    let upstream = server.upstream("");
    for (method, expected) in [("HEAD", 200), ("DELETE", 204), ("GET", 304), ("HEAD", 200)] {
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        let response = send(&upstream, request).await.unwrap();
        assert_eq!(response.status(), expected);
        assert_eq!(response.headers().contains_key("content-length"), expected != 204);
        assert_eq!(text(response).await.unwrap(), "");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_client_is_told_the_length_of_what_head_does_not_send() {
    let server = Server::always("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
    let gateway = gateway(server.upstream(""), SOON, CancellationToken::new()).await;
    let mut client = Peer::connect(gateway).await;
    client
        .say("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    let answer = client.rest().await.unwrap();
    assert!(answer.contains("content-length: 1000"), "{answer}");
}

#[tokio::test]
async fn an_answer_of_http_1_0_ends_with_its_connection_and_the_client_never_knows() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        peer.say("HTTP/1.0 200 OK\r\n\r\nall of it").await;
    })
    .await;
    let gateway = gateway(server.upstream(""), SOON, CancellationToken::new()).await;
    let mut client = Peer::connect(gateway).await;
    for _ in 0..2 {
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let head = client.head().await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(client.until("\r\n0\r\n\r\n").await.unwrap().contains("all of it"));
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn informational_answers_are_not_the_answer() {
    let server = Server::new(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            assert!(!request.contains("expect"), "met by the gateway: {request}");
            peer.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
                .await;
            peer.say(OK).await;
        }
    })
    .await;
    let upstream = server.upstream("");
    let mut request = post("hello");
    request.headers_mut().insert("expect", "100-continue".parse().unwrap());
    assert_eq!(answer(&upstream, request).await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn bytes_that_nobody_asked_for_are_nobodys_answer() {
    // A second answer is hidden behind the first one: it must not reach the next client.
    let server = Server::always(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
    )
    .await;
    let upstream = server.upstream("");
    for _ in 0..5 {
        assert_eq!(answer(&upstream, get("/")).await.1, "ok");
    }
}

#[tokio::test]
async fn idle_connections_are_bounded_and_grow_old() {
    let server = Server::always(OK).await;
    let upstream = server.upstream("pool = { max_idle = 2, idle = \"50ms\" }");
    let all = futures_util::future::join_all((0..5).map(|_| answer(&upstream, get("/")))).await;
    assert!(all.iter().all(|answer| answer.0 == 200));
    assert!(upstream.state().endpoints[0].idle_connections <= 2);
    comes_true(|| upstream.state().endpoints[0].idle_connections == 0).await;
}
