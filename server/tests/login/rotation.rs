//! Refresh: tokens that are replaced, and what happens to whoever comes with an old one.

use http::{Method, StatusCode, header};

use crate::house::House;

#[tokio::test]
async fn a_refresh_replaces_the_token_and_keeps_what_the_page_sends() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let first = browser.cookie();
    let answer = browser.refresh().await;
    assert_eq!(
        (answer.status, &answer.json["csrf_token"]),
        (StatusCode::OK, &browser.csrf.clone().into())
    );
    assert_ne!(browser.cookie(), first);
    house.pass(60);
    assert!(browser.check().await.is_ok());
    assert_eq!(browser.refresh().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_replaced_token_presented_again_ends_the_session_for_whoever_has_it() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let stolen = browser.cookie();
    browser.refresh().await;
    house.pass(6);
    let thief = browser.send_with(&stolen, Method::POST, "/api/auth/refresh").await;
    assert_eq!(thief.refusal(), (401, "invalid_session"));
    assert_eq!(
        browser.refresh().await.refusal(),
        (401, "invalid_session"),
        "the whole family"
    );
}

#[tokio::test]
async fn a_thief_who_refreshes_first_is_found_out_by_the_owner() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let thiefs = browser
        .send_with(&browser.cookie(), Method::POST, "/api/auth/refresh")
        .await;
    let thiefs = thiefs.headers[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    house.pass(6);
    assert_eq!(browser.check().await, Err("invalid_session"));
    let thief = browser.send_with(&thiefs, Method::POST, "/api/auth/refresh").await;
    assert_eq!(thief.refusal(), (401, "invalid_session"));
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_go_on_with_one_new_token() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let old = browser.cookie();
    let tab = || browser.send_with(&old, Method::POST, "/api/auth/refresh");
    let (one, other) = tokio::join!(tab(), tab());
    assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK));
    let set = [&one, &other].map(|answer| answer.headers.contains_key(header::SET_COOKIE));
    assert_eq!(set.iter().filter(|set| **set).count(), 1, "{set:?}");
    house.pass(4);
    assert_eq!(tab().await.status, StatusCode::OK, "within five seconds");
    house.pass(1);
    assert_eq!(tab().await.refusal(), (401, "invalid_session"));
}

#[tokio::test]
async fn refreshing_in_a_loop_fills_no_table() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    for _ in 0..80 {
        assert_eq!(browser.refresh().await.status, StatusCode::OK);
        house.pass(1);
    }
    let tokens: i64 = sqlx::query_scalar("SELECT count(*) FROM session_tokens")
        .fetch_one(house.store().pool())
        .await
        .unwrap();
    assert_eq!(tokens, 65, "64 old ones and the one that opens");
}

#[tokio::test]
async fn no_token_is_kept_as_it_is() {
    let house = House::with_ann().await;
    let browser = house.browser().await;
    let token = browser.cookie().split_once('=').unwrap().1.to_owned();
    for table in ["users", "sessions", "session_tokens"] {
        let rows = sqlx::AssertSqlSafe(format!("SELECT COALESCE(string_agg(t::text, ' '), '') FROM {table} t"));
        let rows: String = sqlx::query_scalar(rows).fetch_one(house.store().pool()).await.unwrap();
        assert!(
            !rows.is_empty() && !rows.contains(&token) && !rows.contains(crate::house::PASSWORD),
            "{table}"
        );
    }
}
