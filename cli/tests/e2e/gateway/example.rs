//! The shop of `examples/gateway`, with its own file and its own services: what its README says.

use std::net::SocketAddr;
use std::sync::{LazyLock, mpsc};
use std::thread;

use serde_json::{Value, json};
use trailmark_examples::shop::Service;
use trailmark_examples::shop::users::KNOWN;

use super::{assert_refused, send, token, until_database};
use crate::support::{Project, Request, Response, Server, http};

/// The gateway, and where its services listen.
struct Shop {
    server: Server,
    users: SocketAddr,
}

fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(|| {
        let users = serve(Service::Users, "users-1");
        let mut file = include_str!("../../../../examples/gateway/gateway.toml").to_owned();
        for (written, address) in [
            ("127.0.0.1:4001", users),
            ("127.0.0.1:4002", serve(Service::Orders, "orders-1")),
            ("127.0.0.1:4012", serve(Service::Orders, "orders-2")),
            ("127.0.0.1:4003", serve(Service::Notifications, "notifications-1")),
        ] {
            assert!(file.contains(written), "{written} is in the file no more");
            file = file.replace(written, &address.to_string());
        }
        let server = super::setup(&file).env("JWT_SECRET", token::SECRET).start();
        until_database(&server);
        Shop { server, users }
    });
    &SHOP
}

/// Serves until the tests end.
fn serve(service: Service, name: &'static str) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, service.router(name)).await
        })
    });
    told.recv().unwrap()
}

/// The token of one of those whom the shop knows.
fn token_of((email, password, _): (&str, &str, &str)) -> String {
    let body = json!({ "email": email, "password": password }).to_string();
    let request = Request::post("/api/auth/login", body).header("content-type", "application/json");
    let (answer, _) = send(&shop().server, request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn get(path: &str, token: &str) -> Response {
    send(&shop().server, Request::get(path).bearer(token)).0
}

#[test]
fn a_login_opens_what_is_ones_own() {
    let [ann, bob] = KNOWN.map(token_of);
    let me = get("/api/users/me", &bob).json();
    assert_eq!(
        (&me["you"]["id"], &me["you"]["role"], &me["you"]["address"]),
        (&json!("u_2"), &json!("customer"), &json!("127.0.0.1"))
    );
    assert_eq!(get("/api/orders/o_1", &bob).json()["user"], "u_2");
    assert_eq!(get("/api/users/u_1", &bob).status, 403, "the service's own rule");
    assert_eq!(get("/api/users/u_2", &ann).status, 200);
}

/// A8: a service verifies nothing, and so it must not be reached but through the gateway.
#[test]
fn a_service_answers_nobody_whom_the_gateway_does_not_name() {
    let Shop { server, users } = shop();
    let answer = http::send(*users, &Request::get("/users/me")).unwrap();
    assert_eq!(
        (answer.status, answer.json()),
        (401, json!({ "error": "Missing user context" }))
    );
    let (answer, id) = send(server, Request::get("/api/users/me").header("x-user-id", "u_1"));
    assert_refused(&answer, 401, "missing_credentials", &id);
}

#[test]
fn whoever_registers_may_log_in() {
    let body = json!({ "email": "carl@shop.example", "password": "water, still please" }).to_string();
    let request = Request::post("/api/auth/register", body).header("content-type", "application/json");
    assert_eq!(send(&shop().server, request).0.status, 201);
    let token = token_of(("carl@shop.example", "water, still please", ""));
    assert_eq!(get("/api/users/me", &token).json()["you"]["role"], "customer");
}

#[test]
fn all_may_read_notifications_and_admins_may_send_them() {
    let [ann, bob] = KNOWN.map(token_of);
    let tell = |token: &str| {
        let request = Request::post("/api/notifications", json!({ "text": "tea is here" }).to_string());
        send(
            &shop().server,
            request.header("content-type", "application/json").bearer(token),
        )
    };
    let (answer, id) = tell(&bob);
    assert_refused(&answer, 403, "not_permitted", &id);
    assert_eq!(tell(&ann).0.status, 201);
    let told = get("/api/notifications", &bob).json();
    assert_eq!(told["notifications"], json!([{ "from": "u_1", "text": "tea is here" }]));
}

#[test]
fn the_catalog_is_public_and_kept_and_orders_come_from_both_instances() {
    let server = &shop().server;
    let asked: Vec<Value> = (0..3)
        .map(|_| server.send(&Request::get("/api/catalog")).json()["asked"].clone())
        .collect();
    assert_eq!(asked, [1, 1, 1]);
    let key = Request::get("/api/orders").header("x-api-key", "demo-key-of-the-warehouse");
    let mut served = [(); 4].map(|()| server.send(&key).header("x-served-by").unwrap().to_owned());
    served.sort();
    assert_eq!(served, ["orders-1", "orders-1", "orders-2", "orders-2"]);
}

/// O1 and S4: the event processor is Trailmark itself. 202 comes before any work of the database.
#[test]
fn events_and_their_analytics_go_through_the_same_door() {
    let server = &shop().server;
    let project = Project::create(server);
    let event = json!({ "anonymous_id": "visitor-1", "name": "checkout" }).to_string();
    let (answer, id) = send(
        server,
        Request::post("/api/events?src=web", event).bearer(&project.write),
    );
    assert_eq!(
        (answer.status, answer.header("x-request-id")),
        (202, Some(&*id)),
        "{}",
        answer.text()
    );
    server.until_drained();
    assert_eq!(project.read("/api/analytics/stats").json()["events"], 1);
    assert_eq!(project.read("/api/analytics/events").status, 200);
    assert_eq!(send(server, Request::post("/api/events", "{}")).0.status, 401);
}
