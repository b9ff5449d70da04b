//! Links that work once, and what can be tried with them.

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use trailmark_server::clock::Clock;
use trailmark_server::gateway::login::config::LockoutConfig;
use trailmark_server::gateway::login::password::hash;
use trailmark_server::gateway::login::{first_link, new_link};
use trailmark_server::store::{KeyKind, Owned, Role, User};

use crate::house::{Answer, EMAIL, House, PASSWORD};

const NEW: &str = "a password of somebody new";
const BOB: &str = "bob@example.com";
const DAY: i64 = 24 * 3600;

/// The token for the first owner, as a start makes it.
async fn first(house: &House) -> Option<String> {
    first_link(house.store(), house.clock.now()).await.unwrap()
}

/// A link for a new user, as the command line makes it.
async fn invited(house: &House, role: Role, email: Option<&str>) -> String {
    let link = new_link(Duration::from_secs(7 * 24 * 3600), house.clock.now()).unwrap();
    let made = house.store().invite(None, (role, email), link.kept).await.unwrap();
    assert!(matches!(made, Owned::Done(_)), "{made:?}");
    link.token
}

async fn reset(house: &House, user: &User) -> String {
    let link = new_link(Duration::from_secs(24 * 3600), house.clock.now()).unwrap();
    let made = house.store().invite_reset(None, user.id, link.kept).await.unwrap();
    assert_eq!(made, Owned::Done(()));
    link.token
}

async fn what(house: &House, token: &str) -> Answer {
    house.get_with(token, "/api/auth/invitation").await
}

async fn accept(house: &House, token: &str, email: &str) -> Answer {
    let body = json!({"invitation": token, "email": email, "password": NEW});
    house.post("/api/auth/accept", &body).await
}

const GONE: (u16, &str) = (401, "invalid_invitation");

#[tokio::test]
async fn the_first_link_makes_an_owner_who_is_logged_in_and_then_it_is_used_up() {
    let house = House::new().await;
    house.store().create_project("Shop").await.unwrap();
    let token = first(&house).await.unwrap();
    assert!(token.starts_with("tm_in_") && token.len() == 6 + 43, "256 bits");
    let shown = what(&house, &token).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    let expires_at = house.clock.now().plus_micros(DAY * 1_000_000).to_string();
    assert_eq!(
        shown.json,
        json!({"role": "owner", "email": null, "user": null, "expires_at": expires_at, "first": true})
    );
    let answer = accept(&house, &token, " Ann@Example.com ").await;
    let ann = house.browser_after(&answer);
    assert!(ann.cookie().starts_with("__Host-sid=tm_ss_"));
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.json["user"]["email"], EMAIL);
    assert_eq!(answer.json["projects"], json!([{"id": 1, "name": "Shop"}]));
    assert_eq!(ann.check().await.unwrap().roles, ["owner"]);
    assert_eq!(house.log_in(EMAIL, NEW).await.status, StatusCode::OK);
    assert_eq!(accept(&house, &token, BOB).await.refusal(), GONE);
    assert_eq!(what(&house, &token).await.refusal(), GONE);
    assert_eq!(first(&house).await, None, "there is an owner");
}

#[tokio::test]
async fn a_first_link_ends_with_the_next_start_with_any_user_and_with_its_day() {
    let house = House::new().await;
    let (old, new) = (first(&house).await.unwrap(), first(&house).await.unwrap());
    assert_eq!(what(&house, &old).await.refusal(), GONE, "a later start made another");
    assert_eq!(what(&house, &new).await.status, StatusCode::OK);
    house.user(BOB, Role::Viewer).await;
    assert_eq!(accept(&house, &new, EMAIL).await.refusal(), GONE, "somebody can log in");
    assert_eq!(first(&house).await, None);
    assert!(house.store().erase_user(BOB).await.unwrap());
    assert_eq!(
        what(&house, &new).await.refusal(),
        GONE,
        "it does not come back to life"
    );
    let next = first(&house).await.unwrap();
    house.pass(DAY - 1);
    assert_eq!(what(&house, &next).await.status, StatusCode::OK);
    house.pass(1);
    assert_eq!(what(&house, &next).await.refusal(), GONE);
    assert_eq!(accept(&house, &next, EMAIL).await.refusal(), GONE);
    assert_eq!(
        house
            .store()
            .remove_expired_invitations(house.clock.now())
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn of_many_who_accept_one_link_at_once_one_wins() {
    for role in [None, Some(Role::Viewer)] {
        let house = House::new().await;
        let token = match role {
            None => first(&house).await.unwrap(),
            Some(role) => invited(&house, role, None).await,
        };
        let emails: Vec<String> = (0..4).map(|n| format!("user{n}@example.com")).collect();
        let answers = futures_util::future::join_all(emails.iter().map(|email| accept(&house, &token, email))).await;
        let won = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
        assert_eq!(won, 1, "{answers:?}");
        let lost = answers.iter().filter(|answer| answer.refusal() == GONE);
        assert_eq!(lost.count(), 3, "{answers:?}");
        assert_eq!(house.store().list_users().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn nobody_becomes_the_first_owner_beside_a_user_who_is_made_at_the_same_moment() {
    let house = House::new().await;
    let token = first(&house).await.unwrap();
    let mut making = house.store().pool().begin().await.unwrap();
    sqlx::query("INSERT INTO users (id, email, password_hash, role) VALUES (gen_random_uuid(), 'bob@example.com', 'x', 'admin')")
        .execute(&mut *making)
        .await
        .unwrap();
    // It waits for who came first, and then sees that user.
    let mut accepting = Box::pin(accept(&house, &token, EMAIL));
    let waits = async {
        let blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass";
        while sqlx::query_scalar::<_, i64>(blocked)
            .fetch_one(&mut *making)
            .await
            .unwrap()
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = &mut accepting => panic!("it did not wait: {answer:?}"),
        () = waits => {}
    }
    making.commit().await.unwrap();
    assert_eq!(accepting.await.refusal(), GONE);
    assert_eq!(house.store().list_users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_invitation_makes_the_user_that_it_names_and_no_other() {
    let house = House::with_ann().await;
    let token = invited(&house, Role::Admin, Some(BOB)).await;
    let shown = what(&house, &token).await;
    assert_eq!(
        (&shown.json["email"], &shown.json["role"]),
        (&json!(BOB), &json!("admin"))
    );
    assert_eq!(
        (&shown.json["first"], &shown.json["user"]),
        (&json!(false), &Value::Null)
    );
    let other = accept(&house, &token, "eve@example.com").await;
    assert_eq!(other.refusal(), (400, "invalid_parameter"));
    let body = json!({"invitation": token, "password": NEW});
    let answer = house.post("/api/auth/accept", &body).await;
    assert_eq!(answer.json["user"]["email"], BOB, "{answer:?}");
    assert_eq!(house.browser_after(&answer).check().await.unwrap().roles, ["admin"]);
}

#[tokio::test]
async fn what_cannot_be_a_user_uses_no_link_up() {
    let house = House::with_ann().await;
    let token = invited(&house, Role::Viewer, None).await;
    for (email, password, about) in [
        (json!(BOB), "short", "`password`"),
        (json!(BOB), &*"x".repeat(1025), "`password`"),
        (json!("nobody"), NEW, "`email`"),
        (Value::Null, NEW, "`email`"),
        (json!("ANN@example.com"), NEW, "`email`"),
    ] {
        let body = json!({"invitation": token, "email": email, "password": password});
        let answer = house.post("/api/auth/accept", &body).await;
        assert_eq!(answer.refusal(), (400, "invalid_parameter"), "{answer:?}");
        assert!(answer.json["detail"].as_str().unwrap().contains(about), "{answer:?}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
    let form = Request::post("/api/auth/accept").header(header::CONTENT_TYPE, "text/plain");
    let body = json!({"invitation": token, "email": BOB, "password": NEW}).to_string();
    let form = house.ask(form.body(Body::from(body)).unwrap()).await;
    assert_eq!(
        form.refusal(),
        (400, "invalid_body"),
        "as a form of another site could send it"
    );
    assert_eq!(accept(&house, &token, BOB).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_reset_sets_another_password_and_ends_every_session_and_lock() {
    let house = House::new().await;
    let ann = house.user(EMAIL, Role::Owner).await;
    let browser = house.browser().await;
    for _ in 0..6 {
        house.log_in(EMAIL, "wrong").await;
    }
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.refusal(), (429, "locked_out"));
    let (old, token) = (reset(&house, &ann).await, reset(&house, &ann).await);
    assert_eq!(what(&house, &old).await.refusal(), GONE, "a later one ends it");
    let shown = what(&house, &token).await;
    assert_eq!(
        (&shown.json["user"], &shown.json["email"]),
        (&json!(EMAIL), &Value::Null)
    );
    assert_eq!(
        (&shown.json["role"], &shown.json["first"]),
        (&json!("owner"), &json!(false))
    );
    let other = accept(&house, &token, BOB).await;
    assert_eq!(other.refusal(), (400, "invalid_parameter"), "somebody else's address");
    let answer = house
        .post("/api/auth/accept", &json!({"invitation": token, "password": NEW}))
        .await;
    assert!(house.browser_after(&answer).check().await.is_ok());
    assert_eq!(answer.json["user"]["id"], json!(ann.id));
    assert_eq!(browser.check().await, Err("invalid_session"), "at once, at this server");
    assert_eq!(
        house.log_in(EMAIL, PASSWORD).await.refusal(),
        (401, "invalid_credentials")
    );
    assert_eq!(house.log_in(EMAIL, NEW).await.status, StatusCode::OK);
    assert_eq!(accept(&house, &token, EMAIL).await.refusal(), GONE);
}

#[tokio::test]
async fn a_reset_ends_with_the_user_and_with_another_password() {
    let house = House::with_ann().await;
    let bob = house.user(BOB, Role::Viewer).await;
    let token = reset(&house, &bob).await;
    house.store().set_user_password(BOB, &hash(NEW).unwrap()).await.unwrap();
    assert_eq!(what(&house, &token).await.refusal(), GONE);
    let token = reset(&house, &bob).await;
    house.store().disable_user(BOB).await.unwrap();
    assert_eq!(accept(&house, &token, BOB).await.refusal(), GONE);
    house.store().enable_user(BOB).await.unwrap();
    assert_eq!(
        accept(&house, &token, BOB).await.refusal(),
        GONE,
        "it does not come back to life"
    );
}

#[tokio::test]
async fn only_the_token_of_a_link_is_one() {
    let house = House::with_ann().await;
    let project = house.store().create_project("Shop").await.unwrap().id;
    let key = house
        .store()
        .create_key(project, KeyKind::Secret, "k")
        .await
        .unwrap()
        .text;
    let session = house.browser().await.cookie().split_once('=').unwrap().1.to_owned();
    for token in [&key, &session, "tm_in_", "", "tm_in_made_up"] {
        assert_eq!(accept(&house, token, BOB).await.refusal(), GONE, "{token}");
    }
    let none = house
        .ask(Request::get("/api/auth/invitation").body(Body::empty()).unwrap())
        .await;
    assert_eq!(none.refusal(), (401, "missing_credentials"));
    let token = invited(&house, Role::Viewer, None).await;
    let in_url = Request::get(format!("/api/auth/invitation?key={token}")).body(Body::empty());
    assert_eq!(
        house.ask(in_url.unwrap()).await.refusal(),
        (400, "invalid_parameter"),
        "URLs are logged"
    );
    let as_key = house.get_with(&token, "/api/v1/now").await;
    assert_eq!(as_key.refusal(), (401, "unknown_key"));
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT token_hash FROM invitations")
        .fetch_all(house.store().pool())
        .await
        .unwrap();
    assert!(kept.iter().all(|hash| hash.len() == 32 && *hash != token.as_bytes()));
}

#[tokio::test]
async fn an_address_that_guesses_is_locked_and_so_is_one_that_asks_who_is_a_user() {
    let guesser = Ipv4Addr::new(192, 0, 2, 1).into();
    let asker = Ipv4Addr::new(192, 0, 2, 2).into();
    let house = House::with_ann().await;
    house.lockout(LockoutConfig {
        address_failures: 6,
        ..LockoutConfig::default()
    });
    let token = invited(&house, Role::Viewer, None).await;
    for (address, token, code) in [
        (guesser, "tm_in_guessed", "invalid_invitation"),
        (asker, &*token, "invalid_parameter"),
    ] {
        let body = json!({"invitation": token, "email": EMAIL, "password": NEW});
        for _ in 0..6 {
            let answer = house.post_from(address, "/api/auth/accept", &body).await;
            assert_eq!(answer.json["code"], code);
        }
        let locked = house.post_from(address, "/api/auth/accept", &body).await;
        assert_eq!(locked.refusal(), (429, "locked_out"));
        let login = house.log_in_from(address, EMAIL, PASSWORD).await;
        assert_eq!(login.refusal(), (429, "locked_out"), "the same count");
    }
    assert_eq!(
        accept(&house, &token, BOB).await.status,
        StatusCode::OK,
        "from elsewhere"
    );
}
