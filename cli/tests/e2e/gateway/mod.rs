//! What the gateways of the field do, stated and numbered in three lists, each statement as a test against the real binary;
//! and the defects that two of them have.
//!
//! [`smolhog`] (S): one door in front of an event processor. [`article`] (A): a gateway in front of users, orders and
//! notifications. [`scratch`] (B): what a large one adds. [`defects`] (D): what goes wrong in the first two. [`example`]:
//! the shop of `examples/gateway`, with its own file. Where ours answers better, a test's comment says how.
//!
//! Beside the lists: [`framing`], requests that could be read in two ways; [`faults`], what comes and goes under load;
//! [`bad_services`] and [`slow_attacks`], services and clients that misbehave.
//!
//! What no request can show is met elsewhere:
//! - S9, B10, A23 (a container, its ports and who may reach them; Kubernetes) are checked with the files in `deploy/`.
//! - S10, A22 (CORS, limits and logs in one place) are purposes: S3, A3 and A2 show that services see none of it.
//! - A20 (REST to gRPC) has a real gRPC service: `make test-grpc`.
//! - A24 (services call each other directly) is about what a gateway does not do.
//! - A25 (how to make it available, plug-ins) are open questions of that list; declarative routes are B1.
//! - B9's dashboards and alerts are checked with the files in `deploy/`; B12's compliance is no behaviour.

pub(crate) mod recorder;
pub(crate) mod token;
pub(crate) mod socket;
pub(crate) mod load;

mod smolhog;
mod article;
mod scratch;
mod defects;
mod example;
mod framing;
mod faults;
mod bad_services;
mod slow_attacks;

use std::net::TcpListener;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::Value;
use uuid::Uuid;

use crate::support::outside_postgres::OutsidePostgres;
use crate::support::wait::until_true;
use crate::support::{Request, Response, Server, Setup, http, until};

/// A server with this file, on a database of its own in the one Postgres that all of these tests share: to make a Postgres
/// takes seconds, a database a tenth of one.
fn setup(file: &str) -> Setup {
    static POSTGRES: LazyLock<Mutex<OutsidePostgres>> = LazyLock::new(|| Mutex::new(OutsidePostgres::start()));
    let postgres = POSTGRES.lock().unwrap_or_else(PoisonError::into_inner);
    Setup::default().gateway(file).database(&postgres.another_database())
}

/// A new request id, by which a test finds its own request at the service and in the log.
fn fresh_id() -> String {
    Uuid::new_v4().to_string()
}

/// Sends `request` with a request id of its own; gives the answer and that id.
fn send(server: &Server, request: Request) -> (Response, String) {
    let id = fresh_id();
    (server.send(&request.header("x-request-id", &id)), id)
}

/// A URL where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The access log's line of a request.
fn log_line(server: &Server, request_id: &str) -> Value {
    until("the line in the access log", || {
        let log = server.log();
        let mut lines = log
            .lines()
            .filter(|line| line.starts_with('{') && line.contains(request_id));
        lines.next().and_then(|line| serde_json::from_str(line).ok())
    })
}

/// Waits until the database is ready for logins, which is a moment after the server is for requests.
fn until_database(server: &Server) {
    until_true("a database", || server.readiness()["database"] == "ok");
}

/// What the operator is answered.
fn asked(server: &Server, request: &Request) -> Response {
    http::send(server.admin(), request).unwrap()
}

/// The answer is a refusal of this status and code, in the one shape, with the request's id.
fn assert_refused(answer: &Response, status: u16, code: &str, request_id: &str) {
    assert_eq!((answer.status, &*answer.code()), (status, code), "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let body = answer.json();
    assert_eq!(body["request_id"], request_id);
    assert!(body["detail"].is_string() && body["hint"].is_string(), "{body}");
    assert_eq!(answer.header("x-request-id"), Some(request_id));
}
