use std::net::SocketAddr;
use std::time::Instant;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http::{StatusCode, Version, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio_util::sync::DropGuard;

use super::*;
use crate::config::Config;
use crate::gateway::tls::tests as tls;

/// How long a test waits for what must come.
const SOON: Duration = Duration::from_secs(20);

/// Deadlines of the tests, far enough apart to be told from each other on a busy machine.
const HEADER: Duration = Duration::from_millis(1000);
const IDLE: Duration = Duration::from_millis(2500);
const WRITE: Duration = Duration::from_millis(1000);

/// Answers by path; `ended` tells that the body of an answer that never ends was given up.
#[derive(Clone)]
struct Site {
    ended: CancellationToken,
}

impl Answer for Site {
    async fn answer(self, peer: Peer, mut request: Request<Incoming>) -> Response {
        match request.uri().path() {
            "/flood" => Response::new(flood(self.ended.drop_guard())),
            "/endless" => {
                let mut response = Response::new(Body::from_stream(ticks()));
                response.extensions_mut().insert(Endless);
                response
            }
            "/slow" => {
                tokio::time::sleep(2 * IDLE).await;
                Response::new(Body::from("slow"))
            }
            "/echo" => {
                tokio::spawn(echo(hyper::upgrade::on(&mut request)));
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response.headers_mut().insert(header::UPGRADE, "echo".parse().unwrap());
                response
                    .headers_mut()
                    .insert(header::CONNECTION, "upgrade".parse().unwrap());
                response
            }
            _ => Response::new(Body::from(format!("{} {}", peer.scheme.as_str(), peer.ip))),
        }
    }
}

fn flood(given_up: DropGuard) -> Body {
    let chunk = Bytes::from_static(&[b'x'; 64 * 1024]);
    Body::from_stream(stream::repeat(chunk).map(move |chunk| {
        let _ = &given_up;
        Ok::<_, std::io::Error>(chunk)
    }))
}

fn ticks() -> impl futures_util::Stream<Item = Result<&'static str, std::io::Error>> {
    stream::unfold((), |()| async {
        tokio::time::sleep(HEADER / 5).await;
        Some((Ok("tick\n"), ()))
    })
}

async fn echo(upgrade: hyper::upgrade::OnUpgrade) {
    let (mut read, mut write) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

/// A listener with the deadlines above, and whatever `change` sets.
struct Served {
    address: SocketAddr,
    ended: CancellationToken,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

async fn served(tls: Option<Tls>, change: impl FnOnce(&mut Http)) -> Served {
    let mut config = Config::load(None, [], []).unwrap().http;
    config.header_timeout_ms = HEADER.as_millis() as u64;
    config.idle_timeout_ms = IDLE.as_millis() as u64;
    config.write_timeout_ms = WRITE.as_millis() as u64;
    change(&mut config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, stop) = (CancellationToken::new(), CancellationToken::new());
    let (site, token) = (Site { ended: ended.clone() }, stop.clone());
    let serving = tokio::spawn(async move { serve(listener, tls, site, &config, token).await });
    Served {
        address,
        ended,
        stop,
        serving,
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, what).await.expect("in time")
}

async fn connect(served: &Served, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server closes, or resets.
async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What comes until `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut byte = [0];
        assert_eq!(soon(stream.read(&mut byte)).await.unwrap(), 1, "closed after {text:?}");
        text.push(char::from(byte[0]));
    }
    text
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn who_sends_nothing_or_half_a_head_is_closed() {
    let served = served(None, |_| {}).await;
    for text in ["", "GET / HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let began = Instant::now();
        rest(&mut connect(&served, text).await).await;
        assert!(began.elapsed() >= HEADER, "{text:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_lives_until_the_idle_timeout_and_half_a_head_ends_it_sooner() {
    let served = served(None, |_| {}).await;
    let mut idle = connect(&served, GET).await;
    until(&mut idle, "http 127.0.0.1").await;
    let answered = Instant::now();
    rest(&mut idle).await;
    assert!(
        answered.elapsed() >= IDLE - Duration::from_millis(50),
        "{:?}",
        answered.elapsed()
    );

    let mut half = connect(&served, GET).await;
    until(&mut half, "http 127.0.0.1").await;
    half.write_all(b"GET / HT").await.unwrap();
    let begun = Instant::now();
    rest(&mut half).await;
    assert!(begun.elapsed() < IDLE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let served = served(None, |_| {}).await;
    let mut stream = connect(&served, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    until(&mut stream, "slow").await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let served = served(None, |_| {}).await;
    let _deaf = connect(&served, "GET /flood HTTP/1.1\r\nhost: x\r\n\r\n").await;
    soon(served.ended.cancelled()).await;
}

#[tokio::test]
async fn what_a_client_does_not_read_is_not_kept_for_it() {
    let served = served(None, |_| {}).await;
    let mut deaf = connect(&served, "GET /flood HTTP/1.1\r\nhost: x\r\n\r\n").await;
    soon(served.ended.cancelled()).await;
    let end = soon(tokio::io::copy(&mut deaf, &mut tokio::io::sink())).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_client_that_does_not_read_tls_is_closed() {
    let served = served(Some(tls::open("one")), |_| {}).await;
    let mut deaf = tls::connect(served.address, "one.example", "http/1.1").await.unwrap();
    deaf.write_all(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    soon(served.ended.cancelled()).await;
}

type Requests = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

async fn h2(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static) -> Requests {
    let stream = TokioIo::new(stream);
    let (requests, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    requests
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("https://one.example{path}"))
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn a_stream_that_is_not_read_ends_its_connection_although_the_socket_is_free() {
    let served = served(None, |_| {}).await;
    let mut requests = h2(TcpStream::connect(served.address).await.unwrap()).await;
    let _unread = requests.send_request(get("/flood")).await.unwrap();
    soon(served.ended.cancelled()).await;
}

#[tokio::test]
async fn h2_is_agreed_on_by_alpn_and_browsers_are_told_to_stay_with_tls() {
    let mut config = tls::config([]);
    (config.cert, config.key) = (tls::fixture("one.pem"), tls::fixture("one.key"));
    config.hsts = "max-age=60".to_owned();
    let tls = Tls::open(&config, std::path::Path::new("")).unwrap();
    let served = served(tls, |_| {}).await;
    let stream = tls::connect(served.address, "one.example", "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let answer = h2(stream).await.send_request(get("/")).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    assert_eq!(answer.headers()[header::STRICT_TRANSPORT_SECURITY], "max-age=60");
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes(),
        "https 127.0.0.1"
    );
}

#[tokio::test]
async fn http_1_goes_through_tls_and_plain_http_does_not() {
    let served = served(Some(tls::open("one")), |_| {}).await;
    let mut stream = tls::connect(served.address, "one.example", "http/1.1").await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut stream).await;
    assert!(
        answer.ends_with("https 127.0.0.1") && !answer.contains("strict-transport"),
        "{answer}"
    );
    let answer = rest(&mut connect(&served, GET).await).await;
    assert!(!answer.contains("HTTP"), "{answer}");
}

#[tokio::test]
async fn a_handshake_that_stalls_is_closed_in_time() {
    let served = served(Some(tls::open("one")), |_| {}).await;
    // The first bytes of a TLS record that says it is 512 bytes long.
    for text in ["", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}"] {
        let began = Instant::now();
        rest(&mut connect(&served, text).await).await;
        assert!(began.elapsed() >= HEADER);
    }
}

#[tokio::test]
async fn an_endless_answer_outlives_every_deadline_and_ends_at_a_stop() {
    let served = served(None, |_| {}).await;
    let mut stream = connect(&served, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let began = Instant::now();
    while began.elapsed() < 2 * IDLE {
        until(&mut stream, "tick\n").await;
    }
    served.stop.cancel();
    soon(served.serving).await.unwrap();
    assert!(rest(&mut stream).await.contains("tick"));
}

#[tokio::test]
async fn a_request_in_flight_is_finished_after_a_stop() {
    let served = served(None, |_| {}).await;
    let mut stream = connect(&served, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut idle = connect(&served, GET).await;
    until(&mut idle, "http 127.0.0.1").await;
    served.stop.cancel();
    assert!(rest(&mut stream).await.ends_with("slow"));
    assert_eq!(rest(&mut idle).await, "");
    soon(served.serving).await.unwrap();
}

#[tokio::test]
async fn an_upgraded_connection_lives_on_and_counts_until_it_ends() {
    let served = served(None, |config| config.max_connections = 1).await;
    let upgrade = "GET /echo HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let mut tunnel = connect(&served, upgrade).await;
    assert!(until(&mut tunnel, "\r\n\r\n").await.contains("101"));
    let mut waiting = connect(&served, GET).await;
    let second = tokio::time::timeout(2 * IDLE, waiting.read_u8()).await;
    assert!(second.is_err(), "there is one slot, and the tunnel has it");
    tunnel.write_all(b"still here").await.unwrap();
    until(&mut tunnel, "still here").await;
    drop(tunnel);
    until(&mut waiting, "http 127.0.0.1").await;
}

#[tokio::test]
async fn clients_of_h2_are_told_the_limits() {
    let served = served(None, |_| {}).await;
    let mut stream = connect(&served, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await;
    let mut head = [0; 9];
    soon(stream.read_exact(&mut head)).await.unwrap();
    let mut settings = vec![0; usize::from(head[2])];
    soon(stream.read_exact(&mut settings)).await.unwrap();
    let settings: Vec<_> = settings
        .chunks_exact(6)
        .map(|setting| (setting[1], setting[2..].to_vec()))
        .collect();
    // RFC 9113 §6.5.2: 3 is MAX_CONCURRENT_STREAMS, 6 MAX_HEADER_LIST_SIZE.
    assert!(settings.contains(&(3, 128_u32.to_be_bytes().to_vec())), "{settings:?}");
    assert!(
        settings.contains(&(6, 16_384_u32.to_be_bytes().to_vec())),
        "{settings:?}"
    );
}

#[tokio::test]
async fn a_trusted_balancer_names_its_client_and_must() {
    let trusts = |networks: &'static str| {
        move |config: &mut Http| {
            config.proxy_protocol = true;
            config.trusted_proxies = vec![networks.parse().unwrap()];
        }
    };
    let balanced = served(None, trusts("127.0.0.0/8")).await;
    let mut stream = connect(&balanced, &format!("PROXY TCP4 192.0.2.7 10.0.0.1 5 80\r\n{GET}")).await;
    until(&mut stream, "http 192.0.2.7").await;
    let began = Instant::now();
    assert_eq!(rest(&mut connect(&balanced, GET).await).await, "");
    assert!(began.elapsed() < HEADER, "at once");
    let direct = served(None, trusts("10.0.0.0/8")).await;
    until(&mut connect(&direct, GET).await, "http 127.0.0.1").await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn heads_cut_anywhere_are_read(cuts in prop::collection::vec(1usize..28, 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let served = served(None, |_| {}).await;
            let mut stream = connect(&served, "").await;
            let mut sent = 0;
            for cut in cuts.into_iter().chain([GET.len()]).filter(|cut| *cut <= GET.len()) {
                let end = cut.max(sent);
                stream.write_all(&GET.as_bytes()[sent..end]).await.unwrap();
                tokio::task::yield_now().await;
                sent = end;
            }
            until(&mut stream, "http 127.0.0.1").await;
        });
    }
}
