//! Bodies both ways.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::*;

/// A body that is written as the test goes, of unknown length.
struct Writer(mpsc::Sender<io::Result<Frame<Bytes>>>);

impl Writer {
    async fn write(&self, text: &'static str) {
        self.0.send(Ok(Frame::data(text.into()))).await.unwrap();
    }

    async fn abort(self) {
        self.0.send(Err(io::Error::other("gone"))).await.unwrap();
    }
}

fn channel() -> (Writer, Body) {
    let (sender, mut receiver) = mpsc::channel(10);
    let frames = stream::poll_fn(move |cx| receiver.poll_recv(cx));
    (Writer(sender), Body::new(StreamBody::new(frames)))
}

#[tokio::test]
async fn chunks_and_trailers_arrive_as_they_were_sent() {
    let server = Server::always(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nx-sum: 7\r\n\r\n",
    )
    .await;
    let upstream = server.upstream("");
    for _ in 0..3 {
        let response = send(&upstream, get("/")).await.unwrap();
        assert_eq!(response.headers()["trailer"], "x-sum");
        assert!(!response.headers().contains_key("transfer-encoding"));
        let collected = response.into_body().collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["x-sum"], "7");
        assert_eq!(collected.to_bytes(), "onetwo");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn who_wants_trailers_asks_for_them_on_this_connection_too() {
    let server = Server::new(|mut peer, _| async move {
        while let Some(head) = peer.head().await {
            let asks = head.contains("te: trailers\r\n") && head.contains("connection: te\r\n");
            assert_eq!(asks, head.starts_with("GET /trailers "), "{head}");
            peer.say("HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    })
    .await;
    let upstream = server.upstream("");
    let mut request = get("/trailers");
    request.headers_mut().insert("te", "trailers".parse().unwrap());
    assert_eq!(status(&upstream, request).await, 204);
    assert_eq!(status(&upstream, get("/")).await, 204);
}

#[tokio::test]
async fn a_body_streams_before_it_is_complete_and_its_connection_is_used_again() {
    let notify = Arc::new(tokio::sync::Notify::new());
    let go_on = Arc::clone(&notify);
    let server = Server::new(move |mut peer, _| {
        let go_on = Arc::clone(&go_on);
        async move {
            while peer.request().await.is_some() {
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none").await;
                go_on.notified().await;
                peer.say("two").await;
            }
        }
    })
    .await;
    let upstream = server.upstream("");
    for _ in 0..2 {
        let mut body = send(&upstream, get("/")).await.unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "one");
        assert_eq!(upstream.state().endpoints[0].in_flight, 1);
        notify.notify_one();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
        assert_eq!(upstream.state().endpoints[0].in_flight, 0);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_large_body_goes_through_both_ways() {
    let server = Server::new(|mut peer, _| async move {
        while let Some(request) = peer.request().await {
            let body = request.split("\r\n\r\n").nth(1).unwrap().to_owned();
            peer.say(&format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        }
    })
    .await;
    let upstream = server.upstream("");
    let body = "0123456789".repeat(300_000);
    for _ in 0..2 {
        let (code, echoed) = answer(&upstream, post(body.clone())).await;
        assert_eq!((code, echoed.len()), (200, body.len()));
        assert!(echoed == body);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_sent_in_chunks_also_with_a_get() {
    let server = Server::new(|mut peer, _| async move {
        while let Some(head) = peer.head().await {
            assert!(head.contains("transfer-encoding: chunked"), "{head}");
            let body = peer.until("0\r\n\r\n").await.unwrap();
            assert_eq!(body, "5\r\nhello\r\n0\r\n\r\n");
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let upstream = server.upstream("");
    for method in ["POST", "GET"] {
        let frames = stream::iter([Ok::<_, io::Error>(Frame::data(Bytes::from("hello")))]);
        let body = Body::new(StreamBody::new(frames));
        let request = Request::builder().method(method).uri("/").body(body).unwrap();
        assert_eq!(status(&upstream, request).await, 200);
    }
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_passed_on_and_its_connection_closed() {
    let server = Server::new(|mut peer, _| async move {
        peer.head().await;
        peer.say("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!")
            .await;
        // Whatever comes after the answer belongs to nobody.
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("");
    for nth in 1..=3 {
        let (_writer, body) = channel();
        assert_eq!(answer(&upstream, post(body)).await, (413, "no!".to_owned()));
        assert_eq!(upstream.state().endpoints[0].idle_connections, 0);
        assert_eq!(server.connections(), nth, "never used again");
    }
}

#[tokio::test]
async fn request_and_answer_may_stream_at_the_same_time() {
    let server = Server::new(|mut peer, _| async move {
        peer.head().await;
        peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        for _ in 0..3 {
            let chunk = peer.until("ping\r\n").await.unwrap();
            assert_eq!(chunk, "4\r\nping\r\n");
            peer.say("4\r\npong\r\n").await;
        }
        peer.until("0\r\n\r\n").await;
        peer.say("0\r\n\r\n").await;
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("");
    let (writer, body) = channel();
    let mut answer = send(&upstream, post(body)).await.unwrap().into_body();
    for _ in 0..3 {
        writer.write("ping").await;
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "pong");
    }
    drop(writer);
    assert!(answer.frame().await.is_none());
    assert_eq!(upstream.state().endpoints[0].idle_connections, 1);
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_upstreams_connection_with_it() {
    let closed = Arc::new(tokio::sync::Notify::new());
    let noticed = Arc::clone(&closed);
    let server = Server::new(move |mut peer, _| {
        let noticed = Arc::clone(&noticed);
        async move {
            peer.request().await;
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
            peer.rest().await;
            noticed.notify_one();
        }
    })
    .await;
    let upstream = server.upstream("");
    let response = send(&upstream, get("/")).await.unwrap();
    drop(response);
    tokio::time::timeout(SOON, closed.notified()).await.unwrap();
    let state = &upstream.state().endpoints[0];
    assert_eq!((state.in_flight, state.idle_connections, state.failed), (0, 0, 0));
}

#[tokio::test]
async fn a_body_that_the_client_breaks_off_is_its_own_fault() {
    let server = Server::new(|mut peer, _| async move {
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("outlier = { consecutive = 1, max_eject_percent = 100 }");
    let (writer, body) = channel();
    writer.write("half").await;
    writer.abort().await;
    let failure = send(&upstream, post(body)).await.unwrap_err();
    assert!(failure.is_clients());
    assert_eq!(Problem::from(failure).code().as_str(), "invalid_body");
    let state = &upstream.state().endpoints[0];
    assert_eq!((state.failed, state.ejected_for_ms), (0, 0));
}

#[tokio::test]
async fn a_body_that_a_layer_refuses_is_refused_with_its_words() {
    let server = Server::new(|mut peer, _| async move {
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("");
    let limited = http_body_util::Limited::new(Body::from(vec![0; 100_000]), 1_000);
    let failure = send(&upstream, post(Body::new(limited))).await.unwrap_err();
    assert_eq!(Problem::from(failure).code().as_str(), "body_too_large");
    let problem = Problem::new(crate::gateway::problem::Code::Overloaded, "too many");
    let frames = stream::iter([Err::<Frame<Bytes>, _>(super::super::BodyRefused(problem))]);
    let failure = send(&upstream, post(Body::new(StreamBody::new(frames))))
        .await
        .unwrap_err();
    assert_eq!(Problem::from(failure).code().as_str(), "overloaded");
}

#[tokio::test]
async fn a_client_that_does_not_send_on_is_late_and_not_the_upstream() {
    let server = Server::new(|mut peer, _| async move {
        peer.rest().await;
    })
    .await;
    let upstream = server.upstream("timeouts = { idle_body = \"50ms\", response_headers = \"10ms\" }");
    let (writer, body) = channel();
    writer.write("half").await;
    let failure = send(&upstream, post(body)).await.unwrap_err();
    assert_eq!(Problem::from(failure).code().as_str(), "body_timeout");
    assert_eq!(upstream.state().endpoints[0].failed, 0);
    drop(writer);
}
