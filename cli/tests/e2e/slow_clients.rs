//! Clients that are slow, stop, or leave. One server for all, with short deadlines.

use std::sync::LazyLock;

use crate::support::events::{batch, good};
use crate::support::{Connection, Project, Server, Setup};

/// The deadlines of this server, in milliseconds. Long enough for an honest client of a loaded machine.
const DEADLINE_MS: u64 = 1_000;

fn server() -> &'static Server {
    static IMPATIENT: LazyLock<Server> = LazyLock::new(|| {
        Setup::default()
            .set("http.header_timeout_ms", DEADLINE_MS)
            .set("http.body_timeout_ms", DEADLINE_MS)
            .start()
    });
    &IMPATIENT
}

fn head(project: &Project<'_>, length: usize) -> Vec<u8> {
    let key = &project.write;
    format!("POST /v1/batch HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {key}\r\ncontent-length: {length}\r\n\r\n")
        .into_bytes()
}

#[test]
fn headers_that_do_not_end_are_cut() {
    let mut connection = Connection::open(server().address()).unwrap();
    connection
        .write(b"POST /v1/batch HTTP/1.1\r\nhost: e2e\r\nx-slow: ")
        .unwrap();
    let rest = String::from_utf8_lossy(&connection.read_to_end()).into_owned();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
    server().assert_sound();
}

/// "PRI" could still become HTTP/2.
#[test]
fn a_connection_that_says_nothing_or_too_little_is_cut() {
    for bytes in ["", "P", "PRI", "PRI * HTTP/2.0\r\n"] {
        let mut connection = Connection::open(server().address()).unwrap();
        connection.write(bytes.as_bytes()).unwrap();
        connection.read_to_end();
    }
    server().assert_sound();
}

#[test]
fn a_body_that_does_not_end_is_refused_and_nothing_of_it_is_stored() {
    let project = Project::create(server());
    let body = batch(&[good()]);
    let mut connection = Connection::open(server().address()).unwrap();
    connection
        .write(&[&head(&project, body.len()), &body.as_bytes()[..body.len() - 1]].concat())
        .unwrap();
    let response = connection.read().unwrap();
    assert_eq!((response.status, response.code().as_str()), (408, "body_timeout"));
    server().until_drained();
    assert_eq!(project.rows().count(), 0);
    server().assert_sound();
}

#[test]
fn a_body_announced_too_large_is_refused_before_it_is_sent() {
    let project = Project::create(server());
    let mut connection = Connection::open(server().address()).unwrap();
    connection.write(&head(&project, 1 << 40)).unwrap();
    let response = connection.read().unwrap();
    assert_eq!((response.status, response.code().as_str()), (413, "body_too_large"));
}

#[test]
fn clients_that_leave_in_the_middle_cost_nothing() {
    let project = Project::create(server());
    let body = batch(&[good()]);
    let whole = [head(&project, body.len()).as_slice(), body.as_bytes()].concat();
    for length in (1..whole.len() - 1).step_by(11) {
        let mut connection = Connection::open(server().address()).unwrap();
        connection.write(&whole[..length]).unwrap();
    }
    server().until_drained();
    assert_eq!(project.rows().count(), 0);
    assert_eq!(server().send(&project.batch(body)).status, 202);
    server().until_drained();
    assert_eq!(project.rows().count(), 1);
    server().assert_sound();
}

#[test]
fn two_hundred_stalled_connections_keep_nobody_else_waiting() {
    let project = Project::create(server());
    let stalled = (0..200).map(|_| {
        let mut connection = Connection::open(server().address()).unwrap();
        connection.write(&head(&project, 1000)).unwrap();
        connection
    });
    let stalled = stalled.collect::<Vec<_>>();
    assert_eq!(server().send(&project.batch(batch(&[good()]))).status, 202);
    drop(stalled);
    server().assert_sound();
}
