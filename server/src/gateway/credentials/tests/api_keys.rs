//! API keys, from headers to a caller.

use http::{HeaderMap, HeaderValue};
use sqlx::postgres::PgConnectOptions;

use super::*;
use crate::gateway::caller::Proof;
use crate::gateway::credentials::{ApiKeyConfig, ApiKeys};
use crate::gateway::keyring::{Grant, Keyring};
use crate::gateway::problem::{Code, Problem};
use crate::store::{KeyKind, Store, hash_key};

const KEY: &str = "8d1f0ab37c5e492266b0d4f1a97e3c58";
const WRITE_KEY: &str = "tm_pk_1234567890";
const SECRET_KEY: &str = "tm_sk_1234567890";

/// Keys, a keyring that knows two, and a database that never answers.
struct House {
    keys: ApiKeys,
    keyring: Keyring,
    store: Store,
    _folder: tempfile::TempDir,
}

impl House {
    fn new(more: &str) -> Self {
        let hash: String = hash_key(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
        let config: ApiKeyConfig = toml::from_str(&format!(
            "{more}\n[[keys]]\nid = \"billing\"\nsha256 = \"{hash}\"\nuser = \"u_9\"\nroles = [\"service\"]\n\
             scopes = [\"orders:read\"]\nexpires = \"2027-01-16T00:00:00Z\""
        ))
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let saved = folder.path().join("keyring.json");
        let grants = [(WRITE_KEY, 1, KeyKind::Write), (SECRET_KEY, 2, KeyKind::Secret)];
        let grants = grants.map(|(key, key_id, kind)| {
            (
                hash_key(key),
                Grant {
                    project_id: 7,
                    key_id,
                    kind,
                },
            )
        });
        std::fs::write(&saved, serde_json::to_vec(&grants).unwrap()).unwrap();
        Self {
            keys: ApiKeys::new(&config).unwrap(),
            keyring: Keyring::open(&saved),
            // Nothing listens on port 1.
            store: Store::connect(PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(1), 1),
            _folder: folder,
        }
    }

    async fn check_at(&self, headers: &[(&'static str, &str)], now: Timestamp) -> Option<Result<Caller, Problem>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        self.keys.check(&map, &self.keyring, &self.store, now).await
    }

    async fn check(&self, headers: &[(&'static str, &str)]) -> Option<Result<Caller, Problem>> {
        self.check_at(headers, NOW).await
    }

    async fn code(&self, headers: &[(&'static str, &str)]) -> Code {
        self.check(headers).await.unwrap().unwrap_err().code()
    }
}

#[tokio::test]
async fn a_declared_key_tells_its_caller() {
    let caller = House::new("").check(&[("x-api-key", KEY)]).await.unwrap().unwrap();
    assert_eq!(
        (caller.proof, caller.key.as_deref(), caller.user.as_deref()),
        (Proof::Key, Some("billing"), Some("u_9"))
    );
    assert_eq!(
        (caller.roles, caller.scopes),
        (vec!["service".to_owned()], vec!["orders:read".to_owned()])
    );
    assert_eq!(
        (&caller.claims["sub"], &caller.claims["scope"]),
        (&json!("u_9"), &json!("orders:read"))
    );
}

#[tokio::test]
async fn a_declared_key_ends_at_its_time() {
    let (house, end) = (House::new(""), Timestamp::parse("2027-01-16T00:00:00Z").unwrap());
    assert!(
        house
            .check_at(&[("x-api-key", KEY)], end.plus_micros(-1))
            .await
            .unwrap()
            .is_ok()
    );
    let refused = house.check_at(&[("x-api-key", KEY)], end).await.unwrap().unwrap_err();
    assert_eq!(
        (refused.code(), refused.detail()),
        (Code::UnknownKey, "this key has expired")
    );
}

#[tokio::test]
async fn keys_of_projects_open_with_the_scopes_of_their_kind_in_either_header() {
    let house = House::new("");
    let (write, secret) = (format!("Bearer {WRITE_KEY}"), format!("bearer  {SECRET_KEY} "));
    for headers in [[("x-api-key", WRITE_KEY)], [("authorization", write.as_str())]] {
        let caller = house.check(&headers).await.unwrap().unwrap();
        assert_eq!((caller.key.as_deref(), caller.user), (Some("project/7/1"), None));
        assert_eq!(caller.scopes, ["events:write"]);
        assert_eq!(caller.claims["project_id"], 7);
    }
    let caller = house.check(&[("authorization", &secret)]).await.unwrap().unwrap();
    assert_eq!((caller.key.as_deref(), caller.scopes.len()), (Some("project/7/2"), 3));
    assert!(
        ["events:write", "read", "admin"]
            .iter()
            .all(|scope| caller.scopes.iter().any(|has| has == scope))
    );
}

#[tokio::test]
async fn no_key_is_no_answer_and_a_token_is_no_key() {
    let house = House::new("");
    let token = format!("Bearer {}", token("ES256"));
    for headers in [
        &[][..],
        &[("authorization", token.as_str())],
        &[("authorization", "Basic dG1fOg==")],
        &[("authorization", "tm_pk_1")],
    ] {
        assert!(house.check(headers).await.is_none(), "{headers:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_unknown_double_or_endless_is_refused() {
    let house = House::new("");
    assert_eq!(
        house.code(&[("x-api-key", "8d1f0ab37c5e492266b0d4f1a97e3c59")]).await,
        Code::UnknownKey
    );
    assert_eq!(house.code(&[("x-api-key", "")]).await, Code::UnknownKey);
    assert_eq!(
        house.code(&[("x-api-key", KEY), ("x-api-key", KEY)]).await,
        Code::UnknownKey
    );
    assert_eq!(house.code(&[("x-api-key", &"x".repeat(513))]).await, Code::UnknownKey);
    let hash: String = hash_key(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        house.code(&[("x-api-key", &hash)]).await,
        Code::UnknownKey,
        "the hash is not the key"
    );
}

#[tokio::test(start_paused = true)]
async fn whether_a_projects_key_is_good_cannot_be_said_while_the_database_is_away() {
    let house = House::new("");
    assert_eq!(
        house.code(&[("x-api-key", "tm_pk_unknown")]).await,
        Code::KeyringUnavailable
    );
}

#[tokio::test]
async fn keys_of_projects_open_nothing_where_they_are_not_wanted() {
    let house = House::new("project_keys = false");
    assert_eq!(house.code(&[("x-api-key", SECRET_KEY)]).await, Code::UnknownKey);
    assert!(house.check(&[("x-api-key", KEY)]).await.unwrap().is_ok());
}

#[tokio::test]
async fn the_header_is_the_one_of_the_configuration() {
    let house = House::new("header = \"X-Service-Key\"");
    assert!(house.check(&[("x-service-key", KEY)]).await.unwrap().is_ok());
    assert!(house.check(&[("x-api-key", KEY)]).await.is_none());
}
