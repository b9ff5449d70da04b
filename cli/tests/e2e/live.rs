//! `GET /api/v1/live` and `trailmark tail` over real connections: heard as it happens, and never waited for.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::events::{batch, event, good};
use crate::support::{Connection, Project, Request, Server, Setup, until};

/// Longer than any test waits: who passes has not waited for it.
const TOO_LONG_MS: u64 = 600_000;

/// Somebody who listens.
fn listen(project: &Project<'_>) -> Connection {
    let mut stream = Connection::open(project.server.address()).unwrap();
    let request = Request::get("/api/v1/live").bearer(&project.secret);
    stream.write(&request.bytes()).unwrap();
    stream.read_until(": listening").unwrap();
    stream
}

#[test]
fn a_live_stream_hears_an_event_and_its_end_and_does_not_hold_a_stop_up() {
    let server = Setup::default().set("http.drain_timeout_ms", TOO_LONG_MS).start();
    let project = Project::create(&server);
    let mut stream = listen(&project);
    let id = Uuid::now_v7();
    let sent = event(id, "good", "device-1").to_string();
    assert_eq!(server.send(&project.batch(batch(&[sent]))).status, 202);
    assert!(stream.read_until("\n\n").unwrap().contains(&id.to_string()));
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    let rest = String::from_utf8(stream.read_to_end()).unwrap();
    assert!(rest.contains("event: end\ndata: {\"reason\":\"stopping\"}"), "{rest}");
    server.start();
    assert_eq!(project.rows().count(), 1);
}

#[test]
fn a_listener_that_reads_nothing_holds_neither_events_nor_a_stop_up() {
    let server = Setup::default().set("http.drain_timeout_ms", TOO_LONG_MS).start();
    let project = Project::create(&server);
    let _stuck = listen(&project);
    let large = || json!({"event": "large", "user_id": "ann", "properties": {"text": "x".repeat(50_000)}}).to_string();
    // 16 MB: more than the buffers of a connection on this machine, 6 MB for its reader and 4 MB for its writer.
    for _ in 0..20 {
        let events: Vec<_> = (0..16).map(|_| large()).collect();
        assert_eq!(server.send(&project.batch(batch(&events))).status, 202);
    }
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    server.assert_no_panic();
}

#[test]
fn a_stream_ends_when_its_key_is_revoked() {
    let project = Project::create(Server::shared());
    let keys = project
        .server
        .run(&["key", "list", "--project", &project.id.to_string()]);
    let mut stream = listen(&project);
    let keys = keys["keys"].as_array().unwrap_or_else(|| panic!("{keys}"));
    let secret = keys.iter().find(|key| key["kind"] == "secret").unwrap();
    project.revoke(secret["id"].as_i64().unwrap());
    stream.read_until("event: end\ndata: {\"reason\":\"key\"}").unwrap();
}

/// `trailmark tail`, which ends with the test.
struct Tail(Child);

impl Tail {
    fn start(project: &Project<'_>, more: &[&str]) -> Self {
        let url = project.server.url();
        let arguments = [&["tail", "--url", &url, "--key", &project.secret], more].concat();
        let mut command = project.server.command(&arguments);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        BufReader::with_capacity(1, self.0.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        line
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn tail_prints_a_line_for_what_is_accepted_and_for_what_is_refused_and_says_when_the_server_stops() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let mut tail = Tail::start(&project, &["--refused"]);
    // Until it listens, it hears nothing: events are sent until the first is heard.
    let feeder = std::thread::scope(|scope| {
        let first = scope.spawn(|| tail.line());
        until("a first line", || {
            server.send(&project.batch(batch(&[good()])));
            first.is_finished().then_some(())
        });
        first.join().unwrap()
    });
    assert!(feeder.contains("  good  device-1"), "{feeder}");
    let junk = json!({"event": "junk", "user_id": "null"}).to_string();
    server.send(&project.batch(batch(&[junk])));
    let refused = until("a refusal", || {
        Some(tail.line()).filter(|line| line.contains("refused"))
    });
    assert!(refused.contains("refused junk  junk_user_id: "), "{refused}");
    assert!(server.stop().success());
    let mut last = String::new();
    BufReader::new(tail.0.stderr.as_mut().unwrap())
        .read_line(&mut last)
        .unwrap();
    assert_eq!(last, "error: the server stops\n");
    assert_eq!(tail.0.wait().unwrap().code(), Some(1));
}

#[test]
fn tail_with_json_prints_one_object_for_each_and_a_wrong_key_is_told() {
    let server = Setup::default().start();
    let project = Project::create(&server);
    let mut tail = Tail::start(&project, &["--json", "--event", "good"]);
    let line = std::thread::scope(|scope| {
        let first = scope.spawn(|| tail.line());
        until("a first line", || {
            server.send(&project.batch(batch(&[event(Uuid::now_v7(), "other", "d").to_string(), good()])));
            first.is_finished().then_some(())
        });
        first.join().unwrap()
    });
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["kind"], &line["data"]["event"]),
        (&json!("event"), &json!("good"))
    );
    let url = server.url();
    let output = server
        .command(&["tail", "--url", &url, "--key", &project.write])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && stderr.contains("wrong_key_kind"),
        "{stderr}"
    );
}
