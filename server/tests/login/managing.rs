//! Owners and what they do with users and invitations.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trailmark_server::clock::Clock;
use trailmark_server::store::{Role, User};

use crate::house::{Answer, Browser, EMAIL, House, PASSWORD};

const BOB: &str = "bob@example.com";
const NEW: &str = "a password of somebody new";

fn path(user: &User) -> String {
    format!("/api/v1/users/{}", user.id)
}

async fn change(browser: &Browser<'_>, user: &User, change: Value) -> Answer {
    browser.send_json(Method::PATCH, &path(user), &change).await
}

async fn invite(browser: &Browser<'_>, role: &str) -> Answer {
    browser
        .post("/api/v1/invitations", &json!({"role": role, "email": null}))
        .await
}

async fn accept(house: &House, token: &Value, email: &str) -> Answer {
    let body = json!({"invitation": token, "email": email, "password": NEW});
    house.post("/api/auth/accept", &body).await
}

#[tokio::test]
async fn an_owner_invites_sees_the_invitation_and_then_the_user() {
    let house = House::with_ann().await;
    let ann = house.browser().await;
    let asked = json!({"role": "viewer", "email": " Bob@Example.com"});
    let made = ann.post("/api/v1/invitations", &asked).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(
        (&made.json["role"], &made.json["email"]),
        (&json!("viewer"), &json!(BOB))
    );
    let week = house.clock.now().plus_micros(7 * 24 * 3600 * 1_000_000);
    assert_eq!(made.json["expires_at"], week.to_string());
    let token = &made.json["token"];
    let listed = ann.get("/api/v1/users").await;
    assert_eq!(
        listed.json["invitations"],
        json!([{"id": made.json["id"], "role": "viewer", "email": BOB, "created_at": house.clock.now().to_string(),
                "created_by": EMAIL, "expires_at": week.to_string()}])
    );
    assert!(!listed.json.to_string().contains(token.as_str().unwrap()), "shown once");
    house.pass(120);
    assert_eq!(accept(&house, token, BOB).await.status, StatusCode::OK);
    let listed = ann.get("/api/v1/users").await.json;
    assert_eq!(listed["invitations"], json!([]));
    let bob = &listed["users"][1];
    assert_eq!((&bob["email"], &bob["role"]), (&json!(BOB), &json!("viewer")));
    assert_eq!(bob["last_seen_at"], house.clock.now().to_string());
    assert_eq!(bob["disabled_at"], Value::Null);
}

#[tokio::test]
async fn what_cannot_be_invited_is_refused_and_what_was_taken_back_works_no_more() {
    let house = House::with_ann().await;
    let ann = house.browser().await;
    for (asked, about) in [
        (json!({"role": "root"}), "`role`"),
        (json!({"role": "viewer", "email": "nobody"}), "`email`"),
        (json!({"role": "viewer", "email": "ANN@example.com"}), "`email`"),
        (json!({"role": "viewer", "expires_in": 1}), "`expires_in`"),
    ] {
        let answer = ann.post("/api/v1/invitations", &asked).await;
        assert_eq!(answer.refusal(), (400, "invalid_parameter"), "{answer:?}");
        assert!(answer.json["detail"].as_str().unwrap().contains(about), "{answer:?}");
    }
    let made = invite(&ann, "owner").await.json;
    let of_it = format!("/api/v1/invitations/{}", made["id"]);
    assert_eq!(ann.send(Method::DELETE, &of_it).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        accept(&house, &made["token"], BOB).await.refusal(),
        (401, "invalid_invitation")
    );
    assert_eq!(ann.send(Method::DELETE, &of_it).await.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn who_is_an_owner_no_more_leaves_no_link_behind() {
    let house = House::with_ann().await;
    let ann = house.browser().await;
    for how in [json!({"role": "admin"}), json!({"disabled": true}), Value::Null] {
        let email = format!("{}@example.com", house.store().list_users().await.unwrap().len());
        let eve = house.user(&email, Role::Owner).await;
        let token = invite(&house.browser_of(&email).await, "owner").await.json["token"].clone();
        let ended = match how {
            Value::Null => ann.send(Method::DELETE, &path(&eve)).await,
            how => change(&ann, &eve, how).await,
        };
        assert!(ended.status.is_success(), "{ended:?}");
        assert_eq!(accept(&house, &token, BOB).await.refusal(), (401, "invalid_invitation"));
    }
}

#[tokio::test]
async fn a_changed_user_is_what_it_was_made_at_once() {
    let house = House::with_ann().await;
    let (ann, bob) = (house.browser().await, house.user(BOB, Role::Viewer).await);
    let of_bob = house.browser_of(BOB).await;
    assert_eq!(of_bob.check().await.unwrap().roles, ["viewer"]);
    let made = change(&ann, &bob, json!({"role": "admin"})).await;
    assert_eq!((made.status, &made.json["role"]), (StatusCode::OK, &json!("admin")));
    assert_eq!(
        of_bob.check().await.unwrap().roles,
        ["admin"],
        "at once, at this server"
    );
    let disabled = change(&ann, &bob, json!({"disabled": true})).await.json;
    assert_eq!(disabled["disabled_at"], house.clock.now().to_string());
    assert_eq!(of_bob.check().await, Err("invalid_session"));
    assert_eq!(
        house.log_in(BOB, PASSWORD).await.refusal(),
        (401, "invalid_credentials")
    );
    let reset = ann.post(&format!("{}/reset", path(&bob)), &Value::Null).await;
    assert_eq!(reset.refusal(), (404, "not_found"), "a link would not work");
    assert_eq!(
        change(&ann, &bob, json!({"disabled": false})).await.json["disabled_at"],
        Value::Null
    );
    assert_eq!(of_bob.check().await, Err("invalid_session"), "what was ended stays so");
    assert_eq!(
        change(&ann, &bob, json!({})).await.json["role"],
        "admin",
        "nothing changed"
    );
    let reset = ann.post(&format!("{}/reset", path(&bob)), &Value::Null).await;
    assert_eq!(reset.status, StatusCode::CREATED, "{reset:?}");
    let day = house.clock.now().plus_micros(24 * 3600 * 1_000_000);
    assert_eq!(reset.json["expires_at"], day.to_string());
    assert_eq!(accept(&house, &reset.json["token"], BOB).await.status, StatusCode::OK);
    assert_eq!(
        ann.send(Method::DELETE, &path(&bob)).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        ann.send(Method::DELETE, &path(&bob)).await.refusal(),
        (404, "not_found")
    );
    let odd = ann.send(Method::DELETE, "/api/v1/users/7").await;
    assert_eq!(odd.refusal(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn the_last_owner_who_can_log_in_stays_one() {
    let house = House::new().await;
    let ann = house.user(EMAIL, Role::Owner).await;
    let disabled = house.user("eve@example.com", Role::Owner).await;
    house.user(BOB, Role::Admin).await;
    house.store().disable_user("eve@example.com").await.unwrap();
    let browser = house.browser().await;
    for last in [
        json!({"role": "admin"}),
        json!({"disabled": true}),
        json!({"role": "owner", "disabled": true}),
    ] {
        assert_eq!(change(&browser, &ann, last).await.refusal(), (409, "last_owner"));
    }
    assert_eq!(
        browser.send(Method::DELETE, &path(&ann)).await.refusal(),
        (409, "last_owner")
    );
    assert_eq!(
        change(&browser, &ann, json!({"role": "owner"})).await.status,
        StatusCode::OK
    );
    assert_eq!(
        change(&browser, &disabled, json!({"disabled": false})).await.status,
        StatusCode::OK
    );
    assert_eq!(
        change(&browser, &ann, json!({"role": "viewer"})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn two_owners_who_end_each_other_or_themselves_at_once_leave_one() {
    let house = House::new().await;
    let (ann, bob) = (house.user(EMAIL, Role::Owner).await, house.user(BOB, Role::Owner).await);
    for crossed in [true, false, true, false] {
        let (of_ann, of_bob) = (house.browser().await, house.browser_of(BOB).await);
        let (by_ann, by_bob) = if crossed { (&bob, &ann) } else { (&ann, &bob) };
        let demote = json!({"role": "admin"});
        let (one, other) = tokio::join!(
            change(&of_ann, by_ann, demote.clone()),
            change(&of_bob, by_bob, demote.clone())
        );
        let done = [&one, &other]
            .iter()
            .filter(|answer| answer.status == StatusCode::OK)
            .count();
        assert_eq!(done, 1, "{one:?} {other:?}");
        let users = house.store().list_users().await.unwrap();
        let owners: Vec<_> = users.iter().filter(|user| user.role == Role::Owner).collect();
        assert_eq!(owners.len(), 1, "{users:?}");
        for email in [EMAIL, BOB] {
            house.store().set_user_role(email, Role::Owner).await.unwrap();
        }
        house.app.login.sessions().forget_known();
    }
}

#[tokio::test]
async fn who_was_demoted_elsewhere_a_moment_ago_may_not_even_while_this_server_does_not_know() {
    let house = House::with_ann().await;
    let ann = house.store().list_users().await.unwrap().remove(0);
    let bob = house.user(BOB, Role::Owner).await;
    let browser = house.browser().await;
    assert_eq!(browser.check().await.unwrap().roles, ["owner"]);
    house.store().set_user_role(EMAIL, Role::Viewer).await.unwrap();
    assert_eq!(browser.check().await.unwrap().roles, ["owner"], "known for ten seconds");
    let promoted = change(&browser, &ann, json!({"role": "owner"})).await;
    assert_eq!(promoted.refusal(), (403, "not_permitted"), "{promoted:?}");
    for answer in [
        invite(&browser, "owner").await,
        browser.send(Method::DELETE, &path(&bob)).await,
        browser.post(&format!("{}/reset", path(&bob)), &Value::Null).await,
        browser.send(Method::DELETE, "/api/v1/invitations/1").await,
    ] {
        assert_eq!(answer.refusal(), (403, "not_permitted"), "{answer:?}");
    }
}
