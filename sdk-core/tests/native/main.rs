//! The native client against a real HTTP server that gives odd answers.

mod peer;
mod directory;
mod hooks;

use std::time::{Duration, Instant};

use peer::{Peer, Reply};
use trailmark_core::{BuildError, Capture, Client, ClientBuilder, Properties};

/// Longer than anything here takes; only a hang reaches it.
const LONG: Duration = Duration::from_secs(20);

fn builder(peer: &Peer) -> ClientBuilder {
    Client::builder(&peer.url(), "tm_pk_test").backoff(Duration::from_millis(10), Duration::from_millis(20))
}

fn client(peer: &Peer) -> Client {
    builder(peer).build().unwrap()
}

fn track(client: &Client, name: &str) {
    client.track(name, Properties::new());
}

#[tokio::test]
async fn events_arrive_with_the_key_and_the_flush_says_so() {
    let peer = Peer::start([]);
    let client = client(&peer);
    client.track("checkout", Properties::new().with("total", 12.5));
    client.identify("u_7", Properties::new().with("plan", "pro"));
    let report = client.flush().await;
    assert_eq!((report.delivered, report.pending), (2, 0));
    let request = peer.next();
    assert_eq!(request.line, "POST /v1/batch HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Bearer tm_pk_test"));
    assert_eq!(request.header("trailmark-attempt"), Some("1"));
    let names: Vec<_> = request.events().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(names, ["checkout", "$identify"]);
}

#[test]
fn a_batch_goes_by_itself_when_it_is_full_or_old_enough() {
    let peer = Peer::start([]);
    let full = builder(&peer).flush_at(2).flush_interval(LONG).build().unwrap();
    track(&full, "one");
    track(&full, "two");
    assert_eq!(peer.next().events().len(), 2);
    let old = builder(&peer)
        .flush_at(100)
        .flush_interval(Duration::from_millis(20))
        .build()
        .unwrap();
    track(&old, "three");
    assert_eq!(peer.next().events().len(), 1);
}

#[test]
fn after_a_503_the_same_bytes_are_sent_again_and_stored() {
    let peer = Peer::start([Reply::status(503)]);
    let client = builder(&peer).flush_at(1).build().unwrap();
    track(&client, "one");
    let (first, second) = (peer.next(), peer.next());
    assert_eq!(first.body, second.body);
    assert_eq!(
        first.header("trailmark-request-id"),
        second.header("trailmark-request-id")
    );
    assert_eq!(second.header("trailmark-attempt"), Some("2"));
    let report = client.shutdown(LONG);
    assert_eq!((report.pending, client.stats().delivered), (0, 1));
}

#[test]
fn no_odd_answer_counts_as_delivery_and_none_loses_an_event() {
    for odd in [
        Reply::Reset,
        Reply::ResetInTheBody,
        Reply::text(200, "<html>Welcome to our Wi-Fi</html>"),
        Reply::text(200, r#"{"status":"ok"}"#),
        Reply::redirect("/elsewhere"),
        Reply::Endless,
    ] {
        let peer = Peer::start([odd.clone()]);
        let client = builder(&peer).flush_at(1).build().unwrap();
        track(&client, "one");
        let (first, second) = (peer.next(), peer.next());
        assert_eq!(first.body, second.body, "{odd:?}");
        assert_eq!(second.line, "POST /v1/batch HTTP/1.1", "a redirect is not followed");
        client.shutdown(LONG);
        assert_eq!((client.stats().delivered, client.stats().attempts), (1, 2), "{odd:?}");
    }
}

#[test]
fn an_answer_that_does_not_come_ends_in_a_timeout_and_a_retry() {
    let peer = Peer::start([Reply::Silence]);
    let client = builder(&peer)
        .flush_at(1)
        .request_timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    track(&client, "one");
    peer.next();
    assert_eq!(peer.next().header("trailmark-attempt"), Some("2"));
    client.shutdown(LONG);
    assert_eq!(client.stats().delivered, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_everything_pending_and_says_why() {
    let peer = Peer::start([]);
    let url = peer.url();
    drop(peer);
    let client = Client::builder(&url, "tm_pk_test").build().unwrap();
    track(&client, "one");
    let report = client.flush().await;
    assert_eq!((report.delivered, report.pending), (0, 1));
    let stats = client.stats();
    assert!(stats.last_error.unwrap().contains("refused"));
    assert_eq!((stats.captured, stats.queued), (1, 1));
}

#[test]
fn a_refused_key_pauses_and_keeps_the_events() {
    let peer = Peer::start([Reply::text(401, r#"{"code":"unknown_key","detail":"no such key"}"#)]);
    let client = client(&peer);
    track(&client, "one");
    assert_eq!(client.flush_blocking(LONG).pending, 1);
    assert!(client.stats().paused);
    assert_eq!(
        client.stats().last_error.as_deref(),
        Some("status 401: unknown_key: no such key")
    );
    assert_eq!(client.shutdown(LONG).delivered, 1, "a flush asks once more");
}

#[test]
fn large_bodies_are_compressed_and_small_ones_are_not() {
    let peer = Peer::start([]);
    let client = client(&peer);
    track(&client, "small");
    assert_eq!(client.flush_blocking(LONG).delivered, 1);
    assert_eq!(peer.next().header("content-encoding"), None);
    client.track("large", Properties::new().with("text", "x".repeat(8_000)));
    assert_eq!(client.flush_blocking(LONG).delivered, 1);
    let large = peer.next();
    assert_eq!(large.header("content-encoding"), Some("gzip"));
    assert!(large.header("content-length").unwrap().parse::<usize>().unwrap() < 1000);
    assert_eq!(large.events()[0]["properties"]["text"].as_str().unwrap().len(), 8_000);
}

#[test]
fn a_path_in_front_is_kept() {
    let peer = Peer::start([]);
    let client = Client::builder(&format!("{}/analytics/", peer.url()), "tm_pk_test")
        .build()
        .unwrap();
    track(&client, "one");
    assert_eq!(client.shutdown(LONG).delivered, 1);
    assert_eq!(peer.next().line, "POST /analytics/v1/batch HTTP/1.1");
}

#[test]
fn over_tls_only_a_known_root_is_trusted() {
    let url = peer::tls::start();
    let stranger = Client::builder(&url, "tm_pk_test").build().unwrap();
    track(&stranger, "one");
    assert_eq!(stranger.flush_blocking(LONG).pending, 1);
    assert!(stranger.stats().last_error.unwrap().contains("UnknownIssuer"));
    let friend = Client::builder(&url, "tm_pk_test")
        .extra_root_pem(peer::tls::ROOT)
        .build()
        .unwrap();
    track(&friend, "two");
    let report = friend.flush_blocking(LONG);
    assert_eq!(report.delivered, 1, "{:?}", friend.stats().last_error);
}

#[tokio::test]
async fn an_import_that_waits_for_room_loses_nothing_to_a_small_queue() {
    let peer = Peer::start([]);
    let client = builder(&peer)
        .max_queue_events(50)
        .max_batch_events(20)
        .build()
        .unwrap();
    for n in 0..1000 {
        client.ready(40).await;
        client.capture(Capture::new("line").anonymous_id(format!("visitor-{}", n % 7)));
        assert!(client.queued() <= 40);
    }
    client.flush().await;
    let stats = client.stats();
    assert_eq!((stats.delivered, stats.dropped_total(), stats.queued), (1000, 0, 0));
}

#[tokio::test]
async fn nobody_waits_for_a_client_that_has_ended() {
    let peer = Peer::start([Reply::Silence]);
    let client = client(&peer);
    track(&client, "one");
    let (flush, ready) = (client.flush(), client.ready(1));
    peer.next();
    let report = client.shutdown(Duration::from_millis(50));
    assert_eq!((report.delivered, report.pending), (0, 1));
    assert_eq!(flush.await.pending, 1);
    ready.await;
    client.ready(1).await;
    assert_eq!(client.flush().await.pending, 1);
    assert_eq!(client.shutdown(LONG).pending, 1, "a second shutdown says what is left");
    track(&client, "two");
    assert_eq!(client.stats().dropped["shut_down"], 1);
}

#[test]
fn dropping_the_client_ends_its_thread_even_while_it_waits_for_an_answer() {
    let peer = Peer::start([Reply::Silence]);
    let client = builder(&peer).flush_at(1).build().unwrap();
    track(&client, "one");
    peer.next();
    let started = Instant::now();
    drop(client);
    peer.wait_for_hang_up();
    assert!(started.elapsed() < LONG);
}

#[test]
fn many_threads_share_a_client() {
    let peer = Peer::start([]);
    let client = client(&peer);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let client = client.clone();
            scope.spawn(move || (0..250).for_each(|_| track(&client, "x")));
        }
    });
    client.shutdown(LONG);
    assert_eq!((client.stats().captured, client.stats().delivered), (1000, 1000));
}

#[test]
fn what_is_wrong_is_said_when_the_client_is_built() {
    let error = |builder: ClientBuilder| builder.build().unwrap_err();
    assert!(matches!(
        error(Client::builder("localhost", "tm_pk_x")),
        BuildError::Url(_)
    ));
    assert!(matches!(
        error(Client::builder("http://localhost", "tm_sk_x")),
        BuildError::Config(_)
    ));
    let https = || Client::builder("https://localhost", "tm_pk_x");
    assert!(matches!(
        error(https().extra_root_pem("no pem")),
        BuildError::RootPem(_)
    ));
    assert!(matches!(error(https().proxy("::")), BuildError::Transport(_)));
    assert!(https().build().is_ok());
}

#[test]
fn a_client_can_be_shared_and_its_futures_sent() {
    fn sendable<T: Send + 'static>(_: T) {}
    fn shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    let client = Client::builder("http://127.0.0.1:9", "tm_pk_x").build().unwrap();
    shareable(&client);
    sendable(client.flush());
    sendable(client.ready(1));
}
