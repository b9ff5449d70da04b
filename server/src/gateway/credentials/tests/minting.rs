//! What the login hands out, its own verifier takes.

use std::time::Duration;

use super::*;
use crate::gateway::credentials::Minter;
use crate::gateway::units::Secret;

const LIFE: Duration = Duration::from_secs(15 * 60);

fn minter(issuer: &str, secret: &str) -> Minter {
    Minter::new(issuer, vec!["api".to_owned()], &Secret::new(secret), LIFE)
}

fn mint(minter: &Minter) -> String {
    minter.mint(
        "u_7",
        Some("ada@example.org"),
        &["admin".to_owned(), "user".to_owned()],
        NOW,
    )
}

fn trailmark() -> Tokens {
    tokens(&format!(
        "issuer = \"trailmark\"\naudience = [\"api\"]\nsecret = \"{SECRET}\"\nalgorithms = [\"HS256\"]\nleeway = \"0s\""
    ))
}

#[tokio::test]
async fn a_minted_token_tells_its_caller_until_it_expires() {
    let token = mint(&minter("trailmark", SECRET));
    let caller = judged(&trailmark(), &token).await.unwrap();
    assert_eq!(
        (caller.user.as_deref(), caller.email.as_deref()),
        (Some("u_7"), Some("ada@example.org"))
    );
    assert_eq!(caller.roles, ["admin", "user"]);
    let end = NOW.plus_micros(i64::try_from(LIFE.as_micros()).unwrap());
    assert!(trailmark().judge(&token, end.plus_micros(-1)).await.is_ok());
    assert_eq!(trailmark().judge(&token, end).await.unwrap_err(), Reason::Expired);
}

#[tokio::test]
async fn it_says_the_user_and_the_role_under_the_names_of_older_gateways_too() {
    let claims = judged(&trailmark(), &mint(&minter("trailmark", SECRET)))
        .await
        .unwrap()
        .claims
        .clone();
    assert_eq!(
        (&claims["userId"], &claims["role"], &claims["sub"]),
        (&json!("u_7"), &json!("admin"), &json!("u_7"))
    );
    assert_eq!(
        (&claims["iat"], &claims["exp"]),
        (&json!(1_800_000_100), &json!(1_800_001_000))
    );
}

#[tokio::test]
async fn two_tokens_of_the_same_moment_differ() {
    let minter = minter("trailmark", SECRET);
    assert_ne!(mint(&minter), mint(&minter), "by jti");
}

#[tokio::test]
async fn a_token_of_another_house_is_refused() {
    let other_secret = mint(&minter("trailmark", "another-one-of-at-least-32-bytes!!"));
    assert_eq!(refused(&trailmark(), &other_secret).await, Reason::BadSignature);
    assert_eq!(
        refused(&trailmark(), &mint(&minter("other", SECRET))).await,
        Reason::WrongIssuer
    );
    let for_others = Minter::new("trailmark", vec!["web".to_owned()], &Secret::new(SECRET), LIFE);
    assert_eq!(refused(&trailmark(), &mint(&for_others)).await, Reason::WrongAudience);
}

#[test]
fn a_minter_does_not_print_its_secret() {
    assert!(!format!("{:?} {:?}", minter("trailmark", SECRET), secret()).contains(SECRET));
}
