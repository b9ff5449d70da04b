//! Every way a good body may travel ends in the same row.

use serde_json::json;

use crate::support::events::{batch, brotli_stored, deflate, good, gzip, zlib, zstd};
use crate::support::{Connection, Project, Request, Server};

#[test]
fn every_coding_is_read_and_gzip_is_recognised_without_being_named() {
    let project = Project::create(Server::shared());
    type Encode = fn(&[u8]) -> Vec<u8>;
    let codings: [(Option<&str>, Encode); 11] = [
        (None, <[u8]>::to_vec),
        (Some("identity"), <[u8]>::to_vec),
        (Some("gzip"), gzip),
        (Some("GZIP"), gzip),
        (Some("x-gzip"), gzip),
        (None, gzip),
        (Some("deflate"), zlib),
        (Some("deflate"), deflate),
        (Some("zstd"), zstd),
        (Some("br"), brotli_stored),
        (Some("gzip"), |bytes| [gzip(&bytes[..10]), gzip(&bytes[10..])].concat()),
    ];
    for (coding, encode) in &codings {
        let request = project.batch(encode(batch(&[good(), good()]).as_bytes()));
        let request = coding
            .iter()
            .fold(request, |request, coding| request.header("content-encoding", *coding));
        let response = project.server.send(&request);
        assert_eq!(
            (response.status, response.code().as_str()),
            (202, ""),
            "{coding:?}: {}",
            response.text()
        );
    }
    project.server.until_drained();
    assert_eq!(project.rows().count(), 2 * codings.len());
}

/// A full batch is larger than what is decompressed on the network threads.
#[test]
fn a_thousand_events_in_a_batch_are_stored_whether_packed_or_not() {
    let project = Project::create(Server::shared());
    let events = || batch(&(0..1_000).map(|_| good()).collect::<Vec<_>>());
    let plain = project.server.send(&project.batch(events()));
    let packed = project.server.send(
        &project
            .batch(gzip(events().as_bytes()))
            .header("content-encoding", "gzip"),
    );
    for response in [plain, packed] {
        assert_eq!(response.json()["accepted"], 1_000, "{}", response.text());
    }
    project.server.until_drained();
    assert_eq!(project.rows().count(), 2_000);
}

#[test]
fn api_events_takes_a_batch_an_array_one_event_and_the_short_form() {
    let project = Project::create(Server::shared());
    let short = json!({"anonymous_id": "device-1", "name": "short", "properties": {"n": 1}});
    let bodies = [
        batch(&[good()]),
        format!("[{},{}]", good(), good()),
        good(),
        short.to_string(),
        "[]".to_owned(),
    ];
    let accepted = bodies.map(|body| {
        let response = project
            .server
            .send(&Request::post("/api/events", body).bearer(&project.write));
        assert_eq!(response.status, 202, "{}", response.text());
        response.json()["accepted"].as_u64().unwrap()
    });
    assert_eq!(accepted, [1, 2, 1, 1, 0]);
    project.server.until_drained();
    assert_eq!(project.rows().count(), 5);
}

#[test]
fn a_body_may_come_in_chunks_and_a_broken_chunk_stores_nothing() {
    let project = Project::create(Server::shared());
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\n",
        project.write
    );
    let body = batch(&[good()]);
    let chunks = body
        .as_bytes()
        .chunks(7)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
    let chunks = chunks.collect::<String>();
    let answer = |rest: &str| {
        let mut connection = Connection::open(project.server.address()).unwrap();
        connection.write(format!("{head}{chunks}{rest}").as_bytes()).unwrap();
        connection.read()
    };
    let broken = answer("no length\r\n").unwrap();
    assert_eq!(
        (broken.status, broken.code().as_str()),
        (400, "invalid_body"),
        "{}",
        broken.text()
    );
    assert_eq!(project.rows().count(), 0);
    assert_eq!(answer("0\r\n\r\n").unwrap().status, 202);
    project.server.until_drained();
    assert_eq!(project.rows().count(), 1);
    project.server.assert_sound();
}
