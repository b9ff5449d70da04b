//! What becomes of a user's sessions when the user changes.

use http::StatusCode;
use trailmark_server::gateway::login::password::hash;
use trailmark_server::gateway::login::sessions::CHECKED_FOR;
use trailmark_server::store::Role;

use crate::house::{EMAIL, House, PASSWORD};

const OTHER: &str = "bob@example.com";

#[tokio::test]
async fn a_disabled_user_can_neither_log_in_nor_go_on() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let disabled = house.store().disable_user(EMAIL).await.unwrap().unwrap();
    assert!(disabled.disabled_at.is_some());
    assert_eq!(browser.check().await, Err("invalid_session"));
    assert_eq!(browser.refresh().await.refusal(), (401, "invalid_session"));
    assert_eq!(
        house.log_in(EMAIL, PASSWORD).await.refusal(),
        (401, "invalid_credentials")
    );
    house.store().enable_user(EMAIL).await.unwrap().unwrap();
    assert_eq!(browser.check().await, Err("invalid_session"), "what was ended stays so");
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_erased_user_takes_the_sessions_along() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    assert!(house.store().erase_user(EMAIL).await.unwrap());
    assert!(!house.store().erase_user(EMAIL).await.unwrap());
    assert_eq!(browser.check().await, Err("invalid_session"));
    let left: i64 =
        sqlx::query_scalar("SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM session_tokens)")
            .fetch_one(house.store().pool())
            .await
            .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn another_password_ends_the_sessions_of_the_old_one() {
    let house = House::with_ann().await;
    house.user(OTHER, Role::Viewer).await;
    let browser = house.browser().await;
    let new = hash("another long password").unwrap();
    house.store().set_user_password(EMAIL, &new).await.unwrap().unwrap();
    assert_eq!(browser.check().await, Err("invalid_session"));
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        house.log_in(EMAIL, "another long password").await.status,
        StatusCode::OK
    );
    assert_eq!(
        house.log_in(OTHER, PASSWORD).await.status,
        StatusCode::OK,
        "somebody else's"
    );
}

/// Time stands still for the server's timers too, and is moved by hand.
#[tokio::test]
async fn what_is_known_of_a_session_is_asked_again_after_ten_seconds() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    assert_eq!(browser.check().await.unwrap().roles, ["owner"]);
    house.store().set_user_role(EMAIL, Role::Viewer).await.unwrap().unwrap();
    house.store().disable_user(EMAIL).await.unwrap().unwrap();
    assert_eq!(
        browser.check().await.unwrap().roles,
        ["owner"],
        "known for a moment, and Postgres is not asked"
    );
    tokio::time::pause();
    tokio::time::advance(CHECKED_FOR).await;
    tokio::time::resume();
    assert_eq!(browser.check().await, Err("invalid_session"));
}

#[tokio::test]
async fn a_session_has_the_role_that_the_user_has_now() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    house.store().set_user_role(EMAIL, Role::Viewer).await.unwrap().unwrap();
    assert_eq!(browser.refresh().await.json["user"]["role"], "viewer");
    assert!(!browser.check().await.unwrap().has_any_role(&["admin".to_owned()]));
}

#[tokio::test]
async fn no_two_users_have_one_address_and_only_known_roles_are_kept() {
    let house = House::with_ann().await;
    let refused = house
        .store()
        .create_user("ANN@example.com", "x", Role::Viewer, house.app.clock.now())
        .await;
    assert!(refused.unwrap_err().is_duplicate());
    let made_up = sqlx::query("UPDATE users SET role = 'root'")
        .execute(house.store().pool())
        .await;
    assert!(made_up.is_err());
    assert_eq!(house.store().list_users().await.unwrap().len(), 1);
    assert!(house.store().set_user_role(OTHER, Role::Admin).await.unwrap().is_none());
}
