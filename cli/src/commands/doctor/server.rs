//! The port: free, or a healthy Trailmark on it; and the journal behind it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use trailmark_server::Config;

use super::check::Check;
use crate::http;
use crate::output::bytes;

/// How long a healthy server may take to say how it is: it asks nobody for that.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A batch that has waited longer than this for Postgres is worth a look: 1 min.
const OLD_MS: u64 = 60_000;

pub(super) async fn checks(config: &Config) -> Vec<Check> {
    let address = config.http.listen;
    match TcpListener::bind(address) {
        Ok(_) => vec![
            Check::ok("port", format!("{address} is free; no server runs there")),
            journal_at_rest(&config.data_dir.join("journal")),
        ],
        Err(taken) => running(address, &taken).await,
    }
}

async fn running(address: SocketAddr, taken: &std::io::Error) -> Vec<Check> {
    let url = format!("{}/readyz", http::local_url(address));
    let answer = match http::client(ANSWER_WITHIN) {
        Ok(client) => http::get(&client, &url, None).await.ok(),
        Err(_) => None,
    };
    match answer {
        Some((status, body)) if body["journal"].is_object() => vec![health(address, status, &body), journal(&body)],
        _ => vec![Check::fail(
            "port",
            format!("{address} cannot be used ({taken}), and no Trailmark answers there"),
        )],
    }
}

fn health(address: SocketAddr, status: StatusCode, body: &Value) -> Check {
    let database = body["database"].as_str().unwrap_or("unknown");
    match (status, database) {
        (StatusCode::OK, "ok") => Check::ok("server", format!("runs on {address} and is ready")),
        (StatusCode::OK, _) => Check::warn(
            "server",
            format!("runs on {address} and accepts events; its database: {database}"),
        ),
        _ => Check::fail(
            "server",
            format!("runs on {address} but is not ready: {}", body["journal"]),
        ),
    }
}

fn journal(body: &Value) -> Check {
    let journal = &body["journal"];
    let backlog = journal["backlog_bytes"].as_u64().unwrap_or(0);
    let records = journal["backlog_records"].as_u64().unwrap_or(0);
    let oldest = journal["oldest_pending_ms"].as_u64().unwrap_or(0);
    let detail = format!(
        "{records} batches ({}) wait for Postgres, the oldest for {:.1} s",
        bytes(backlog),
        oldest as f64 / 1e3
    );
    if oldest > OLD_MS {
        Check::warn("journal", detail)
    } else {
        Check::ok("journal", detail)
    }
}

/// Without a server the journal stays closed: it belongs to one process. Its size on disk is an upper bound.
fn journal_at_rest(dir: &Path) -> Check {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let size: u64 = files
        .filter_map(|file| file.metadata().ok())
        .map(|metadata| metadata.len())
        .sum();
    match size {
        0 => Check::ok("journal", "empty"),
        size => Check::ok(
            "journal",
            format!(
                "at rest, {} of files; what is not in Postgres yet is written at the next start",
                bytes(size)
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::Verdict;
    use super::*;

    fn readyz(database: &str, oldest: u64) -> Value {
        json!({"database": database, "journal": {"backlog_bytes": 10, "backlog_records": 1, "oldest_pending_ms": oldest}})
    }

    #[test]
    fn a_running_server_is_judged_by_what_it_says() {
        let address = "127.0.0.1:7700".parse().unwrap();
        assert_eq!(health(address, StatusCode::OK, &readyz("ok", 0)).result, Verdict::Ok);
        assert_eq!(
            health(address, StatusCode::OK, &readyz("failing", 0)).result,
            Verdict::Warn
        );
        assert_eq!(
            health(address, StatusCode::SERVICE_UNAVAILABLE, &readyz("ok", 0)).result,
            Verdict::Fail
        );
        assert_eq!(journal(&readyz("ok", 20)).result, Verdict::Ok);
        assert_eq!(journal(&readyz("failing", 600_000)).result, Verdict::Warn);
    }

    #[tokio::test]
    async fn a_stranger_on_the_port_is_a_failure() {
        let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = stranger.local_addr().unwrap();
        let server = std::thread::spawn(move || drop(stranger.accept()));
        let taken = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        assert_eq!(running(address, &taken).await[0].result, Verdict::Fail);
        server.join().unwrap();
    }
}
