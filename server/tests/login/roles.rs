//! Who may do what with the installation: each route, by everybody.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use trailmark_server::store::{KeyKind, Role};

use crate::house::{House, PASSWORD};

/// A route, with a body that is as it should be, and the least role that it takes.
type Asked = (Method, String, Value, Role);

/// None of them succeeds in changing anything: what they are about is not there.
fn routes() -> Vec<Asked> {
    let nobody = "019a9f3e-8a00-7000-8000-0000000000ff";
    vec![
        (Method::GET, "/api/v1/users".to_owned(), Value::Null, Role::Admin),
        (
            Method::PATCH,
            format!("/api/v1/users/{nobody}"),
            json!({"role": "viewer"}),
            Role::Owner,
        ),
        (
            Method::DELETE,
            format!("/api/v1/users/{nobody}"),
            Value::Null,
            Role::Owner,
        ),
        (
            Method::POST,
            format!("/api/v1/users/{nobody}/reset"),
            Value::Null,
            Role::Owner,
        ),
        (
            Method::POST,
            "/api/v1/invitations".to_owned(),
            json!({"role": "owner", "email": "no address"}),
            Role::Owner,
        ),
        (
            Method::DELETE,
            "/api/v1/invitations/7".to_owned(),
            Value::Null,
            Role::Owner,
        ),
        (
            Method::POST,
            "/api/v1/projects".to_owned(),
            json!({"name": ""}),
            Role::Admin,
        ),
        (
            Method::PATCH,
            "/api/v1/projects/7".to_owned(),
            json!({"name": "x"}),
            Role::Admin,
        ),
        (Method::GET, "/api/v1/server".to_owned(), Value::Null, Role::Viewer),
        (Method::GET, "/api/v1/gateway".to_owned(), Value::Null, Role::Admin),
        (Method::GET, "/api/v1/projects".to_owned(), Value::Null, Role::Viewer),
        (
            Method::POST,
            "/api/v1/keys?project=1".to_owned(),
            json!({"kind": "write", "name": ""}),
            Role::Admin,
        ),
        (
            Method::GET,
            "/api/v1/keys?project=1".to_owned(),
            Value::Null,
            Role::Admin,
        ),
        (
            Method::DELETE,
            "/api/v1/keys/7?project=1".to_owned(),
            Value::Null,
            Role::Admin,
        ),
        (
            Method::GET,
            "/api/v1/strangers?project=1".to_owned(),
            Value::Null,
            Role::Admin,
        ),
    ]
}

/// Those that a key may ask, too.
fn takes_keys(path: &str) -> bool {
    ["/api/v1/projects", "/api/v1/strangers"]
        .iter()
        .any(|known| path.split('?').next() == Some(known))
        || path.starts_with("/api/v1/keys")
}

#[tokio::test]
async fn each_role_may_do_what_takes_it_or_less_and_is_told_what_is_missing() {
    let house = House::new().await;
    house.store().create_project("Shop").await.unwrap();
    for role in Role::ALL {
        let browser = house.browser_as(&format!("{}@example.com", role.as_str()), role).await;
        for (method, path, body, least) in routes() {
            let answer = browser.send_json(method.clone(), &path, &body).await;
            let may = role.covers(least);
            assert_eq!(
                answer.refusal() == (403, "not_permitted"),
                !may,
                "{} {method} {path}: {answer:?}",
                role.as_str()
            );
            if !may {
                let detail = answer.json["detail"].as_str().unwrap();
                assert!(
                    detail.contains(&format!("takes the role {}", least.as_str())),
                    "{detail}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_secret_key_is_of_its_project_and_not_of_the_installation() {
    let house = House::with_ann().await;
    let project = house.store().create_project("Shop").await.unwrap().id;
    let key = house
        .store()
        .create_key(project, KeyKind::Secret, "k")
        .await
        .unwrap()
        .text;
    for (method, path, body, _) in routes() {
        let is_read = method == Method::GET;
        if takes_keys(&path) && (is_read || path.contains("/keys")) {
            continue;
        }
        // Beside an owner's session, too: what was sent on purpose counts.
        let session = house.browser().await;
        let request = Request::builder().method(method.clone()).uri(&path);
        let request = request
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::COOKIE, session.cookie())
            .header("x-csrf-token", &session.csrf);
        let answer = house.ask(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.refusal(), (403, "not_permitted"), "{method} {path}");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_session_and_no_other_page_with_one() {
    let house = House::with_ann().await;
    house.store().create_project("Shop").await.unwrap();
    let browser = house.browser().await;
    for (method, path, body, _) in routes() {
        let request = || Request::builder().method(method.clone()).uri(&path);
        let body = || Body::from(body.to_string());
        let stranger = house.ask(request().body(body()).unwrap()).await;
        assert_eq!(stranger.status, 401, "{method} {path}: {stranger:?}");
        if method == Method::GET {
            continue;
        }
        let forged = request().header(header::COOKIE, browser.cookie());
        let forged = house.ask(forged.body(body()).unwrap()).await;
        assert_eq!(forged.refusal(), (403, "csrf_failed"), "{method} {path}");
    }
    assert_eq!(house.log_in("ann@example.com", PASSWORD).await.status, 200);
}
