//! A1 to A26: a gateway in front of users, orders and notifications. Who calls is in [`callers`].

mod callers;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::Instant;

use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, SystemClock};

use super::recorder::{Received, Recorder, Reply};
use super::token;
use super::{asked, assert_refused, log_line, nobody, send, until_database};
use crate::support::{Connection, PATIENCE, Request, Response, Server};

/// The gateway, and what stands behind it.
pub(super) struct Article {
    pub(super) server: Server,
    pub(super) users: Recorder,
    pub(super) orders: Recorder,
    notifications: Recorder,
    _slow: Recorder,
}

pub(super) fn article() -> &'static Article {
    static ARTICLE: LazyLock<Article> = LazyLock::new(|| {
        let users = Recorder::start(users);
        let orders = Recorder::start(orders);
        let notifications = Recorder::named("notifications");
        let slow = Recorder::start(|_| Reply::Silence);
        let setup = super::setup(include_str!("gateway.toml"));
        let setup = [
            ("USER_SERVICE_URL", users.url()),
            ("ORDER_SERVICE_URL", orders.url()),
            ("NOTIFICATION_SERVICE_URL", notifications.url()),
            ("SLOW_URL", slow.url()),
            ("NOBODY_URL", nobody()),
            ("JWT_SECRET", token::SECRET.to_owned()),
        ]
        .iter()
        .fold(setup, |setup, (name, value)| setup.env(name, value));
        let server = setup.start();
        until_database(&server);
        Article {
            server,
            users,
            orders,
            notifications,
            _slow: slow,
        }
    });
    &ARTICLE
}

fn users(received: &Received) -> Reply {
    if received.target() != "/users/validate" {
        return Reply::ok(&json!({ "service": "users", "target": received.target() }));
    }
    match received.json() == json!({ "email": "ann@shop.example", "password": "green tea, no sugar" }) {
        true => Reply::ok(&json!({ "id": "u_1", "email": "ann@shop.example", "role": "admin" })),
        false => Reply::json(401, &json!({ "error": "no" })),
    }
}

fn orders(received: &Received) -> Reply {
    let answer = Reply::ok(&json!({ "service": "orders", "target": received.target() }));
    match received.target().split('?').next() {
        Some("/catalog/tea") => answer.with("cache-control", "public, max-age=60"),
        _ => answer,
    }
}

/// A request with Ann's token.
fn by_ann(request: Request) -> Request {
    request.bearer(&token::of("u_1", "admin"))
}

fn log_in(server: &Server, password: &str) -> (Response, String) {
    let body = json!({ "email": "ann@shop.example", "password": password }).to_string();
    send(
        server,
        Request::post("/api/auth/login", body).header("content-type", "application/json"),
    )
}

#[test]
fn a1_a_request_keeps_the_clients_id_everywhere() {
    let Article { server, orders, .. } = article();
    let (answer, id) = send(server, by_ann(Request::get("/api/orders")));
    assert_eq!((answer.status, answer.header("x-request-id")), (200, Some(&*id)));
    assert_eq!(orders.only(&id).header("x-request-id"), Some(&*id));
}

/// A UUID of version 7, which sorts by time.
#[test]
fn a1_without_one_and_with_one_that_is_no_id_it_gets_a_new_one() {
    let Article { server, orders, .. } = article();
    let plain = by_ann(Request::get("/api/orders"));
    for request in [plain.clone(), plain.header("x-request-id", "a\" b{}")] {
        let answer = server.send(&request);
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);
        assert_eq!(orders.of(id).len(), 1);
    }
}

#[test]
fn a2_the_log_has_method_path_status_duration_and_id_of_each_request() {
    let server = &article().server;
    let (_, id) = send(server, by_ann(Request::get("/api/orders/7")));
    let line = log_line(server, &id);
    let told = ["method", "path", "status", "user", "request_id"].map(|key| line[key].clone());
    assert_eq!(
        told,
        [
            json!("GET"),
            json!("/api/orders/7"),
            json!(200),
            json!("u_1"),
            json!(id)
        ]
    );
    assert!(line["duration_ms"].is_number(), "{line}");
}

/// The fields of the draft's tenth version; the sixth's, which the article sends, are there because the file asks for them.
#[test]
fn a3_an_address_has_100_requests_in_15_minutes_before_anybody_is_authenticated() {
    let Article {
        server, notifications, ..
    } = article();
    let mut connection = from([127, 0, 3, 1], server);
    for count in 1..=100_u32 {
        let (path, status) = if count % 2 == 0 {
            ("/health", 200)
        } else {
            ("/api/notifications", 401)
        };
        let answer = connection.send(&Request::get(path)).unwrap();
        let (left, remaining) = (100 - count, answer.header("ratelimit-remaining").map(str::to_owned));
        assert_eq!((answer.status, remaining), (status, Some(left.to_string())));
        assert_eq!(answer.header("ratelimit-policy"), Some("\"ip\";q=100;w=900"));
        assert!(
            answer
                .header("ratelimit")
                .unwrap()
                .starts_with(&format!("\"ip\";r={left};t="))
        );
        assert_eq!(answer.header("ratelimit-limit"), Some("100"));
    }
    // Neither a good token nor another address in a header helps.
    let before = notifications.received().len();
    let dodging = by_ann(Request::get("/api/notifications")).header("x-forwarded-for", "9.9.9.9");
    let dodging = dodging
        .header("x-request-id", "dodging")
        .header("forwarded", "for=9.9.9.9");
    let answer = connection.send(&dodging).unwrap();
    assert_refused(&answer, 429, "rate_limited", "dodging");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(notifications.received().len(), before);
    let other = from([127, 0, 3, 2], server).send(&Request::get("/health")).unwrap();
    assert_eq!(other.status, 200);
}

fn from(address: [u8; 4], server: &Server) -> Connection {
    Connection::open_from(IpAddr::V4(Ipv4Addr::from(address)), server.address()).unwrap()
}

/// Three of them: the process (`/livez`), whether it takes traffic (`/readyz`), and any path that a route gives one of them.
#[test]
fn a4_health_is_told_to_everybody() {
    let server = &article().server;
    for path in ["/health", "/livez", "/readyz"] {
        assert_eq!(server.send(&Request::get(path)).status, 200, "{path}");
    }
    assert_eq!(server.readiness()["ready"], true);
    let answer = server.send(&Request::get("/health"));
    assert_eq!(
        answer.header("x-told-by"),
        Some("gateway"),
        "rules hold for services of this process too"
    );
}

#[test]
fn a5_login_register_and_health_are_public_and_nothing_else() {
    let Article { server, users, .. } = article();
    let (answer, id) = send(server, Request::post("/api/auth/register", "{}"));
    assert_eq!((answer.status, users.only(&id).target()), (200, "/users/register"));
    assert_eq!(log_in(server, "a guess").0.code(), "invalid_credentials");
    for path in [
        "/api/users/1",
        "/api/orders",
        "/api/auth/registered",
        "/api/auth/register/1",
        "/api/auth",
    ] {
        let (answer, id) = send(server, Request::get(path));
        assert_refused(&answer, 401, "missing_credentials", &id);
    }
}

#[test]
fn a9_prefixes_lead_to_their_services_and_the_rest_of_path_and_query_stays() {
    let article = article();
    for (target, service, expected) in [
        ("/api/users/1?full=1", &article.users, "/users/1?full=1"),
        ("/api/users", &article.users, "/users"),
        ("/api/orders/7/items", &article.orders, "/orders/7/items"),
        ("/api/notifications/?a=b", &article.notifications, "/notifications/?a=b"),
    ] {
        let (answer, id) = send(&article.server, by_ann(Request::get(target)));
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(service.only(&id).target(), expected);
    }
}

/// 504, where the article closes the client's connection without a word.
#[test]
fn a10_a_service_that_does_not_answer_in_time_is_a_504_and_the_connection_stays() {
    let mut connection = Connection::open(article().server.address()).unwrap();
    let began = Instant::now();
    let answer = connection
        .send(&Request::get("/api/slow").header("x-request-id", "slow"))
        .unwrap();
    assert_refused(&answer, 504, "gateway_timeout", "slow");
    assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    assert_eq!(connection.send(&Request::get("/health")).unwrap().status, 200);
}

/// 502, which says which side has failed; 503 is for a service that is known to be away.
#[test]
fn a11_a_service_that_is_away_is_a_problem_that_names_it_and_the_request() {
    let (answer, id) = send(&article().server, by_ann(Request::get("/api/down")));
    assert_refused(&answer, 502, "bad_gateway", &id);
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("nobody: "));
}

#[test]
fn a12_an_unknown_path_is_a_401_for_strangers_and_a_404_for_callers() {
    let server = &article().server;
    let (answer, id) = send(server, Request::get("/api/nothing"));
    assert_refused(&answer, 401, "missing_credentials", &id);
    let (answer, id) = send(server, by_ann(Request::get("/api/nothing")));
    assert_refused(&answer, 404, "not_found", &id);
    assert!(answer.json()["detail"].as_str().unwrap().contains("/api/nothing"));
}

#[test]
fn a13_the_service_is_told_where_a_request_comes_from_and_when_it_was_sent_on() {
    let Article { server, orders, .. } = article();
    let (_, id) = send(server, by_ann(Request::get("/api/orders")));
    let received = orders.only(&id);
    assert_eq!(received.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(received.header("x-forwarded-proto"), Some("http"));
    assert_eq!(received.header("x-forwarded-host"), Some("e2e"));
    let at = received.header("x-gateway-timestamp").unwrap();
    let at = Timestamp::parse(at).unwrap().millis();
    let late = SystemClock.now().millis() - at;
    assert!((0..90_000).contains(&late), "{late} ms");
}

#[test]
fn a18_instances_take_turns() {
    let server = &article().server;
    let served: Vec<Value> = (0..6)
        .map(|_| server.send(&Request::get("/api/balanced")).json()["service"].clone())
        .collect();
    let of = |name: &str| served.iter().filter(|service| **service == name).count();
    assert_eq!((of("orders"), of("notifications")), (3, 3), "{served:?}");
}

/// Only what the service allows, or D's users would get each other's answers.
#[test]
fn a19_an_answer_that_may_be_kept_is_asked_for_once() {
    let Article { server, orders, .. } = article();
    let get = |path: &str| send(server, Request::get(path));
    let (first, fetched) = get("/api/catalog/tea?page=1");
    let (second, cached) = get("/api/catalog/tea?page=1");
    assert_eq!((first.status, second.status, first.text()), (200, 200, second.text()));
    assert_eq!((orders.of(&fetched).len(), orders.of(&cached).len()), (1, 0));
    assert!(
        second.header("cache-status").unwrap().contains("hit"),
        "{:?}",
        second.headers()
    );
    assert!(second.header("age").is_some());
    assert_eq!(second.header("x-request-id"), Some(&*cached), "not that of the first");
    for path in ["/api/catalog/tea?page=2", "/api/catalog/coffee", "/api/catalog/coffee"] {
        let (_, id) = get(path);
        assert_eq!(orders.of(&id).len(), 1, "{path}");
    }
}

/// Told to the operator, at any time.
#[test]
fn a26_every_route_is_told_with_its_target() {
    let state = asked(&article().server, &Request::get("/gateway")).json();
    let told = |id: &str| {
        let routes = state["routes"].as_array().unwrap();
        let route = routes.iter().find(|route| route["id"] == id).unwrap();
        (route["path"].clone(), route["target"].clone())
    };
    assert_eq!(told("users"), (json!("/api/users"), json!("upstream users")));
    assert_eq!(told("login"), (json!("/api/auth/login"), json!("service auth")));
}
