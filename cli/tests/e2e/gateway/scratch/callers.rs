//! B4: whose credentials count, where there are several.

use serde_json::json;

use super::super::{assert_refused, send, until_database};
use super::{Scratch, bearer, scratch};
use crate::support::{Request, Server};

/// The cookie of a new user's session.
fn session(server: &Server, email: &str) -> String {
    let made = server.run(&["user", "create", "--email", email, "--role", "viewer"]);
    let body = json!({ "email": email, "password": made["password"] }).to_string();
    let log_in = Request::post("/api/auth/login", body).header("content-type", "application/json");
    let answer = server.send(&log_in);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// Browsers send cookies with everything, so one says nothing of whom a request with a token is meant to be from; nor does
/// a stale one take anything from a token that is good.
#[test]
fn b4_a_token_decides_whatever_cookie_came_with_it() {
    let Scratch { server, one, .. } = scratch();
    until_database(server);
    let cookie = session(server, "b4@shop.example");
    let stale = format!("{}=nonsense", cookie.split('=').next().unwrap());
    let good = bearer("u_b4", &json!({}));
    for path in ["/session-first", "/token-first"] {
        let ask = |cookie: &str, token: Option<&str>| {
            let request = Request::get(path).header("cookie", cookie);
            send(server, token.into_iter().fold(request, Request::bearer))
        };
        let user = |(_, id): &(_, String)| one.only(id).header("x-user-id").map(str::to_owned);
        let by_session = user(&ask(&cookie, None)).unwrap();
        assert_ne!(by_session, "u_b4");
        for cookie in [&cookie, &stale] {
            assert_eq!(user(&ask(cookie, Some(&good))).as_deref(), Some("u_b4"), "{path}");
        }
        let (answer, id) = ask(&cookie, Some("nonsense"));
        assert_refused(&answer, 401, "invalid_token", &id);
        let (answer, id) = ask(&stale, None);
        assert_refused(&answer, 401, "invalid_session", &id);
    }
}
