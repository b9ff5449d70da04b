//! A6 to A8 and A14 to A17: who calls, and how that is known.

use serde_json::json;

use super::super::token::{self, in_an_hour};
use super::super::{assert_refused, send};
use super::{Article, article, by_ann, log_in};
use crate::support::{Request, Server};

#[test]
fn a6_without_a_bearer_token_there_is_a_401_that_says_what_is_taken() {
    let Article { server, orders, .. } = article();
    for value in ["", "Bearer", "Basic YW5uOng=", "Token abc", "Bearerabc"] {
        let (answer, id) = send(server, Request::get("/api/orders").header("authorization", value));
        assert_refused(&answer, 401, "missing_credentials", &id);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(orders.of(&id).is_empty());
    }
}

#[test]
fn a7_a_forged_or_expired_token_is_a_401() {
    let Article { server, orders, .. } = article();
    let claims = json!({ "userId": "u_1", "role": "admin", "exp": in_an_hour() });
    let hs256 = json!({ "alg": "HS256", "typ": "JWT" });
    let good = token::signed(&claims);
    let unsigned = token::made(&json!({ "alg": "none" }), &claims, "");
    let tokens = [
        (
            "expired",
            token::signed(&json!({ "userId": "u_1", "exp": in_an_hour() - 7200 })),
        ),
        ("for ever", token::signed(&json!({ "userId": "u_1" }))),
        (
            "another secret",
            token::made(&hs256, &claims, "some-other-secret-of-good-length-0123"),
        ),
        ("the printed default", token::made(&hs256, &claims, "your-secret-key")),
        ("none", unsigned.clone()),
        ("none, cut", unsigned.rsplit_once('.').unwrap().0.to_owned() + "."),
        (
            "another algorithm",
            token::made(&json!({ "alg": "HS512" }), &claims, token::SECRET),
        ),
        ("changed", good.replacen('.', ".e", 1)),
        ("no token", "abc".to_owned()),
    ];
    for (which, token) in tokens {
        let (answer, id) = send(server, Request::get("/api/orders").bearer(&token));
        assert_eq!(answer.code(), "invalid_token", "{which}");
        assert_refused(&answer, 401, "invalid_token", &id);
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer error=\"invalid_token\"")
        );
        assert!(orders.of(&id).is_empty(), "{which}");
    }
    assert_eq!(server.send(&Request::get("/api/orders").bearer(&good)).status, 200);
}

/// And not the token itself, with which a service could call others in the user's name.
#[test]
fn a8_the_service_is_told_who_calls() {
    let Article { server, orders, .. } = article();
    let (_, id) = send(server, by_ann(Request::get("/api/orders")));
    let received = orders.only(&id);
    assert_eq!(received.header("x-user-id"), Some("u_1"));
    assert_eq!(received.header("x-user-role"), Some("admin"));
    assert_eq!(received.header("authorization"), None);
}

/// Further spellings: D4.
#[test]
fn a14_what_a_client_says_of_itself_is_replaced() {
    let Article { server, orders, .. } = article();
    let request = by_ann(Request::get("/api/orders"))
        .header("x-user-id", "999")
        .header("x-user-role", "root");
    let (_, id) = send(server, request);
    let received = orders.only(&id);
    assert_eq!(
        (received.header("x-user-id"), received.header("x-user-role")),
        (Some("u_1"), Some("admin"))
    );
}

#[test]
fn a15_a_login_is_judged_by_the_users_service_and_makes_a_token_that_opens() {
    let Article {
        server, users, orders, ..
    } = article();
    let (answer, _) = log_in(server, "green tea, no sugar");
    let body = answer.json();
    assert_eq!((answer.status, &body["expiresIn"]), (200, &json!("24h")), "{body}");
    assert_eq!(body["user"]["id"], "u_1");
    assert_eq!(
        (&body["user"]["email"], &body["user"]["role"]),
        (&json!("ann@shop.example"), &json!("admin"))
    );
    let (answer, id) = send(
        server,
        Request::get("/api/orders").bearer(body["token"].as_str().unwrap()),
    );
    assert_eq!(
        (answer.status, orders.only(&id).header("x-user-id")),
        (200, Some("u_1"))
    );
    let (answer, id) = log_in(server, "a guess");
    assert_refused(&answer, 401, "invalid_credentials", &id);
    let asked = users
        .received()
        .into_iter()
        .filter(|received| received.line == "POST /users/validate HTTP/1.1");
    assert!(asked.count() >= 2);
}

#[test]
fn a16_tokens_keys_and_sessions_open_the_same_route() {
    let Article { server, users, .. } = article();
    let session = session(server);
    let ways = [
        ("u_1", Request::get("/api/users/x").bearer(&token::of("u_1", "admin"))),
        (
            "u_billing",
            Request::get("/api/users/x").header("x-api-key", "key-of-billing"),
        ),
        (
            "u_1",
            Request::get("/api/users/x").header("cookie", format!("theme=dark; {}", session.cookie)),
        ),
    ];
    for (user, request) in ways {
        let (answer, id) = send(server, request);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = users.only(&id);
        assert_eq!(received.header("x-user-id"), Some(user));
        let head = received.head();
        assert!(
            !head.contains("key-of-billing") && !head.contains(&session.cookie),
            "{head}"
        );
    }
    for (request, code) in [
        (
            Request::get("/api/users/x").header("x-api-key", "key-of-nobody"),
            "unknown_key",
        ),
        (
            Request::get("/api/users/x").header("cookie", "__Host-sid=made-up"),
            "invalid_session",
        ),
    ] {
        assert_eq!(send(server, request).0.code(), code);
    }
}

/// What a login gives a browser.
struct Session {
    /// `name=value`
    cookie: String,
    csrf: String,
}

fn session(server: &Server) -> Session {
    let (answer, _) = log_in(server, "green tea, no sugar");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Secure") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    Session {
        cookie: cookie.split(';').next().unwrap().to_owned(),
        csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn a16_a_session_changes_nothing_without_the_proof_of_its_own_page() {
    let Article { server, users, .. } = article();
    let Session { cookie, csrf } = session(server);
    let change = Request::post("/api/users/x", "{}").header("cookie", &cookie);
    let (answer, id) = send(server, change.clone());
    assert_refused(&answer, 403, "csrf_failed", &id);
    let other_site = change
        .clone()
        .header("x-csrf-token", &csrf)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(send(server, other_site).0.code(), "csrf_failed");
    let (answer, id) = send(server, change.header("x-csrf-token", &csrf));
    assert_eq!((answer.status, users.of(&id).len()), (200, 1));
}

/// By address: A3.
#[test]
fn a17_each_user_and_each_key_has_a_limit_of_its_own() {
    let server = &article().server;
    let user = |name: &str| Request::get("/api/metered").bearer(&token::of(name, "customer"));
    let key = |key: &str| Request::get("/api/metered").header("x-api-key", key);
    let statuses =
        |request: Request, count: usize| -> Vec<u16> { (0..count).map(|_| server.send(&request).status).collect() };
    assert_eq!(statuses(user("metered-1"), 4), [200, 200, 200, 429]);
    assert_eq!(statuses(user("metered-2"), 3), [200, 200, 200]);
    assert_eq!(statuses(key("key-of-shipping"), 3), [200, 200, 429]);
    // This key is a user's too: of both limits the tighter one is told.
    let answer = server.send(&key("key-of-billing"));
    assert!(
        answer.header("ratelimit").unwrap().starts_with("\"key\";r=1;"),
        "{:?}",
        answer.headers()
    );
    assert_eq!(server.send(&user("metered-1")).code(), "rate_limited");
}
