//! The guarded client: where its connections go, and where they never go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use trailmark_server::observe::outbound::{Answer, Call, ErrorKind, Guard, Lookup, Outbound, OutboundError, read_url};

use super::site::{Does, Site, answer};
use super::watch::{guard, outbound};

fn get(url: &str) -> Call {
    Call {
        method: Method::GET,
        url: read_url(url).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: Duration::from_secs(1),
        max_body_bytes: 1_000,
    }
}

async fn ask(url: &str) -> Result<Answer, OutboundError> {
    outbound().send(get(url)).await
}

async fn kind(call: Call) -> ErrorKind {
    outbound().send(call).await.unwrap_err().kind
}

#[tokio::test]
async fn a_request_arrives_as_it_was_meant_and_its_answer_is_told() {
    let site = Site::new().await;
    site.does(|_| answer(418, "x-a: b\r\n", "short"));
    let mut call = get(&site.url("/a%20b?c=d"));
    call.method = Method::POST;
    call.body = Bytes::from_static(b"hello");
    call.headers.insert("x-key", "secret".parse().unwrap());
    call.headers.insert("host", "other.example".parse().unwrap());
    call.headers.insert("content-length", "99".parse().unwrap());
    let answer = outbound().send(call).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..], answer.is_cut),
        (418, &b"short"[..], false)
    );
    assert_eq!(answer.headers["x-a"], "b");
    assert_eq!(answer.certificate_not_after, None);
    let request = site.requests().remove(0);
    assert!(request.starts_with("POST /a%20b?c=d HTTP/1.1\r\n"), "{request}");
    for line in ["x-key: secret", "content-length: 5", "connection: close", "accept: */*"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line}: {request}");
    }
    assert!(
        request.contains(&format!("\r\nhost: {}\r\n", site.address)),
        "{request}"
    );
    assert!(request.contains("\r\nuser-agent: Trailmark/"), "{request}");
    assert!(request.ends_with("\r\n\r\nhello"), "{request}");
}

#[tokio::test]
async fn without_leave_nothing_on_this_machine_is_called_whatever_it_is_called() {
    let site = Site::new().await;
    let port = site.address.port();
    let strict = Outbound::new(Guard::new(Vec::new()));
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "[::]",
    ] {
        let refused = strict.send(get(&format!("http://{host}:{port}/"))).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::RefusedAddress, "{host}: {refused}");
        let bare = host.trim_matches(['[', ']']);
        let refused = strict.knock(bare, port, Duration::from_secs(1)).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::RefusedAddress, "{host}: {refused}");
    }
    assert_eq!(site.requests(), [] as [String; 0]);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_it_says_later_moves_nothing() {
    let site = Site::new().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // At first it is an address that may be called, then one that may not.
    let lookup: Lookup = Arc::new(move |_, port| {
        let ip = match count.fetch_add(1, Ordering::SeqCst) {
            0 => [127, 0, 0, 1],
            _ => [127, 0, 0, 2],
        };
        Box::pin(async move { Ok(vec![SocketAddr::from((ip, port))]) })
    });
    let guard = Guard::asking(vec!["127.0.0.1/32".parse().unwrap()], lookup);
    let outbound = Outbound::new(guard);
    let url = format!("http://rebinding.example:{}/", site.address.port());
    assert_eq!(outbound.send(get(&url)).await.unwrap().status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let refused = outbound.send(get(&url)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::RefusedAddress);
    assert_eq!(site.requests().len(), 1);
    assert!(site.requests()[0].contains("host: rebinding.example:"));
}

#[tokio::test]
async fn an_address_that_nobody_listens_at_is_passed_over_for_the_next() {
    let site = Site::new().await;
    let lookup: Lookup = Arc::new(|_, port| {
        Box::pin(async move {
            Ok([[127, 0, 0, 9], [127, 0, 0, 1]]
                .map(|ip| SocketAddr::from((ip, port)))
                .to_vec())
        })
    });
    let outbound = Outbound::new(Guard::asking(vec!["127.0.0.0/8".parse().unwrap()], lookup));
    let answer = outbound
        .send(get(&format!("http://two.example:{}/", site.address.port())))
        .await;
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn each_way_to_fail_has_its_kind() {
    let site = Site::new().await;
    let url = site.url("/");
    let closed = {
        let mut closed = Site::new().await;
        closed.stop().await;
        closed.url("/")
    };
    assert_eq!(kind(get(&closed)).await, ErrorKind::Connect);
    assert_eq!(kind(get("http://unknown.example/")).await, ErrorKind::Dns);
    assert_eq!(kind(get("http://inside.example/")).await, ErrorKind::RefusedAddress);
    let tls = format!("https://localhost:{}/", site.address.port());
    let quick = |url: &str| Call {
        timeout: Duration::from_millis(200),
        ..get(url)
    };
    site.does(|_| Does::Sends("SSH-2.0-OpenSSH\r\n\r\n".to_owned()));
    assert_eq!(kind(quick(&url)).await, ErrorKind::Protocol);
    assert_ne!(kind(quick(&tls)).await, ErrorKind::Protocol, "no TLS there");
    for (does, expected) in [
        (Does::Hangs(String::new()), ErrorKind::Timeout),
        (
            Does::Hangs("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_owned()),
            ErrorKind::TooSlowBody,
        ),
        (
            Does::Sends("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_owned()),
            ErrorKind::Protocol,
        ),
        (Does::Sends(String::new()), ErrorKind::Protocol),
        (Does::Resets, ErrorKind::Protocol),
        (Does::Floods("x-a: b\r\n".to_owned()), ErrorKind::Protocol),
    ] {
        site.does(move |_| does.clone());
        assert_eq!(kind(quick(&url)).await, expected);
    }
}

#[tokio::test]
async fn of_a_body_no_more_is_read_than_was_asked_for() {
    let site = Site::new().await;
    site.does(|_| Does::Floods("HTTP/1.1 200 OK\r\n\r\n0123456789".to_owned()));
    let answer = ask(&site.url("/")).await.unwrap();
    assert!(answer.is_cut && answer.body.len() == 1_000, "{}", answer.body.len());
    site.does(|_| super::site::answer(200, "", &"a".repeat(1_000)));
    let answer = ask(&site.url("/")).await.unwrap();
    assert!(!answer.is_cut && answer.body.len() == 1_000);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let site = Site::new().await;
    site.does(|_| super::site::redirect("http://10.0.0.1/"));
    assert_eq!(ask(&site.url("/")).await.unwrap().status, 302);
    assert_eq!(site.requests().len(), 1);
}

#[tokio::test]
async fn a_port_is_open_or_it_is_not() {
    let mut site = Site::new().await;
    let port = site.address.port();
    let outbound = Outbound::new(guard());
    let knock = async || outbound.knock("site.example", port, Duration::from_secs(1)).await;
    assert!(knock().await.is_ok());
    site.stop().await;
    assert_eq!(knock().await.unwrap_err().kind, ErrorKind::Connect);
}
