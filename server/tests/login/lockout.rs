//! Guessing passwords.

use std::net::IpAddr;

use futures_util::future::join_all;
use http::{StatusCode, header};
use trailmark_server::gateway::login::account_hash;
use trailmark_server::gateway::login::config::LockoutConfig;

use crate::house::{Answer, EMAIL, House, PASSWORD};

fn retry_after(answer: &Answer) -> u64 {
    answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn five_failures_lock_the_account_even_for_who_knows_the_password() {
    let house = House::with_ann().await;
    for _ in 0..5 {
        assert_eq!(
            house.log_in(EMAIL, "wrong").await.refusal(),
            (401, "invalid_credentials")
        );
    }
    let locked = house.log_in(EMAIL, PASSWORD).await;
    assert_eq!(locked.refusal(), (429, "locked_out"));
    assert!((1..=61).contains(&retry_after(&locked)), "{}", retry_after(&locked));
    house.pass(60);
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_success_clears_the_count() {
    let house = House::with_ann().await;
    for _ in 0..3 {
        for _ in 0..4 {
            house.log_in(EMAIL, "wrong").await;
        }
        assert_eq!(house.log_in(EMAIL, PASSWORD).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_unknown_account_is_answered_counted_and_locked_as_a_known_one() {
    let house = House::with_ann().await;
    house
        .user("disabled@example.com", trailmark_server::store::Role::Admin)
        .await;
    house.store().disable_user("disabled@example.com").await.unwrap();
    let mut told = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong"),
        ("nobody@example.com", PASSWORD),
        ("disabled@example.com", PASSWORD),
    ] {
        let mut answers = Vec::new();
        for _ in 0..7 {
            let mut answer = house.log_in(email, password).await;
            answer.json["request_id"] = "the same".into();
            answers.push((
                answer.status,
                answer.json,
                answer.headers.get(header::RETRY_AFTER).cloned(),
            ));
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    assert_eq!(told[0][6].0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn guesses_that_come_all_at_once_are_no_more_than_those_that_come_one_by_one() {
    let house = House::with_ann().await;
    let answers = join_all((0..30).map(|_| house.log_in(EMAIL, "wrong"))).await;
    let tried = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::UNAUTHORIZED)
        .count();
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn two_servers_count_together() {
    let one = House::with_ann().await;
    let other = House::over(one.store().clone());
    for _ in 0..2 {
        one.log_in(EMAIL, "wrong").await;
        other.log_in(EMAIL, "wrong").await;
    }
    one.log_in(EMAIL, "wrong").await;
    assert_eq!(other.log_in(EMAIL, PASSWORD).await.refusal(), (429, "locked_out"));
}

#[tokio::test]
async fn an_address_that_guesses_at_many_accounts_is_locked_and_others_are_not() {
    let house = House::with_ann().await;
    house.lockout(LockoutConfig {
        failures: 2,
        address_failures: 6,
        ..LockoutConfig::default()
    });
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    for stranger in 0..6 {
        let from = address(&format!("2001:db8::{stranger}"));
        house
            .log_in_from(from, &format!("{stranger}@example.com"), "wrong")
            .await;
    }
    let locked = house.log_in_from(address("2001:db8::77"), EMAIL, PASSWORD).await;
    assert_eq!(locked.refusal(), (429, "locked_out"), "the same /64");
    let neighbour = house.log_in_from(address("2001:db8:0:1::77"), EMAIL, PASSWORD).await;
    assert_eq!(neighbour.status, StatusCode::OK);
}

#[tokio::test]
async fn an_operator_unlocks() {
    let house = House::with_ann().await;
    for _ in 0..5 {
        house.log_in(EMAIL, "wrong").await;
    }
    let unlocked = house
        .store()
        .forget_login_failures(&account_hash("Ann@Example.com"))
        .await;
    assert!(unlocked.unwrap());
    assert_eq!(house.log_in(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_counts_no_more_is_swept_away_and_no_address_was_ever_written_down() {
    let house = House::with_ann().await;
    house.log_in("secret-admirer@example.com", "wrong").await;
    let rows = || async {
        sqlx::query_scalar::<_, String>("SELECT COALESCE(string_agg(t::text, ' '), '') FROM login_failures t")
            .fetch_one(house.store().pool())
            .await
            .unwrap()
    };
    let kept = rows().await;
    assert!(!kept.is_empty() && !kept.contains("admirer"), "{kept}");
    let browser = house.browser().await;
    house.pass(3601);
    let (app, now) = (&house.app, house.app.clock.now());
    app.login.sweep(now);
    app.login.forget_ended(&app.store, now).await.unwrap();
    assert_eq!(rows().await, "");
    assert!(browser.check().await.is_ok(), "a session stays");
    house.pass(31 * 24 * 3600);
    let (app, now) = (&house.app, house.app.clock.now());
    app.login.sweep(now);
    app.login.forget_ended(&app.store, now).await.unwrap();
    let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions")
        .fetch_one(house.store().pool())
        .await
        .unwrap();
    assert_eq!(sessions, 0);
}

/// That both verify a hash of the same parameters is a unit test of `password`; this is the order of magnitude of all the
/// rest. Without that hash an unknown account is answered twenty times as fast.
#[tokio::test]
async fn an_unknown_account_costs_what_a_known_one_costs() {
    let house = House::with_ann().await;
    let mut best = [std::time::Duration::MAX; 2];
    for round in 0..4 {
        for (index, email) in [EMAIL.to_owned(), format!("nobody{round}@example.com")]
            .iter()
            .enumerate()
        {
            let begun = std::time::Instant::now();
            assert_eq!(
                house.log_in(email, "wrong").await.refusal(),
                (401, "invalid_credentials")
            );
            best[index] = best[index].min(begun.elapsed());
        }
    }
    let ratio = best[1].as_secs_f64() / best[0].as_secs_f64();
    assert!((0.4..2.5).contains(&ratio), "{best:?}");
}
