//! Projects and their keys, made by those who are logged in.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use trailmark_server::clock::Clock;
use trailmark_server::store::{KeyKind, Role};

use crate::house::{Answer, EMAIL, House};

/// Sends one event with a key.
async fn event(house: &House, key: &str) -> Answer {
    let request = Request::post("/v1/batch").header(header::AUTHORIZATION, format!("Bearer {key}"));
    let body = Body::from(r#"{"batch":[{"event":"e","user_id":"u_7"}]}"#);
    house.ask(request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_new_project_has_a_key_that_sends_at_once() {
    let house = House::with_ann().await;
    let ann = house.browser().await;
    let made = ann.post("/api/v1/projects", &json!({"name": "Shop"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(
        (&made.json["project"]["id"], &made.json["project"]["name"]),
        (&json!(1), &json!("Shop"))
    );
    let key = made.json["write_key"]["text"].as_str().unwrap();
    assert!(key.starts_with("tm_pk_") && key.ends_with(&made.json["write_key"]["hint"].as_str().unwrap()[9..]));
    assert_eq!(event(&house, key).await.status, StatusCode::ACCEPTED);
    let renamed = ann
        .send_json(Method::PATCH, "/api/v1/projects/1", &json!({"name": "Store"}))
        .await;
    assert_eq!(
        (renamed.status, &renamed.json["name"]),
        (StatusCode::OK, &json!("Store"))
    );
    let listed = ann.get("/api/v1/projects").await.json;
    assert_eq!(listed["projects"], json!([renamed.json]));
    for (path, name, code) in [
        ("/api/v1/projects/2", "x", (404, "not_found")),
        ("/api/v1/projects/99999999999", "x", (400, "invalid_parameter")),
        ("/api/v1/projects/1", "", (400, "invalid_parameter")),
        ("/api/v1/projects/1", &*"x".repeat(201), (400, "invalid_parameter")),
    ] {
        let answer = ann.send_json(Method::PATCH, path, &json!({"name": name})).await;
        assert_eq!(answer.refusal(), code, "{path} {name}");
    }
}

#[tokio::test]
async fn a_secret_key_sees_its_own_project_and_no_other() {
    let house = House::new().await;
    for name in ["Shop", "Blog"] {
        house.store().create_project(name).await.unwrap();
    }
    let key = house.store().create_key(2, KeyKind::Secret, "k").await.unwrap().text;
    let seen = house.get_with(&key, "/api/v1/projects").await.json;
    assert_eq!(seen["projects"].as_array().unwrap().len(), 1);
    assert_eq!(seen["projects"][0]["name"], "Blog");
    let write = house.store().create_key(2, KeyKind::Write, "k").await.unwrap().text;
    assert_eq!(
        house.get_with(&write, "/api/v1/projects").await.refusal(),
        (403, "wrong_key_kind")
    );
    assert_eq!(
        house.get_with("tm_sk_x", "/api/v1/projects").await.refusal(),
        (401, "unknown_key")
    );
}

#[tokio::test]
async fn a_key_is_shown_once_opens_at_once_and_ends_at_once() {
    let house = House::new().await;
    for name in ["Shop", "Blog"] {
        house.store().create_project(name).await.unwrap();
    }
    let admin = house.browser_as(EMAIL, Role::Admin).await;
    let asked = json!({"kind": "write", "name": "website"});
    let made = admin.post("/api/v1/keys?project=1", &asked).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let (key, text) = (&made.json["key"], made.json["text"].as_str().unwrap());
    assert_eq!((&key["kind"], &key["name"]), (&json!("write"), &json!("website")));
    assert_eq!((&key["last_used_at"], &key["revoked_at"]), (&Value::Null, &Value::Null));
    assert_eq!(event(&house, text).await.status, StatusCode::ACCEPTED);
    let used = house.app.keyring.take_used();
    house.store().touch_keys(&used, house.clock.now()).await.unwrap();
    let listed = admin.get("/api/v1/keys?project=1").await.json;
    assert_eq!(listed["keys"][0]["last_used_at"], house.clock.now().to_string());
    assert!(!listed.to_string().contains(text));
    assert_eq!(admin.get("/api/v1/keys?project=2").await.json["keys"], json!([]));

    let of_it = format!("/api/v1/keys/{}", key["id"]);
    let other = admin.send(Method::DELETE, &format!("{of_it}?project=2")).await;
    assert_eq!(other.refusal(), (404, "not_found"), "it is of another project");
    let revoked = admin.send(Method::DELETE, &format!("{of_it}?project=1")).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(event(&house, text).await.refusal(), (401, "unknown_key"));
    let listed = admin.get("/api/v1/keys?project=1").await.json;
    assert!(listed["keys"][0]["revoked_at"].is_string());
    let again = admin.send(Method::DELETE, &format!("{of_it}?project=1")).await;
    assert_eq!(again.refusal(), (404, "not_found"));
    let nowhere = admin.post("/api/v1/keys?project=7", &asked).await;
    assert_eq!(nowhere.refusal(), (404, "not_found"));
    let odd = admin
        .post("/api/v1/keys?project=1", &json!({"kind": "root", "name": "x"}))
        .await;
    assert_eq!(odd.refusal(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn there_are_no_more_keys_and_projects_than_a_server_can_hold() {
    let house = House::with_ann().await;
    house.store().create_project("Shop").await.unwrap();
    for sql in [
        "INSERT INTO api_keys (project_id, kind, key_hash, hint, name)
         SELECT 1, 'write', sha256(n::text::bytea), 'h', 'n' FROM generate_series(1, 999) n",
        "INSERT INTO projects (name) SELECT 'p' FROM generate_series(1, 998)",
    ] {
        sqlx::query(sql).execute(house.store().pool()).await.unwrap();
    }
    let ann = house.browser().await;
    for (path, body) in [
        ("/api/v1/keys?project=1", json!({"kind": "write", "name": "x"})),
        ("/api/v1/projects", json!({"name": "x"})),
    ] {
        assert_eq!(ann.post(path, &body).await.status, StatusCode::CREATED, "{path}");
        assert_eq!(
            ann.post(path, &body).await.refusal(),
            (400, "invalid_parameter"),
            "{path}"
        );
    }
}
