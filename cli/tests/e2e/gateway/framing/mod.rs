//! Requests that two servers could read differently, byte by byte: each is refused and its connection closed, or is exactly
//! one request to the service behind. What hides in a body, or behind one, never becomes a request of its own.

// One row a line, however long.
#[rustfmt::skip]
mod rows;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use self::rows::{May, TABLES};
use super::recorder::Recorder;
use super::setup;
use crate::support::{Request, Server};

/// A request that must not exist.
const HIDDEN: &str = "GET /up/hidden HTTP/1.1\r\nHost: e2e\r\n\r\n";

/// What the server waits for the rest of a request: 1 s.
const DEADLINE_MS: u64 = 1_000;

/// How long an answer, or the end, may take: the deadline, and some more on a machine with other things to do.
const SOON: Duration = Duration::from_secs(10);

/// The service behind, and the gateway in front of it.
fn gateway() -> (Server, Recorder) {
    let service = Recorder::named("up");
    let file = format!(
        r#"
version = 1
[upstreams.up]
endpoints = [{{ url = "{}" }}]
[[routes]]
id = "up"
prefix = "/up"
upstream = "up"
auth = []
"#,
        service.url()
    );
    let setup = setup(&file)
        .set("http.header_timeout_ms", DEADLINE_MS)
        .set("http.body_timeout_ms", DEADLINE_MS);
    (setup.start(), service)
}

/// What a row's text means.
fn bytes(text: &str, path: &str) -> String {
    let many = (0..1_000).map(|n| format!("x-{n}: 1|")).collect::<String>();
    text.replace("{many}", &many)
        .replace('|', "\r\n")
        .replace("{path}", path)
        .replace("{length}", &HIDDEN.len().to_string())
        .replace("{hidden}", HIDDEN)
        .replace("{long}", &"x".repeat(100_000))
}

/// What came of a case.
struct Outcome {
    /// The answer's; 0 for none.
    status: u16,
    is_closed: bool,
    said: String,
}

/// Sends `bytes` and listens until the connection is closed or a good answer is whole.
fn outcome(server: SocketAddr, bytes: &str) -> Outcome {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // The gateway may refuse, and close, before it has read everything.
    let _ = stream.write_all(bytes.as_bytes());
    let (mut said, mut chunk) = (String::new(), [0; 4096]);
    let is_closed = loop {
        match stream.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
            Ok(0) | Err(_) => break true,
            Ok(length) => said += &String::from_utf8_lossy(&chunk[..length]),
        }
        if said.starts_with("HTTP/1.1 2") && is_whole(&said) {
            break false;
        }
    };
    let status = said.split(' ').nth(1).and_then(|status| status.parse().ok());
    Outcome {
        status: status.unwrap_or(0),
        is_closed,
        said,
    }
}

fn is_whole(said: &str) -> bool {
    let Some((head, body)) = said.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse().unwrap())
}

/// Whether that may come of a case of which the service got so many requests.
fn may_be(may: May, outcome: &Outcome, passed: usize) -> bool {
    let status = outcome.status;
    let (is_one, is_refused) = (status == 200 && passed == 1, outcome.is_closed && passed == 0);
    match may {
        May::Pass => is_one,
        May::Refuse(statuses) => is_refused && statuses.contains(&status),
        May::Either => is_one || (is_refused && (400..500).contains(&status)),
        May::Cut => is_refused && status == 0,
    }
}

#[test]
fn each_ambiguous_request_is_refused_or_is_exactly_one() {
    let (server, service) = gateway();
    let cases = TABLES
        .iter()
        .flat_map(|(start, rows)| rows.iter().map(move |row| (*start, row)));
    let outcomes: Vec<_> = cases
        .enumerate()
        .map(|(number, (start, (name, text, may)))| {
            let path = format!("/up/case-{number}");
            let name = format!("{start:?} {name}");
            let outcome = outcome(server.address(), &bytes(&format!("{start}{text}"), &path));
            (name, path, may, outcome)
        })
        .collect();
    let received = service.received();
    let mut troubles = Vec::new();
    for (name, path, may, outcome) in outcomes {
        let passed = received.iter().filter(|received| received.target() == path).count();
        if !may_be(*may, &outcome, passed) {
            let Outcome { is_closed, said, .. } = outcome;
            troubles.push(format!(
                "{name}: not {may:?}: {passed} at the service, closed: {is_closed}, {said:?}\n"
            ));
        }
    }
    assert!(troubles.is_empty(), "{}", troubles.concat());
    for received in received {
        assert!(!received.target().contains("hidden"), "what hid became a request");
        assert_eq!(received.header("x-user-id"), None, "{received:?}");
        assert_eq!(received.trailers, "", "{received:?}");
    }
    assert_eq!(server.send(&Request::get("/up/alive")).status, 200);
    server.assert_sound();
}

/// A page that could send it would read its own cookies in the answer.
#[test]
fn no_service_hears_of_a_trace() {
    let (server, service) = gateway();
    assert_eq!(server.send(&Request::new("TRACE", "/up/trace")).status, 404);
    assert!(service.received().is_empty());
}

/// A service that changes protocols by a client's wish would hand the connection over: what follows would meet no rule.
#[test]
fn an_upgrade_that_the_route_does_not_allow_is_no_way_past_the_rules() {
    let (server, service) = gateway();
    for protocol in ["h2c", "foo", "websocket"] {
        let request = Request::get(format!("/up/upgrade-{protocol}"))
            .header("connection", "upgrade, http2-settings")
            .header("upgrade", protocol)
            .header("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA");
        assert_eq!(server.send(&request).status, 200);
        let received = service.received().into_iter().last().unwrap();
        for name in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(received.header(name), None, "{protocol}: {name}");
        }
    }
}

/// A request id and a path are written into headers for the service: neither may end its line.
#[test]
fn nothing_that_a_client_sends_begins_a_header_of_its_own() {
    let (server, service) = gateway();
    for target in ["/up/a%0d%0aX-User-Id:%201", "/up/%0aX-User-Id:1", "/up/%00"] {
        assert_eq!(server.send(&Request::get(target)).status, 400, "{target}");
    }
    let answer = server.send(&Request::get("/up/id").header("x-request-id", "a b\tc\"<>;"));
    let given = answer.header("x-request-id").unwrap().to_owned();
    let is_harmless = given.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    assert!(is_harmless, "{given}");
    let received = service.received();
    assert_eq!(received.len(), 1, "only the last was let through");
    assert_eq!(received[0].header("x-user-id"), None);
}
