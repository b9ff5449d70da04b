//! Migrations, projects and keys.

use sqlx::AssertSqlSafe;
use trailmark_server::store::{KeyKind, Store, StoreError, hash_key};

use crate::history::{NOW, at};
use crate::support;

#[tokio::test]
async fn migrating_twice_or_by_two_servers_at_once_changes_nothing() {
    let options = support::empty_database().await;
    let (one, two) = (Store::connect(options.clone(), 2), Store::connect(options, 2));
    let (first, second) = tokio::join!(one.migrate(), two.migrate());
    first.and(second).unwrap();
    let applied = || async {
        sqlx::query_as::<_, (i64, Vec<u8>)>("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(one.pool())
            .await
            .unwrap()
    };
    let before = applied().await;
    one.migrate().await.unwrap();
    assert_eq!(applied().await, before);
    assert_eq!(before.last().unwrap().0, Store::known_version());
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused_in_words() {
    let store = support::store().await;
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'future', now(), true, '\\x00', 1)")
        .execute(store.pool())
        .await
        .unwrap();
    let refusal = store.migrate().await.unwrap_err();
    assert!(
        matches!(refusal, StoreError::NewerSchema { found: 9999, .. }),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("start the newer release"), "{refusal}");
}

#[tokio::test]
async fn every_table_column_and_index_has_a_comment() {
    let store = support::store().await;
    store.make_weeks_ahead(at(NOW)).await.unwrap();
    let uncommented = "
        SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'i', 'I')
          AND NOT c.relispartition AND c.relname NOT LIKE '\\_sqlx%'
          AND (obj_description(c.oid, 'pg_class') IS NULL
               OR (a.attnum IS NOT NULL AND col_description(c.oid, a.attnum) IS NULL))";
    let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(uncommented))
        .fetch_all(store.pool())
        .await
        .unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_key_opens_by_its_hash_until_it_is_revoked() {
    let store = support::store().await;
    let project = store.create_project("shop").await.unwrap();
    assert_eq!(store.list_projects().await.unwrap(), std::slice::from_ref(&project));
    assert_eq!(store.project(project.id).await.unwrap(), Some(project.clone()));
    let write = store.create_key(project.id, KeyKind::Write, "web").await.unwrap();
    let secret = store.create_key(project.id, KeyKind::Secret, "ci").await.unwrap();
    let ring = store.load_keyring().await.unwrap();
    assert_eq!(ring.len(), 2);
    assert!(
        ring.iter()
            .any(|row| row.hash == hash_key(&write.text) && row.kind == KeyKind::Write)
    );

    assert!(store.revoke_key(project.id, write.key.id).await.unwrap());
    assert!(!store.revoke_key(project.id, write.key.id).await.unwrap());
    store.touch_keys(&[(project.id, secret.key.id)], at(NOW)).await.unwrap();
    let ring = store.load_keyring().await.unwrap();
    assert_eq!(ring.iter().map(|row| row.id).collect::<Vec<_>>(), [secret.key.id]);
    let keys = store.list_keys(Some(project.id)).await.unwrap();
    assert!(keys[0].revoked_at.is_some() && keys[1].last_used_at == Some(at(NOW)));
    assert!(store.list_keys(Some(project.id + 1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn no_key_is_made_for_a_project_that_is_not_there() {
    let store = support::store().await;
    let refusal = store.create_key(7, KeyKind::Write, "web").await.unwrap_err();
    assert!(matches!(refusal, StoreError::NoProject(7)), "{refusal}");
}
