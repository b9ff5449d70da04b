//! Upstreams that hang, trickle, reset, and talk nonsense.

use super::*;

#[tokio::test]
async fn one_that_hangs_before_its_answer_is_given_up_in_time() {
    let server = Server::new(|mut peer, _| async move {
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("timeouts = { response_headers = \"50ms\" }");
    let failure = send(&upstream, get("/")).await.unwrap_err();
    let problem = Problem::from(failure);
    assert_eq!(problem.code().as_str(), "gateway_timeout");
    assert!(!problem.detail().contains("127.0.0.1"), "{}", problem.detail());
    let state = &upstream.state().endpoints[0];
    assert_eq!((state.failed, state.in_flight, state.idle_connections), (1, 0, 0));
}

#[tokio::test]
async fn the_whole_has_a_bound_of_its_own() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        loop {
            peer.say("1\r\n.\r\n").await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let upstream = server.upstream("timeouts = { total = \"100ms\", idle_body = \"1s\" }");
    let response = send(&upstream, get("/")).await.unwrap();
    let error = text(response).await.unwrap_err().to_string();
    assert!(error.contains("longer than it may"), "{error}");
}

#[tokio::test]
async fn a_route_may_give_more_time_than_its_upstream() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    let upstream = server.upstream("timeouts = { response_headers = \"10ms\" }\nretry = { attempts = 1 }");
    assert_eq!(status(&upstream, get("/")).await, 504);
    let plan = Plan {
        timeouts: toml::from_str("response_headers = \"5s\"").unwrap(),
        ..Plan::default()
    };
    assert_eq!(upstream.send(get("/"), &plan).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_that_stands_still_is_broken_off_and_counted() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("timeouts = { idle_body = \"50ms\" }");
    let response = send(&upstream, get("/")).await.unwrap();
    let error = text(response).await.unwrap_err().to_string();
    assert!(error.contains("nothing more"), "{error}");
    assert_eq!(upstream.state().endpoints[0].failed, 1);
}

#[tokio::test]
async fn a_body_that_trickles_is_as_slow_as_it_is_but_whole() {
    let server = Server::new(|mut peer, _| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await;
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(60)).await;
            peer.say(".").await;
        }
    })
    .await;
    let upstream = server.upstream("timeouts = { idle_body = \"400ms\" }");
    let (code, body) = answer(&upstream, get("/")).await;
    assert_eq!((code, body.as_str()), (200, ".........."), "600 ms in all, 60 ms apart");
}

#[tokio::test]
async fn a_reset_in_the_midst_of_a_body_is_no_clean_end_for_the_client() {
    for framing in ["content-length: 100", "transfer-encoding: chunked"] {
        let half = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n4\r\nhalf\r\n");
        let go = Arc::new(tokio::sync::Notify::new());
        let seen = Arc::clone(&go);
        let server = Server::new(move |mut peer, _| {
            let (half, seen) = (half.clone(), Arc::clone(&seen));
            async move {
                peer.request().await;
                peer.say(&half).await;
                seen.notified().await;
                peer.reset();
            }
        })
        .await;
        let upstream = server.upstream("");
        let gateway = gateway(Arc::clone(&upstream), SOON, CancellationToken::new()).await;
        let mut client = Peer::connect(gateway).await;
        client.say("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        client.until("half").await.unwrap();
        go.notify_one();
        let rest = client.rest().await.unwrap_or_default();
        assert!(!rest.contains("0\r\n\r\n"), "{framing} ended cleanly: {rest:?}");
        assert_eq!(upstream.state().endpoints[0].failed, 1, "{framing}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_a_bad_gateway() {
    for text in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let server = Server::new(move |mut peer, _| async move {
            peer.request().await;
            peer.say(text).await;
        })
        .await;
        let upstream = server.upstream("retry = { attempts = 1 }");
        assert_eq!(status(&upstream, get("/")).await, 502, "{text:?}");
        assert_eq!(upstream.state().endpoints[0].failed, 1);
    }
}

#[tokio::test]
async fn garbage_is_a_bad_gateway_and_is_not_tried_again() {
    for text in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    ] {
        let server = Server::always(text).await;
        let upstream = server.upstream("");
        assert_eq!(status(&upstream, get("/")).await, 502, "{text:?}");
        assert_eq!(server.connections(), 1, "{text:?}");
    }
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_refused() {
    let server =
        Server::always("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nevil")
            .await;
    let upstream = server.upstream("");
    assert_eq!(status(&upstream, get("/")).await, 502);
    assert_eq!(upstream.state().endpoints[0].idle_connections, 0);
}

#[tokio::test]
async fn a_refused_connection_is_a_bad_gateway() {
    let (_socket, address) = dead();
    let upstream = upstream(&[address], "");
    assert_eq!(status(&upstream, get("/")).await, 502);
    assert_eq!(status(&upstream, post("x")).await, 502);
}

#[tokio::test]
async fn a_breaker_that_is_open_says_when_to_come_back_and_one_request_finds_out() {
    let well = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_well = Arc::clone(&well);
    let server = Server::new(move |mut peer, _| {
        let is_well = Arc::clone(&is_well);
        async move {
            while peer.request().await.is_some() {
                let code = if is_well.load(Ordering::SeqCst) {
                    "200 OK"
                } else {
                    "500 Oh"
                };
                peer.say(&format!("HTTP/1.1 {code}\r\ncontent-length: 0\r\n\r\n")).await;
            }
        }
    })
    .await;
    let upstream = server.upstream("breaker = { failures = 3, open = \"100ms\" }");
    for _ in 0..3 {
        assert_eq!(status(&upstream, get("/")).await, 500);
    }
    let failure = send(&upstream, get("/")).await.unwrap_err();
    let refusal = Problem::from(failure).render("r");
    assert_eq!(
        (refusal.status().as_u16(), &refusal.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(upstream.state().endpoints[0].breaker, "open");
    well.store(true, Ordering::SeqCst);
    let deadline = tokio::time::Instant::now() + SOON;
    while status(&upstream, get("/")).await != 200 {
        assert!(tokio::time::Instant::now() < deadline, "it never closed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(upstream.state().endpoints[0].breaker, "closed");
}
