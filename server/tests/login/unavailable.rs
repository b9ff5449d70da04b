//! While Postgres is away nobody is told that a session or a password is wrong.

use http::{Method, StatusCode};

use crate::house::{EMAIL, House, PASSWORD};

#[tokio::test]
async fn without_postgres_it_is_503_and_never_401_and_what_is_known_goes_on() {
    let house = House::with_ann().await;
    let (known, unknown) = (house.browser().await, house.browser().await);
    assert!(known.check().await.is_ok());
    house.store().close().await;
    assert_eq!(unknown.check().await, Err("keyring_unavailable"));
    for answer in [
        unknown.me().await,
        unknown.refresh().await,
        unknown.send(Method::POST, "/api/auth/logout").await,
        house.log_in(EMAIL, PASSWORD).await,
        house.log_in("nobody@example.com", "wrong").await,
    ] {
        assert_eq!(answer.refusal(), (503, "keyring_unavailable"), "{answer:?}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(known.check().await.is_ok(), "for ten seconds");
    assert_eq!(known.me().await.status, StatusCode::OK);
}
