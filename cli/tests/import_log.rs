//! The import against a real server and a real Postgres: what is stored, and that a second time stores nothing.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;
use trailmark_cli::failure::Exit;
use trailmark_cli::http::{client, get, local_url};
use trailmark_cli::import::summary::Summary;
use trailmark_cli::import::{self, Job};
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::store::KeyKind;
use trailmark_server::{Config, Server};

/// As a real log has it: two equal requests within one second, a line that is cut off, junk bytes, two visitors.
const LOG: &[u8] = b"\
10.0.0.1 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 17 \"-\" \"Mozilla/5.0\"\n\
10.0.0.1 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 17 \"-\" \"Mozilla/5.0\"\n\
10.0.0.1 - - [17/May/2015:10:05:04 +0000] \"GET /b?x=\\x00\\xff HTTP/1.1\" 404 - \"-\" \"Mozilla/5.0\"\n\
10.0.0.2 - - [18/May/2015:23:59:59 -0700] \"\\x16\\x03\\x01\" 400 226 \"-\" \"-\"\n\
8899:46.118.127.106 - - [20/May/2015:12:05:17 +0000] \"GET / HTTP/1.1\" 200 235 \"-\" \"Mozilla/5.0 (cut off\n\
\xff\xfe\n\
10.0.0.2 - - [18/May/9015:23:59:59 -0700] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n";

/// Between two questions to the server, which is asked until a deadline: 20 ms keep below its rate limit.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A folder that another user, as whom Postgres runs under root, may enter.
fn open_dir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    dir
}

async fn start(dir: &Path) -> Server {
    let flags = [
        ("data_dir", dir.join("data").to_str().unwrap().to_owned()),
        ("http.listen", "127.0.0.1:0".to_owned()),
    ];
    let server = Server::start(Config::load(None, [], flags).unwrap()).await.unwrap();
    server.store().migrate().await.unwrap();
    server
}

async fn import(file: &Path, url: &str, key: &str) -> Summary {
    let job = Job {
        file: file.to_owned(),
        url: url.to_owned(),
        key: key.to_owned(),
    };
    import::run(&job, SystemClock.now()).await.unwrap()
}

/// Asks until the server has stored what it has accepted, and then for what is there.
async fn stored(url: &str, secret_key: &str) -> serde_json::Value {
    let (client, started) = (client(Duration::from_secs(30)).unwrap(), Instant::now());
    while get(&client, &format!("{url}/readyz"), None).await.unwrap().1["writer"]["lag_records"] != 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "not stored in time");
        tokio::time::sleep(ASK_EVERY).await;
    }
    get(&client, &format!("{url}/api/analytics/stats"), Some(secret_key))
        .await
        .unwrap()
        .1
}

/// One test, because a process has one metrics recorder and therefore one server.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_stored_once_however_often_it_is_imported() {
    let dir = open_dir();
    let plain = dir.path().join("access.log");
    std::fs::write(&plain, LOG).unwrap();
    let packed = dir.path().join("access.log.gz");
    let mut gzip = GzEncoder::new(std::fs::File::create(&packed).unwrap(), Compression::fast());
    gzip.write_all(LOG).unwrap();
    gzip.finish().unwrap();

    let server = start(dir.path()).await;
    let url = local_url(server.address());
    let project = server.store().create_project("log").await.unwrap().id;
    let write_key = server
        .store()
        .create_key(project, KeyKind::Write, "")
        .await
        .unwrap()
        .text;
    let secret_key = server
        .store()
        .create_key(project, KeyKind::Secret, "")
        .await
        .unwrap()
        .text;

    // A key that opens nothing is noticed at the first event.
    let job = Job {
        file: plain.clone(),
        url: url.clone(),
        key: "tm_pk_unknown".to_owned(),
    };
    let refused = import::run(&job, SystemClock.now()).await.unwrap_err();
    assert_eq!(refused.exit, Exit::Failed);
    assert!(refused.sentence.contains("takes no events"), "{refused}");

    // The server looks for an unknown key at most once a second, and the SDK does not insist: wait until it is known.
    let (http, started) = (client(Duration::from_secs(30)).unwrap(), Instant::now());
    while get(&http, &format!("{url}/api/analytics/stats"), Some(&secret_key))
        .await
        .unwrap()
        .0
        != 200
    {
        assert!(started.elapsed() < Duration::from_secs(30), "the key stays unknown");
        tokio::time::sleep(ASK_EVERY).await;
    }

    let first = import(&plain, &url, &write_key).await;
    assert_eq!(
        (first.lines, first.events, first.accepted, first.malformed),
        (7, 4, 4, 3)
    );
    assert_eq!((first.devices, first.dropped.len(), first.undelivered), (2, 0, 0));
    let lines: Vec<u64> = first.malformed_lines.iter().map(|line| line.line).collect();
    assert_eq!(lines, [5, 6, 7]);
    let after_first = stored(&url, &secret_key).await;
    assert_eq!(
        (&after_first["events"], &after_first["devices"]),
        (&4.into(), &2.into()),
        "{after_first}"
    );
    assert_eq!(after_first["first_event_at"], "2015-05-17T10:05:03.000Z");
    assert_eq!(after_first["last_event_at"], "2015-05-19T06:59:59.000Z");
    let classes = server.store().status_classes(project).await.unwrap();
    assert_eq!(classes, [("2xx".to_owned(), 2), ("4xx".to_owned(), 2)]);

    for again in [&plain, &packed] {
        assert_eq!(import(again, &url, &write_key).await.accepted, 4);
        assert_eq!(stored(&url, &secret_key).await, after_first);
    }
    server.stop().await.unwrap();
}
