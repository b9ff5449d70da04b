//! B1 to B12: what a large gateway adds. [`sockets`] has B3, [`services`] what is about several instances and the
//! cache, [`log`] what is written down, [`callers`] whose credentials count, [`reloads`] when the file is
//! read anew, [`trust`] which services are believed.

mod sockets;
mod services;
mod log;
mod callers;
mod reloads;
mod trust;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::recorder::{Received, Recorder, Reply};
use super::token::{self, in_an_hour};
use super::{asked, assert_refused, nobody, send};
use crate::support::{Request, Server, http, until};

const FILE: &str = include_str!("gateway.toml");

/// The gateway, and what stands behind it.
struct Scratch {
    server: Server,
    one: Recorder,
    _two: Recorder,
    doomed: Recorder,
}

fn scratch() -> &'static Scratch {
    static SCRATCH: LazyLock<Scratch> = LazyLock::new(|| {
        let (one, two, doomed) = (Recorder::start(one), Recorder::named("two"), Recorder::named("doomed"));
        let setup = super::setup(FILE).env("JWT_SECRET", token::SECRET);
        let setup = setup.env("ONE_URL", &one.url()).env("TWO_URL", &two.url());
        let setup = setup.env("NOBODY_URL", &nobody());
        let server = setup.env("DOOMED_URL", &doomed.url()).start();
        Scratch {
            server,
            one,
            _two: two,
            doomed,
        }
    });
    &SCRATCH
}

fn one(received: &Received) -> Reply {
    match received.target() {
        "/tunnel" => Reply::Echo,
        "/silent" => Reply::Silence,
        "/v2/items/7" => Reply::ok(&json!({ "nm": "tea", "internal": "x" })).with("x-internal", "10.0.0.7"),
        "/cached/tagged" if received.headers("if-none-match").any(|tag| tag == "\"v1\"") => {
            Reply::Answer(304, vec![("etag".to_owned(), "\"v1\"".to_owned())], Vec::new())
        }
        "/cached/tagged" => Reply::ok(&json!({ "version": 1 }))
            .with("cache-control", "no-cache")
            .with("etag", "\"v1\""),
        "/cached/by-language" => {
            let language = received.header("accept-language").unwrap_or_default();
            let answer = Reply::ok(&json!({ "language": language }));
            answer
                .with("cache-control", "max-age=60")
                .with("vary", "accept-language")
        }
        "/cached/private" => Reply::ok(&json!({})).with("cache-control", "private, max-age=60"),
        target => Reply::ok(&json!({ "service": "one", "target": target })),
    }
}

/// A token of `user` with further claims.
fn bearer(user: &str, more: &Value) -> String {
    let mut claims = json!({ "sub": user, "exp": in_an_hour() });
    claims
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    token::signed(&claims)
}

#[test]
fn b1_a_new_route_is_there_without_a_restart_and_a_bad_file_changes_nothing() {
    let Scratch { server, .. } = scratch();
    assert_eq!(server.send(&Request::get("/new")).status, 404);
    let new = format!("{FILE}\n[[routes]]\nid = \"new\"\npath = \"/new\"\nupstream = \"two\"\nauth = []\n");
    server.write_gateway(&new);
    let bad = asked(server, &Request::post("/gateway/reload", "")).json();
    assert_eq!(bad["code"], "invalid_body");
    assert!(
        bad["detail"]
            .as_str()
            .unwrap()
            .contains("route \"new\": upstream: there is no \"two\""),
        "{bad}"
    );
    let state = asked(server, &Request::get("/gateway")).json();
    assert_eq!(state["problems"].as_array().unwrap().len(), 1, "{state}");
    assert_eq!(server.send(&Request::get("/weighted")).status, 200);
    // Nobody asks for a reload: the file is watched.
    server.write_gateway(&new.replace("\"two\"", "\"weighted\""));
    until("the new route", || {
        (server.send(&Request::get("/new")).status == 200).then_some(())
    });
    let state = asked(server, &Request::get("/gateway")).json();
    assert_eq!(state["problems"], json!([]));
}

#[test]
fn b2_requests_and_answers_are_brought_into_one_form() {
    let Scratch { server, one, .. } = scratch();
    let request = Request::post(
        "/changed/7",
        json!({ "mail": "a@b.example", "debug": true, "n": 1 }).to_string(),
    )
    .bearer(&bearer("u_7", &json!({ "tenant": "acme" })))
    .header("content-type", "application/json")
    .header("x-debug", "1")
    .header("x-tenant", "spoofed");
    let (answer, id) = send(server, request);
    let received = one.only(&id);
    assert_eq!(received.line, "POST /v2/items/7 HTTP/1.1");
    assert_eq!(
        received.json(),
        json!({ "data": { "email": "a@b.example", "n": 1, "tenant": "acme" } })
    );
    let names = ["x-tenant", "x-item", "x-via", "x-debug"].map(|name| received.header(name));
    assert_eq!(names, [Some("acme"), Some("7"), Some("gateway"), None]);
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "data": { "name": "tea" } }))
    );
    let names = ["x-answered-for", "x-internal"].map(|name| answer.header(name));
    assert_eq!(names, [Some("u_7"), None]);
}

/// Forged ones: A7.
#[test]
fn b4_a_token_opens_what_its_issuer_says() {
    let Scratch { server, one, .. } = scratch();
    assert_eq!(send(server, Request::get("/one/x")).0.code(), "missing_credentials");
    let (answer, id) = send(server, Request::get("/one/x/y?q=1").bearer(&bearer("u_4", &json!({}))));
    assert_eq!(answer.status, 200);
    assert_eq!(
        (one.only(&id).target(), one.only(&id).header("x-user-id")),
        ("/x/y?q=1", Some("u_4"))
    );
}

#[test]
fn b5_what_somebody_may_do_depends_on_role_scope_and_method() {
    let Scratch { server, one, .. } = scratch();
    let by = |claims: &Value, request: Request| send(server, request.bearer(&bearer("u_5", claims)));
    let (read, write) = (Request::get("/reports"), Request::post("/reports", "{}"));
    let admin = json!({ "roles": ["admin"], "scope": "reports:read reports:write" });
    for (claims, request, status) in [
        (json!({ "roles": ["viewer"] }), &read, 200),
        (json!({ "roles": ["customer", "admin"] }), &read, 200),
        (json!({ "roles": ["customer"] }), &read, 403),
        (json!({}), &read, 403),
        (json!({ "roles": ["viewer"], "scope": "reports:write" }), &write, 403),
        (json!({ "roles": ["admin"], "scope": "reports:read" }), &write, 403),
        (admin, &write, 200),
    ] {
        let (answer, id) = by(&claims, request.clone());
        assert_eq!(
            (answer.status, one.of(&id).len()),
            (status, usize::from(status == 200)),
            "{claims}"
        );
    }
    let (answer, id) = by(&json!({ "roles": ["viewer"] }), write);
    assert_refused(&answer, 403, "not_permitted", &id);
    let (answer, id) = by(&json!({}), Request::new("DELETE", "/reports"));
    assert_refused(&answer, 405, "method_not_allowed", &id);
    assert_eq!(answer.header("allow"), Some("GET, POST"));
}

/// In the database, so that any instance knows them, and a restart forgets none.
#[test]
fn b8_a_session_outlives_the_process_and_ends_with_the_logout() {
    let server = super::setup("version = 1\n").launch();
    let log_in = |email: &str, password: &Value| {
        let body = json!({ "email": email, "password": password }).to_string();
        Request::post("/api/auth/login", body).header("content-type", "application/json")
    };
    // From the first moment on, also while there are no tables yet.
    let early = log_in("nobody@shop.example", &json!("a guess of some length"));
    let sent = || {
        http::send(server.address(), &early)
            .ok()
            .filter(|answer| answer.status != 503)
    };
    assert_eq!(until("a database", sent).code(), "invalid_credentials");
    let (email, role) = ("ann@shop.example", "admin");
    let made = server.run(&["user", "create", "--email", email, "--role", role]);
    let answer = server.send(&log_in(email, &made["password"]));
    assert_eq!(
        (answer.status, &answer.json()["user"]["role"]),
        (200, &json!(role)),
        "{}",
        answer.text()
    );
    let cookie = answer
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let csrf = answer.json()["csrf_token"].as_str().unwrap().to_owned();
    server.kill();
    server.start();
    let me = Request::get("/api/auth/me").header("cookie", &cookie);
    let answer = until("an answer of the database", || {
        Some(server.send(&me)).filter(|answer| answer.status != 503)
    });
    assert_eq!(
        (answer.status, &answer.json()["user"]["email"]),
        (200, &json!(email)),
        "{}",
        answer.text()
    );
    let log_out = Request::post("/api/auth/logout", "")
        .header("cookie", &cookie)
        .header("x-csrf-token", csrf);
    assert_eq!(server.send(&log_out).status, 204);
    assert_eq!(server.send(&me).code(), "invalid_session");
}

/// The names are checked against dashboards and alerts with the files in `deploy/`.
#[test]
fn b9_requests_refusals_and_instances_are_counted() {
    let Scratch { server, .. } = scratch();
    send(server, Request::get("/one/metrics").bearer("nonsense"));
    send(server, Request::get("/one/metrics"));
    let metrics = asked(server, &Request::get("/metrics")).text();
    for name in [
        "gateway_auth_failures_total{reason=\"malformed\"}",
        "gateway_auth_failures_total{reason=\"missing_credentials\"}",
        "gateway_requests_total{route=\"one\",method=\"GET\",code=\"401\"}",
        "gateway_upstream_up{upstream=\"one\",endpoint=",
        "gateway_config_reloads_total{result=\"ok\"}",
    ] {
        assert!(metrics.contains(name), "{name} is missing in:\n{metrics}");
    }
    let unbounded = ["/one/metrics", "u_4", "sticky-"];
    assert!(!unbounded.iter().any(|label| metrics.contains(label)), "{metrics}");
}

/// While it stops, `/readyz` says so: the tests of `shutdown` and of the gateway's drain.
#[test]
fn b10_a_balancer_learns_whether_an_instance_lives_and_takes_traffic() {
    let Scratch { server, .. } = scratch();
    for path in ["/livez", "/readyz"] {
        assert_eq!(server.send(&Request::get(path)).status, 200);
        assert_eq!(asked(server, &Request::get(path)).status, 200);
    }
}

/// And A21. The service is told how the client came.
#[test]
fn b12_what_clients_send_is_encrypted_up_to_the_gateway() {
    let service = Recorder::named("service");
    let routes = "version = 1\n[upstreams.s]\nendpoints = [{ url = \"${URL}\" }]\n\
                  [[routes]]\nid = \"all\"\nprefix = \"/s\"\nupstream = \"s\"\nauth = []\n";
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src/gateway/tls/fixtures/");
    let setup = super::setup(routes).env("URL", &service.url());
    let setup = setup
        .text("tls.cert", &format!("{fixtures}one.pem"))
        .text("tls.key", &format!("{fixtures}one.key"));
    let server = setup.launch();
    until("a ready server", || {
        (asked(&server, &Request::get("/readyz")).status == 200).then_some(())
    });
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let url = server.url().replace("http://", "https://") + "/s/x";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let request = client.get(url).header("x-request-id", "encrypted").send();
    assert_eq!(runtime.block_on(request).unwrap().status(), 200);
    let received = service.only("encrypted");
    assert_eq!(received.header("x-forwarded-proto"), Some("https"));
    assert_eq!(received.header("host"), Some(&*service.address().to_string()));
}
