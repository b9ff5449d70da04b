//! REST in, gRPC out, against a real gRPC server: Python's grpcio. `make test-grpc` installs it and runs these.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use trailmark_server::gateway::body::Budget;
use trailmark_server::gateway::problem::{Code, Problem};
use trailmark_server::gateway::transform::grpc::{GrpcConfig, Transcoder};
use trailmark_server::gateway::transform::{Limits, Scope};

const MISSING: &str = "run `make test-grpc`";

/// A Python service that ends with its value.
struct Service {
    process: Child,
    port: u16,
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/gateway")
}

fn python() -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    Command::new(target.join("grpc/venv/bin/python"))
}

impl Service {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc/server.py");
        let mut command = python();
        command.arg(script).arg(examples().join("shop.binpb"));
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect(MISSING);
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        Self {
            process,
            port: port.trim().parse().unwrap(),
        }
    }

    /// Sends a call on a connection of its own.
    async fn send(&self, mut call: Request<Body>) -> Result<Response<Body>, Problem> {
        let authority = format!("127.0.0.1:{}", self.port);
        let socket = TcpStream::connect(&authority).await.unwrap();
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket));
        let (mut connection, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        *call.uri_mut() = format!("http://{authority}{}", call.uri()).parse::<Uri>().unwrap();
        Ok(connection.send_request(call).await.unwrap().map(Body::new))
    }

    async fn call(&self, method: &str, request: Request<Body>, path: &[(&str, &str)]) -> Result<Answer, Problem> {
        let config =
            format!("upstream = 'o'\ndescriptors = 'shop.binpb'\nmethod = 'shop.Orders/{method}'\ntimeout = '20s'");
        self.call_with(&config, request, path).await
    }

    async fn call_with(&self, config: &str, request: Request<Body>, path: &[(&str, &str)]) -> Result<Answer, Problem> {
        let config: GrpcConfig = toml::from_str(config).unwrap();
        let descriptors = std::fs::read(examples().join(&config.descriptors)).unwrap();
        let transcoder = Transcoder::new(&descriptors, &config).unwrap();
        let client_ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let scope = Scope {
            caller: None,
            request_id: "r-1",
            client_ip,
            path,
            route: "orders",
        };
        let budget = Budget::new(16 << 20);
        let limits = Limits {
            budget: &budget,
            max_body: 1 << 20,
            deadline: Duration::from_secs(20),
        };
        let response = transcoder
            .call(request, &scope, &limits, |call| self.send(call))
            .await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap(),
        })
    }

    async fn get(&self, id: &str) -> Result<Answer, Problem> {
        self.call("Get", get("/"), &[("id", id)]).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    json: Value,
}

fn get(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

fn post(body: &Value) -> Request<Body> {
    let request = Request::post("/").header("content-type", "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
#[ignore = "needs Python's grpcio: make test-grpc"]
async fn an_order_is_placed_and_read_back() {
    let service = Service::start();
    let order = json!({"number": "9223372036854775807", "customer": "Jörg", "labels": {"a": "b"},
        "items": [{"sku": "s", "quantity": 2, "price": 0.1}], "placedAt": "2026-11-20T21:13:05.250Z",
        "receipt": "AP8=", "invoice": "i"});
    let placed = service.call("Place", post(&order), &[("id", "o/1")]).await.unwrap();
    let mut stored = order.clone();
    stored["id"] = json!("o/1");
    stored["status"] = json!("STATUS_OPEN");
    assert_eq!((placed.status, &placed.json), (200, &stored));
    assert_eq!(placed.headers["content-type"], "application/json");
    assert_eq!(service.get("o/1").await.unwrap().json, stored);

    let again = service.call("Place", post(&order), &[("id", "o/1")]).await.unwrap();
    assert_eq!((again.status, &again.json["code"]), (409, &json!("already_exists")));
    let empty = service.call("Place", post(&json!({})), &[("id", "o2")]).await.unwrap();
    assert_eq!((empty.status, &empty.json["detail"]), (400, &json!("nothing in it")));
}

#[tokio::test]
#[ignore = "needs Python's grpcio: make test-grpc"]
async fn a_query_arrives_as_the_service_would_have_it() {
    let service = Service::start();
    let query = "/?status=STATUS_SHIPPED&tags=a&tags=b&page.size=7&page.afterNumber=-9007199254740993&gift=false\
        &since=2026-11-20T21:13:05Z";
    let answer = service.call("List", get(query), &[("customer", "ann")]).await.unwrap();
    let asked = json!({"customer": "ann", "status": "STATUS_SHIPPED", "tags": ["a", "b"], "gift": false,
        "page": {"size": 7, "afterNumber": "-9007199254740993"}, "since": "2026-11-20T21:13:05Z"});
    assert_eq!((answer.status, &answer.json), (200, &json!({"asked": asked})));
}

#[tokio::test]
#[ignore = "needs Python's grpcio: make test-grpc"]
async fn every_error_of_the_service_has_its_http_status() {
    let service = Service::start();
    let http = [
        499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
    ];
    for (number, http) in (1..).zip(http) {
        let answer = service.get(&format!("status-{number}")).await.unwrap();
        assert_eq!(
            (answer.status, &answer.json["status"]),
            (http, &json!(http)),
            "{number}"
        );
        assert_eq!(answer.json["detail"], format!("status {number}: ö \n%"));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(
            answer.headers.keys().all(|name| !name.as_str().starts_with("grpc-")),
            "{:?}",
            answer.headers
        );
    }
    let none = service.get("o9").await.unwrap();
    assert_eq!(
        (none.status, &none.json["code"], &none.json["detail"]),
        (404, &json!("not_found"), &json!("no order \"o9\""))
    );
}

#[tokio::test]
#[ignore = "needs Python's grpcio: make test-grpc"]
async fn headers_travel_as_metadata_and_the_deadline_with_them() {
    let service = Service::start();
    let mut request = get("/");
    for (name, value) in [
        ("x-user-id", "u1"),
        ("traceparent", "00-1-2-03"),
        ("grpc-timeout", "1n"),
        ("cookie-bin", "AA=="),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let answer = service.call("Get", request, &[("id", "metadata")]).await.unwrap();
    let metadata = &answer.json["labels"];
    assert_eq!(
        (&metadata["x-user-id"], &metadata["traceparent"]),
        (&json!("u1"), &json!("00-1-2-03"))
    );
    assert_eq!(metadata.get("cookie-bin"), None);
    let left: u64 = answer.json["number"].as_str().unwrap().parse().unwrap();
    assert!((10..=20).contains(&left), "{left}");
    assert_eq!(answer.headers["x-shop"], "open");
    assert!(!answer.headers.contains_key("x-secret-bin"));
}

#[tokio::test]
#[ignore = "needs Python's grpcio: make test-grpc"]
async fn what_a_service_does_wrong_ends_in_time_and_in_bounds() {
    let service = Service::start();
    let config = "upstream = 'o'\ndescriptors = 'shop.binpb'\nmethod = 'shop.Orders/Get'\ntimeout = '200ms'";
    // Either side may notice first; both say 504.
    let slow = service.call_with(config, get("/"), &[("id", "slow")]).await;
    assert_eq!(
        slow.map_or_else(|problem| problem.code().status().as_u16(), |answer| answer.status),
        504
    );
    let large = service.get("large").await.map(|answer| answer.json);
    assert_eq!(large.unwrap_err().code(), Code::BadGateway);
    let config = config.replace("Get", "Watch");
    assert!(
        Transcoder::new(
            &std::fs::read(examples().join("shop.binpb")).unwrap(),
            &toml::from_str(&config).unwrap()
        )
        .is_err()
    );
}

#[test]
#[ignore = "needs Python's grpcio: make test-grpc"]
fn the_descriptor_set_is_that_of_the_proto() {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shop.binpb");
    let mut command = python();
    command.args(["-m", "grpc_tools.protoc", "-I.", "--include_imports", "shop.proto"]);
    command.arg(format!("--descriptor_set_out={}", output.display()));
    assert!(command.current_dir(examples()).status().expect(MISSING).success());
    let made = std::fs::read(output).unwrap();
    assert!(
        made == std::fs::read(examples().join("shop.binpb")).unwrap(),
        "run `make descriptor`"
    );
}
