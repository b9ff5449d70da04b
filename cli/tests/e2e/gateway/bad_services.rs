//! Services that hang, trickle, reset or talk nonsense: clients are told which of them, and nothing else; what came only in
//! part never looks whole.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::setup;
use crate::support::{Connection, Request, Server};

/// A service that does `what` with each connection, and closes it. It never stops; it ends with the test process.
pub(crate) fn service(what: impl Fn(&mut TcpStream) -> io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let what = what.clone();
            // The gateway may go first.
            thread::spawn(move || what(&mut stream));
        }
    });
    format!("http://{address}")
}

/// One that reads what comes, and says `text`.
fn saying(text: &'static str) -> String {
    service(move |stream| {
        let _ = stream.read(&mut [0; 4096])?;
        stream.write_all(text.as_bytes())
    })
}

/// One whose answer has so many bytes, one in 50 ms.
fn trickling(length: usize) -> String {
    service(move |stream| {
        let _ = stream.read(&mut [0; 4096])?;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")?;
        for _ in 0..length {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(b".")?;
        }
        Ok(())
    })
}

/// A route `/up` to a service that may take 300 ms to answer, 500 ms between two bytes, 1 s in all.
fn gateway(url: &str) -> Server {
    let file = format!(
        r#"
version = 1
[upstreams.up]
endpoints = [{{ url = "{url}" }}]
timeouts = {{ response_headers = "300ms", idle_body = "500ms", total = "1s" }}
[[routes]]
id = "up"
path = "/up"
upstream = "up"
auth = []
"#
    );
    setup(&file).start()
}

/// Everything that the gateway says until it closes.
fn heard(server: &Server) -> String {
    let mut connection = Connection::open(server.address()).unwrap();
    connection.write(&Request::get("/up").bytes()).unwrap();
    String::from_utf8_lossy(&connection.read_to_end()).into_owned()
}

fn assert_told(url: &str, status: u16, code: &str) {
    let server = gateway(url);
    let answer = server.send(&Request::get("/up"));
    assert_eq!((answer.status, &*answer.code()), (status, code), "{}", answer.text());
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("up") && !detail.contains("127.0.0.1"), "{detail}");
    server.assert_sound();
}

/// What the client gets is not whole: half a body, or nothing, if the answer broke off before its head had left.
fn assert_cut(url: &str) {
    let server = gateway(url);
    let heard = heard(&server);
    let body = heard
        .split_once("content-length: 100\r\n")
        .and_then(|(_, rest)| rest.split_once("\r\n\r\n"));
    let is_cut = heard.starts_with("HTTP/1.1 200") && body.is_some_and(|(_, body)| body.len() < 100);
    assert!(is_cut || heard.is_empty(), "{heard}");
    server.assert_sound();
}

#[test]
fn one_that_hangs_is_given_up_in_time() {
    let silent = service(|stream| io::copy(stream, &mut io::sink()).map(drop));
    assert_told(&silent, 504, "gateway_timeout");
}

#[test]
fn one_that_resets_is_a_bad_gateway() {
    // To close before all has been read is a reset.
    let resetting = service(|stream| stream.read_exact(&mut [0; 1]));
    assert_told(&resetting, 502, "bad_gateway");
}

#[test]
fn one_that_talks_nonsense_is_a_bad_gateway() {
    for nonsense in [
        "no HTTP at all\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\na b: 1\r\n\r\n",
        "\x16\x03\x01\x02",
    ] {
        assert_told(&saying(nonsense), 502, "bad_gateway");
    }
}

#[test]
fn one_that_trickles_is_waited_for() {
    let server = gateway(&trickling(8));
    let answer = server.send(&Request::get("/up"));
    assert_eq!((answer.status, answer.text().as_str()), (200, "........"));
}

#[test]
fn one_that_trickles_too_long_is_cut() {
    assert_cut(&trickling(100));
}

#[test]
fn one_that_breaks_off_is_cut() {
    assert_cut(&saying("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
}
