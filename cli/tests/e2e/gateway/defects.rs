//! D1 to D8: what goes wrong in two gateways of the field, and not here. The statements are those of the gateways of
//! [`smolhog`](super::smolhog) and [`article`](super::article), and so are the files.

use super::article::{Article, article};
use super::smolhog::{Smolhog, smolhog};
use super::token;
use super::{assert_refused, log_line, send};
use crate::support::{Connection, Request};

/// There, the gateway has read the body before it is passed on, and the service waits for it for ever.
#[test]
fn d1_a_post_with_json_arrives_whole() {
    let Smolhog { server, processor } = smolhog();
    for length in [2, 1_000, 300_000] {
        let body = format!("{{\"name\":\"{}\"}}", "x".repeat(length));
        let request = Request::post("/api/events", body.as_str()).header("content-type", "application/json");
        let (answer, id) = send(server, request);
        assert_eq!(answer.status, 200);
        let received = processor.only(&id);
        assert_eq!(
            (received.body.as_slice(), received.header("content-length")),
            (body.as_bytes(), Some(&*body.len().to_string()))
        );
    }
}

/// There, `/api/events?x=1` becomes `/eventsapi/events?x=1`, and `/api/eventsfoo` is taken too.
#[test]
fn d2_a_prefix_ends_at_a_segment_and_is_replaced_once() {
    let Smolhog { server, processor } = smolhog();
    for (target, expected) in [
        ("/api/events?x=1", "/events?x=1"),
        ("/api/events/foo", "/events/foo"),
        ("/api/events/api/events", "/events/api/events"),
        ("/api/events/?", "/events/?"),
    ] {
        let (_, id) = send(server, Request::get(target));
        assert_eq!(processor.only(&id).target(), expected);
    }
    for target in ["/api/eventsfoo", "/api/events-foo/1", "/api/event"] {
        let (answer, id) = send(server, Request::get(target));
        assert_eq!((answer.status, processor.of(&id).len()), (404, 0), "{target}");
    }
}

/// There, `Authorization` and bodies are logged as they are, and a 400 shows a stack trace.
#[test]
fn d3_neither_the_log_nor_a_refusal_shows_what_is_secret() {
    let Article { server, .. } = article();
    let token = token::of("u_d3", "admin");
    let secrets = [&*token, "key-of-d3", "sid-of-d3", "password-of-d3", "query-of-d3"];
    let request = Request::post(
        format!("/api/users/1?token={}", secrets[4]),
        "{\"password\":\"password-of-d3\"}",
    )
    .bearer(&token)
    .header("x-api-key", secrets[1])
    .header("cookie", format!("__Host-sid={}", secrets[2]));
    let (_, id) = send(server, request);
    let line = log_line(server, &id);
    assert!(
        line["headers"]["authorization"].is_string(),
        "the headers are in the log: {line}"
    );
    let body = "{\"email\":\"x@y.example\",\"password\":\"password-of-d3\"";
    let (answer, id) = send(
        server,
        Request::post("/api/auth/login", body).header("content-type", "application/json"),
    );
    assert_refused(&answer, 400, "invalid_body", &id);
    log_line(server, &id);
    let shown = server.log() + &answer.text();
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
    for trace in [".rs:", "src/", "stack", "    at "] {
        assert!(!answer.text().contains(trace), "{}", answer.text());
    }
}

/// There, `X-User-Id: 999` arrives, on public routes and even on those that strip it.
#[test]
fn d4_nobody_can_say_who_they_are_in_any_spelling() {
    let Article {
        server, users, orders, ..
    } = article();
    let claims = [
        ("X-User-Id", "spoof-999"),
        ("x_user_id", "spoof-999"),
        ("X-User_Id", "spoof-999"),
        ("X-USER-ROLE", "spoof-root"),
        ("x_user_role", "spoof-root"),
        ("X-User-Email", "spoof-mail"),
        ("X-Auth-Scopes", "spoof-scope"),
        ("X-Api-Key-Id", "spoof-key"),
        ("X-Consumer-Username", "spoof-consumer"),
        ("X-Gateway-Signature", "spoof-signature"),
        ("X-Gateway-Timestamp", "spoof-time"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Host", "spoof.example"),
        ("X-Forwarded-Proto", "spoof"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
    ];
    let all = |request: Request| {
        claims
            .iter()
            .fold(request, |request, (name, value)| request.header(name, *value))
    };
    let public = all(Request::post("/api/auth/register", "{}"));
    let private = all(Request::get("/api/orders").bearer(&token::of("u_1", "customer")));
    for (request, service) in [(public, users), (private, orders)] {
        let (answer, id) = send(server, request);
        assert_eq!(answer.status, 200);
        let head = service.only(&id).head().to_lowercase();
        assert!(!head.contains("spoof") && !head.contains("6.6.6.6"), "{head}");
    }
}

/// A proxy that takes away what `Connection` names, after it has written who calls, can be told to forget it.
#[test]
fn d4_connection_cannot_take_away_who_calls() {
    let Article { server, orders, .. } = article();
    for names in [
        "close, X-User-Id",
        "x-user-id, x-user-role, x-request-id, x-forwarded-for",
        "keep-alive,X-USER-ID",
    ] {
        let request = Request::get("/api/orders")
            .bearer(&token::of("u_1", "admin"))
            .header("connection", names);
        let (_, id) = send(server, request.header("x-user-id", "spoof-999"));
        let received = orders.only(&id);
        assert_eq!(
            (received.header("x-user-id"), received.header("x-user-role")),
            (Some("u_1"), Some("admin")),
            "{names}"
        );
        assert_eq!(received.header("x-forwarded-for"), Some("127.0.0.1"));
    }
}

/// A service that reads trailers as headers would believe them.
#[test]
fn d4_nobody_can_say_who_they_are_after_the_body() {
    let Article { server, users, .. } = article();
    let mut connection = Connection::open(server.address()).unwrap();
    let request = "POST /api/auth/register HTTP/1.1\r\nhost: e2e\r\nx-request-id: trailing\r\ntransfer-encoding: chunked\r\n\
                   trailer: x-user-id\r\n\r\n2\r\n{}\r\n0\r\nx-user-id: spoof-999\r\n\r\n";
    connection.write(request.as_bytes()).unwrap();
    assert_eq!(connection.read().unwrap().status, 200);
    let received = users.only("trailing");
    assert_eq!((received.body.as_slice(), &*received.trailers), (&b"{}"[..], ""));
}

/// There, whatever begins like a public path is public, and `..` is walked by the service, after the gateway has decided.
#[test]
fn d5_no_spelling_of_a_path_gets_around_a_login() {
    let Article {
        server, users, orders, ..
    } = article();
    for target in [
        "/api/auth/login/../../users/1",
        "/api/auth/register/../../users/1",
        "/api/auth/register/..%2f..%2fusers/1",
        "/api/auth/register/%2e%2e/%2e%2e/users/1",
        "/api/auth/register/%2E%2e/.%2e/users/1",
        "/api/auth/register/..;/../users/1",
        "/api/auth/register/..\\..\\users\\1",
        "/api/auth/register/..%5c..%5cusers%5c1",
        "/api/auth/loginX",
        "/api/auth/registerX",
        "/api/auth/register/",
        "/api/auth/register%00",
        "/api/auth/register%2f",
        "/api/auth/register;x=1",
        "//api/users/1",
        "/api//users/1",
        "/api/./users/1",
        "/api/%75sers/1",
        "/API/auth/register/../../../api/users/1",
        "/health/../api/orders",
        "/api/catalog/../orders",
        "/api/catalog/..",
        "/api/catalog/%2e%2e%2forders",
        "/api/catalog/tea%2f..%2f..%2forders",
        "http://e2e/api/users/1",
        "http://e2e/api/auth/register/../../users/1",
        "/../api/users/1",
        "/api/users/1%",
        "/api/users/1%zz",
    ] {
        let (answer, id) = send(server, Request::get(target));
        assert!((400..=404).contains(&answer.status), "{target}: {}", answer.status);
        assert!(
            users.of(&id).is_empty() && orders.of(&id).is_empty(),
            "{target} has arrived"
        );
    }
}

/// What the gateway judged is what it sends on, so that the service cannot read it in another way.
#[test]
fn d5_the_service_gets_the_path_that_was_judged() {
    let Article { server, users, .. } = article();
    let request = Request::get("/api/auth/../users//a/./b/%7e/../%41?x=/../y").bearer(&token::of("u_1", "admin"));
    let (_, id) = send(server, request);
    assert_eq!(users.only(&id).target(), "/users/a/b/A?x=/../y");
}

/// There, `/api/users/1` arrives as `/1`, and a service that is away is a 504 in plain text.
#[test]
fn d6_paths_headers_and_errors_are_those_of_the_first_test() {
    let Article { server, users, .. } = article();
    let by_ann = |target: &str| Request::get(target).bearer(&token::of("u_1", "admin"));
    let (_, id) = send(server, by_ann("/api/users/1"));
    let received = users.only(&id);
    assert_eq!(
        (received.target(), received.header("x-forwarded-for")),
        ("/users/1", Some("127.0.0.1"))
    );
    let (answer, id) = send(server, by_ann("/api/down"));
    assert_refused(&answer, 502, "bad_gateway", &id);
}

/// There, five seconds end in a closed connection. See A10 for the 504, A7 for the algorithm and the secret, A8 for the token
/// that stays at the gateway.
#[test]
fn d7_every_refusal_is_an_answer_and_carries_the_requests_id() {
    let Article { server, .. } = article();
    let statuses = [
        ("/api/slow", 504, "gateway_timeout"),
        ("/api/orders", 401, "missing_credentials"),
        ("/nothing", 404, "not_found"),
        ("/a%2fb", 400, "malformed_request"),
    ];
    for (target, status, code) in statuses {
        let (answer, id) = send(server, Request::get(target));
        assert_refused(&answer, status, code, &id);
    }
    let (answer, id) = send(server, Request::get("/api/auth/login"));
    assert_refused(&answer, 405, "method_not_allowed", &id);
    assert_eq!(answer.header("allow"), Some("POST"));
}

/// A secret that everybody knows, or none, does not even start.
#[test]
fn d7_a_weak_secret_is_refused_with_its_place() {
    let file = include_str!("article/gateway.toml");
    let weak = [("JWT_SECRET", "your-secret-key")];
    let without_login = file.replace("token = {", "# token = {");
    for (file, environment, problem) in [
        (file, &weak[..], "auth.login: token.secret: it is well known"),
        (&without_login, &weak[..], "auth.jwt.main: secret"),
        (file, &[], "the environment has no JWT_SECRET"),
    ] {
        let checked = check(file, environment);
        assert!(checked.contains(problem), "{checked}");
    }
}

/// What `trailmark gateway check` says of a file that it refuses.
fn check(file: &str, environment: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("gateway.toml");
    std::fs::write(&path, file).unwrap();
    let urls =
        ["USER", "ORDER", "NOTIFICATION"].map(|service| (format!("{service}_SERVICE_URL"), "http://127.0.0.1:1"));
    let others = [("SLOW_URL", "http://127.0.0.1:1"), ("NOBODY_URL", "http://127.0.0.1:1")];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_trailmark"))
        .args(["gateway", "check"])
        .arg(&path)
        .env_remove("JWT_SECRET")
        .envs(urls)
        .envs(others)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// There, each request opens a connection of its own to the service.
#[test]
fn d8_connections_to_services_are_used_again() {
    let Article { server, orders, .. } = article();
    let mut used = (0..20)
        .map(|_| {
            let (_, id) = send(server, Request::get("/api/orders").bearer(&token::of("u_1", "admin")));
            orders.only(&id).connection
        })
        .collect::<Vec<_>>();
    used.sort_unstable();
    used.dedup();
    // Other tests ask the same service at the same time, and take some of the connections that are free.
    assert!(used.len() < 10, "{} connections for 20 requests", used.len());
}
