//! HTTP/2 upstreams.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioExecutor;

use super::*;

/// An HTTP/2 server with prior knowledge.
async fn server<F, Fut>(streams: u32, handle: F) -> Server
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    Server::new(move |peer, _| {
        let handle = handle.clone();
        async move {
            let service = service_fn(move |request| {
                let answered = handle(request);
                async move { Ok::<_, Infallible>(answered.await) }
            });
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(streams)
                .serve_connection(TokioIo::new(peer.stream), service)
                .await;
        }
    })
    .await
}

#[tokio::test]
async fn all_requests_share_one_connection_and_see_the_endpoints_authority() {
    let server = server(100, |request| async move {
        assert!(!request.headers().contains_key("host"));
        Response::new(Body::from(request.uri().to_string()))
    })
    .await;
    let upstream = server.upstream("protocol = \"h2\"");
    let asked = (0..50).map(|_| answer(&upstream, get("/a?b=c")));
    let expected = format!("http://{}/a?b=c", server.address);
    for (code, uri) in futures_util::future::join_all(asked).await {
        assert_eq!((code, &uri), (200, &expected));
    }
    assert_eq!(server.connections(), 1);
    let upstream = server.upstream("protocol = \"h2\"\npreserve_host = true");
    assert_eq!(answer(&upstream, get("/")).await.1, "http://api.example/");
}

#[tokio::test]
async fn grpc_goes_through_with_its_te_and_its_trailers() {
    let server = server(100, |request| async move {
        assert_eq!(request.headers()["te"], "trailers");
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let frames = [Frame::data(body), Frame::trailers(trailers)].map(Ok::<_, Infallible>);
        Response::new(Body::new(StreamBody::new(futures_util::stream::iter(frames))))
    })
    .await;
    let upstream = server.upstream("protocol = \"h2\"");
    let frames = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from("hello")))]);
    let mut request = Request::post("/shop.Orders/Get")
        .body(Body::new(StreamBody::new(frames)))
        .unwrap();
    request.headers_mut().insert("te", "trailers".parse().unwrap());
    let response = send(&upstream, request).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(collected.to_bytes(), "hello");
}

#[tokio::test]
async fn no_more_streams_are_opened_than_the_upstream_takes() {
    let [now, most] = [0, 0].map(|start| Arc::new(AtomicUsize::new(start)));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = server(2, move |_| {
        let (now, most) = (Arc::clone(&counted), Arc::clone(&highest));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            Response::new(Body::empty())
        }
    })
    .await;
    let upstream = server.upstream("protocol = \"h2\"");
    let asked = futures_util::future::join_all((0..20).map(|_| status(&upstream, get("/")))).await;
    assert_eq!(asked, [200; 20]);
    assert!(most.load(Ordering::SeqCst) <= 2);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_went_away_is_made_again() {
    let server = Server::new(|peer, _| async move {
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(Some(ended)));
        let service = service_fn(move |_: Request<Incoming>| {
            drop(ended.lock().unwrap().take());
            async move { Ok::<_, Infallible>(Response::new(Body::from("ok"))) }
        });
        let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(peer.stream), service);
        let mut connection = std::pin::pin!(connection);
        // One request, then it goes away as a server that restarts does.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = end => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    })
    .await;
    let upstream = server.upstream("protocol = \"h2\"");
    for _ in 0..50 {
        assert_eq!(answer(&upstream, get("/")).await, (200, "ok".to_owned()));
    }
    assert!(server.connections() > 1);
    assert_eq!(upstream.state().endpoints[0].failed, 0);
}

#[tokio::test]
async fn a_stream_without_an_answer_is_given_up_and_the_others_go_on() {
    let server = server(100, |request| async move {
        if request.uri().path() == "/hang" {
            std::future::pending::<()>().await;
        }
        Response::new(Body::from("ok"))
    })
    .await;
    let upstream = server.upstream("protocol = \"h2\"\ntimeouts = { response_headers = \"50ms\" }");
    assert_eq!(status(&upstream, get("/hang")).await, 504);
    assert_eq!(status(&upstream, get("/")).await, 200);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_that_speaks_only_http_1_is_a_bad_gateway() {
    let server = Server::always("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let upstream = server.upstream("protocol = \"h2\"");
    assert_eq!(status(&upstream, get("/")).await, 502);
}
