//! Login, me, logout.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::json;
use trailmark_server::gateway::caller::Proof;
use trailmark_server::gateway::login::LoginPolicy;
use trailmark_server::store::Role;

use crate::house::{EMAIL, House, PASSWORD, readable_tokens};

#[tokio::test]
async fn a_login_opens_a_session_and_without_a_configured_token_answers_with_none() {
    let house = House::new().await;
    let user = house.user(EMAIL, Role::Owner).await;
    let answer = house.log_in(EMAIL, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(
        answer.json["user"],
        json!({"id": user.id, "email": EMAIL, "role": "owner"})
    );
    assert_eq!(answer.json["csrf_token"].as_str().unwrap().len(), 43);
    assert_eq!(
        answer.json.as_object().unwrap().len(),
        3,
        "neither token nor expires_in: {}",
        answer.json
    );
    assert_eq!(answer.json["projects"], json!([]));
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let (token, attributes) = cookie.split_once("; ").unwrap();
    assert!(token.starts_with("__Host-sid=tm_ss_"), "{cookie}");
    assert_eq!(attributes, "Max-Age=2592000; Path=/; Secure; HttpOnly; SameSite=Lax");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_configured_token_comes_with_its_lifetime_and_anew_with_a_refresh() {
    let house = House::with_ann().await;
    house.policy(LoginPolicy {
        tokens: Some(readable_tokens()),
        ..LoginPolicy::default()
    });
    let browser = house.browser().await;
    house.pass(60);
    let answer = browser.refresh().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        (&answer.json["expires_in"], &answer.json["expiresIn"]),
        (&json!(900), &json!("15m"))
    );
    let token = answer.json["token"].as_str().unwrap();
    assert!(token.contains(r#"ann@example.com ["owner"] 1795000060000"#), "{token}");
}

#[tokio::test]
async fn the_session_says_who_it_is_and_gives_a_page_that_was_loaded_anew_what_it_needs() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let me = browser.me().await;
    assert_eq!((me.status, &me.json["user"]["email"]), (StatusCode::OK, &json!(EMAIL)));
    assert_eq!(me.json["csrf_token"], json!(browser.csrf));
    let caller = browser.check().await.unwrap();
    assert_eq!(caller.proof, Proof::Session);
    assert_eq!(caller.user.as_deref(), me.json["user"]["id"].as_str());
    assert_eq!(
        (caller.roles.as_slice(), caller.email.as_deref()),
        (&["owner".to_owned()][..], Some(EMAIL))
    );
    assert_eq!(caller.claims["sub"], me.json["user"]["id"]);
}

#[tokio::test]
async fn a_login_a_refresh_and_a_page_loaded_anew_learn_of_the_projects_oldest_first() {
    let house = House::with_ann().await;
    for name in ["Shop", "Blog"] {
        house.store().create_project(name).await.unwrap();
    }
    let projects = json!([{"id": 1, "name": "Shop"}, {"id": 2, "name": "Blog"}]);
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.json["projects"], projects);
    let browser = house.browser().await;
    assert_eq!(browser.me().await.json["projects"], projects);
    assert_eq!(browser.refresh().await.json["projects"], projects);
}

#[tokio::test]
async fn a_logout_ends_the_session_at_once_and_another_of_the_same_user_goes_on() {
    let house = House::with_ann().await;
    let (desk, phone) = (house.browser().await, house.browser().await);
    assert!(desk.check().await.is_ok() && phone.check().await.is_ok());
    let before = desk.cookie();
    let answer = desk.send(Method::POST, "/api/auth/logout").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.cookie(), "__Host-sid=");
    let again = desk.send_with(&before, Method::GET, "/api/auth/me").await;
    assert_eq!(again.refusal(), (401, "invalid_session"));
    assert!(phone.check().await.is_ok());
    let twice = desk.send_with(&before, Method::POST, "/api/auth/logout").await;
    assert_eq!(twice.status, StatusCode::NO_CONTENT, "there is nothing left to do");
}

#[tokio::test]
async fn without_a_cookie_there_is_nobody() {
    let house = House::with_ann().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(
        house.ask(get("/api/auth/me")).await.refusal(),
        (401, "missing_credentials")
    );
    let made_up = Request::get("/api/auth/me").header(header::COOKIE, "__Host-sid=tm_ss_made_up");
    let made_up = house.ask(made_up.body(Body::empty()).unwrap()).await;
    assert_eq!(made_up.refusal(), (401, "invalid_session"));
    let sessions = house.app.login.sessions();
    let nobody = sessions
        .check(&http::HeaderMap::new(), &Method::POST, house.app.clock.now())
        .await;
    assert!(nobody.is_none());
}

#[tokio::test]
async fn a_session_ends_when_it_was_idle_and_use_keeps_it_alive_until_the_longest() {
    let house = House::with_ann().await;
    let (used, idle) = (house.browser().await, house.browser().await);
    let hours = |hours: i64| hours * 3600;
    house.pass(hours(23));
    assert!(used.check().await.is_ok());
    house.pass(hours(2));
    assert!(used.check().await.is_ok());
    assert_eq!(idle.check().await, Err("invalid_session"), "a day without a request");
    for _ in 0..31 {
        house.pass(hours(23));
        let _ = used.check().await;
    }
    assert_eq!(used.check().await, Err("invalid_session"), "30 days after the login");
}

#[tokio::test]
async fn what_is_no_login_is_refused_before_anything_is_counted() {
    let house = House::with_ann().await;
    let post = |kind: &'static str, body: &'static str| {
        Request::post("/api/auth/login")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body))
            .unwrap()
    };
    let good = r#"{"email":"ann@example.com","password":"correct horse battery staple"}"#;
    for (kind, body) in [
        ("text/plain", good),
        ("application/x-www-form-urlencoded", good),
        ("application/json", ""),
        ("application/json", r#"{"email":"ann@example.com"}"#),
        ("application/json", r#"{"email":"","password":"x"}"#),
        ("application/json", r#"{"email":"a\u0000@b","password":"x"}"#),
        ("application/json", r#"{"email":"ann@example.com","password":""}"#),
    ] {
        let answer = house.ask(post(kind, body)).await;
        assert_eq!(answer.refusal(), (400, "invalid_body"), "{kind} {body}");
    }
    assert_eq!(house.ask(post("application/json", good)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_is_known_however_it_is_capitalised() {
    let house = House::with_ann().await;
    assert_eq!(house.log_in(" ANN@Example.com ", PASSWORD).await.status, StatusCode::OK);
}
