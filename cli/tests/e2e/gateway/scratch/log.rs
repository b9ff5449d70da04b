//! B9: which way each request went is in its line of the access log.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use super::super::socket::Socket;
use super::super::{asked, fresh_id, log_line, send};
use super::{Scratch, bearer, scratch};
use crate::support::Request;
use crate::support::wait::until_true;

#[test]
fn b9_facts_for_a_project_that_is_not_there_are_said_to_be_lost() {
    let server = super::super::setup("version = 1\n[facts]\nproject = 4711\n").start();
    until_true("the warning", || server.log().contains("there is no such project"));
}

/// What a line says of the request's way.
fn way(line: &Value) -> Value {
    json!([line["upstream"], line["endpoint"], line["attempts"], line["cache"]])
}

fn line_of(request: Request) -> Value {
    let server = &scratch().server;
    let (answer, id) = send(server, request);
    assert_eq!(answer.status, 200);
    log_line(server, &id)
}

#[test]
fn b9_the_log_says_which_upstream_answered_and_at_which_attempt() {
    let lines = [(); 2].map(|()| line_of(Request::get("/limping")));
    // In turn: one of the two meets the dead instance first.
    let mut ways = lines.each_ref().map(|line| way(line).to_string());
    ways.sort();
    assert_eq!(ways, [r#"["limping",1,1,null]"#, r#"["limping",1,2,null]"#]);
    assert!(lines.iter().all(|line| line["upstream_ms"].is_number()), "{lines:?}");
}

#[test]
fn b9_the_log_says_what_the_cache_did_and_it_is_counted_once() {
    let Scratch { server, .. } = scratch();
    let get = || line_of(Request::get("/kept").header("accept-language", "fi"));
    let (fetched, kept) = (get(), get());
    assert_eq!(way(&fetched), json!(["one", 0, 1, "miss"]));
    assert!(fetched["upstream_ms"].is_number(), "{fetched}");
    assert_eq!(way(&kept), json!([null, null, null, "hit"]));
    assert_eq!(kept["upstream_ms"], Value::Null);
    let metrics = asked(server, &Request::get("/metrics")).text();
    for status in ["hit", "miss"] {
        let counted = format!("gateway_cache_total{{route=\"kept\",status=\"{status}\"}} 1\n");
        assert!(metrics.contains(&counted), "{counted} is missing in:\n{metrics}");
    }
}

#[test]
fn b9_the_log_says_whom_a_client_did_not_wait_for() {
    let Scratch { server, one, .. } = scratch();
    let (id, token) = (fresh_id(), bearer("u_log", &json!({})));
    let mut client = TcpStream::connect(server.address()).unwrap();
    let head =
        format!("GET /one/silent HTTP/1.1\r\nhost: x\r\nx-request-id: {id}\r\nauthorization: Bearer {token}\r\n\r\n");
    client.write_all(head.as_bytes()).unwrap();
    until_true("the request at the service", || one.of(&id).len() == 1);
    drop(client);
    let line = log_line(server, &id);
    assert_eq!((&line["status"], way(&line)), (&json!(499), json!(["one", 0, 1, null])));
}

#[test]
fn b9_the_log_says_where_a_tunnel_led() {
    let Scratch { server, .. } = scratch();
    let id = fresh_id();
    let request = Request::get("/tunnel").bearer(&bearer("u_log", &json!({})));
    Socket::open(server.address(), request.header("x-request-id", &id)).unwrap();
    let line = log_line(server, &id);
    assert_eq!((&line["status"], way(&line)), (&json!(101), json!(["one", 0, 1, null])));
}
