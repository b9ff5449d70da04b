//! What a team keeps on its dashboard: who may change it, and what a link shows to somebody who is nobody.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use trailmark_protocol::Uuid;
use trailmark_server::event::{AcceptedEvent, BatchHead, BatchWriter};
use trailmark_server::store::Role;

use crate::house::{Answer, EMAIL, House, PASSWORD};

/// Somebody who is logged in, with a project.
struct Caller<'a> {
    house: &'a House,
    cookie: String,
    csrf: String,
    project: i32,
}

impl<'a> Caller<'a> {
    async fn new(house: &'a House, email: &str, role: Role, project: i32) -> Self {
        house.user(email, role).await;
        let answer = house.log_in(email, PASSWORD).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        Self {
            house,
            cookie: cookie.split(';').next().unwrap().to_owned(),
            csrf: answer.json["csrf_token"].as_str().unwrap().to_owned(),
            project,
        }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, &self.cookie);
        let request = request
            .header("x-csrf-token", &self.csrf)
            .header("sec-fetch-site", "same-origin");
        let request = request.header("trailmark-project", self.project);
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        self.house.ask(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json
    }

    async fn made(&self, path: &str, body: Value) -> Value {
        let answer = self.ask(Method::POST, path, &body).await;
        assert_eq!(answer.status, 201, "{path}: {answer:?}");
        answer.json
    }

    /// Two saved questions: about what happens, and a funnel.
    async fn questions(&self) -> (i64, i64) {
        let trends = json!({"name": "Signups", "query": {"kind": "trends", "series": [{"event": "signup"}]}});
        let funnel = json!({"name": "Checkout", "query":
            {"kind": "funnel", "steps": [{"event": "signup"}, {"event": "checkout"}]}});
        let trends = self.made("/api/v1/saved_queries", trends).await;
        let funnel = self.made("/api/v1/saved_queries", funnel).await;
        (trends["id"].as_i64().unwrap(), funnel["id"].as_i64().unwrap())
    }
}

async fn project(house: &House) -> i32 {
    house.store().create_project("Shop").await.unwrap().id
}

/// Ann signs up, a minute before now.
async fn signup(house: &House, project: i32) {
    let at = house.app.clock.now().plus_micros(-60_000_000);
    let head = BatchHead {
        project_id: project,
        received_at: at,
        install_id: None,
    };
    let event = AcceptedEvent {
        id: trailmark_protocol::id::v7(u64::try_from(at.millis()).unwrap(), [7; 10]),
        seq: None,
        name: "signup",
        anonymous_id: None,
        user_id: Some("ann"),
        alias: None,
        session_id: None,
        timestamp: at,
        client_timestamp: at,
        properties: None,
        context: None,
        set: None,
        set_once: None,
    };
    let mut batch = BatchWriter::new(&head, 0);
    batch.push(&event);
    house.store().write(Uuid::now_v7(), 1, &[batch.finish()]).await.unwrap();
}

async fn shared(house: &House, token: &str) -> Answer {
    let request = Request::get("/api/v1/shared").header(header::AUTHORIZATION, format!("Bearer {token}"));
    house.ask(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_dashboard_keeps_its_tiles_in_order_and_loses_those_whose_question_is_deleted() {
    let house = House::new().await;
    let ann = Caller::new(&house, EMAIL, Role::Admin, project(&house).await).await;
    let (trends, funnel) = ann.questions().await;
    let tiles = json!([{"saved_query": funnel, "view": "table", "wide": true}, {"saved_query": trends}]);
    let made = ann
        .made("/api/v1/dashboards", json!({"name": "Weekly", "tiles": tiles}))
        .await;
    let path = format!("/api/v1/dashboards/{}", made["id"]);
    assert_eq!(
        made["tiles"][0],
        json!({"saved_query": funnel, "view": "table", "wide": true})
    );
    assert_eq!(
        made["tiles"][1],
        json!({"saved_query": trends, "view": "chart", "wide": false})
    );
    assert_eq!(made["created_by"], EMAIL);

    let turned = json!({"tiles": [{"saved_query": trends}, {"saved_query": funnel}]});
    let changed = ann.ask(Method::PATCH, &path, &turned).await;
    assert_eq!(changed.json["tiles"][0]["saved_query"], trends, "{changed:?}");
    assert_eq!(changed.json["name"], "Weekly");

    let deleted = ann
        .ask(Method::DELETE, &format!("/api/v1/saved_queries/{trends}"), &Value::Null)
        .await;
    assert_eq!(deleted.status, 204);
    assert_eq!(ann.get(&path).await["tiles"].as_array().unwrap().len(), 1);
    assert_eq!(
        ann.get("/api/v1/dashboards").await["dashboards"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(ann.ask(Method::DELETE, &path, &Value::Null).await.status, 204);
    assert_eq!(
        ann.ask(Method::DELETE, &path, &Value::Null).await.refusal(),
        (404, "not_found")
    );
    assert_eq!(
        ann.get("/api/v1/saved_queries").await["saved_queries"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "questions stay"
    );
}

#[tokio::test]
async fn what_a_dashboard_cannot_show_is_refused_by_its_place() {
    let house = House::new().await;
    let ann = Caller::new(&house, EMAIL, Role::Admin, project(&house).await).await;
    let (trends, _) = ann.questions().await;
    let other = Caller {
        project: project(&house).await,
        csrf: ann.csrf.clone(),
        cookie: ann.cookie.clone(),
        house: &house,
    };
    let many: Vec<_> = (0..25).map(|_| json!({"saved_query": trends})).collect();
    for (caller, body, what) in [
        (&ann, json!({"name": ""}), "name"),
        (&ann, json!({"name": "x", "tiles": [{"saved_query": 99}]}), "tiles"),
        (&ann, json!({"name": "x", "tiles": many}), "tiles"),
        (
            &ann,
            json!({"name": "x", "tiles": [{"saved_query": trends, "view": "pie"}]}),
            "tiles[0].view",
        ),
        (
            &other,
            json!({"name": "x", "tiles": [{"saved_query": trends}]}),
            "tiles",
        ),
    ] {
        let answer = caller.ask(Method::POST, "/api/v1/dashboards", &body).await;
        assert_eq!(answer.refusal(), (400, "invalid_parameter"), "{body}");
        assert!(answer.json["detail"].as_str().unwrap().contains(what), "{answer:?}");
    }
    assert_eq!(
        ann.get("/api/v1/dashboards").await,
        json!({"dashboards": []}),
        "nothing half made is left"
    );
}

#[tokio::test]
async fn a_viewer_looks_at_dashboards_and_changes_nothing() {
    let house = House::new().await;
    let project = project(&house).await;
    let ann = Caller::new(&house, EMAIL, Role::Owner, project).await;
    let (trends, _) = ann.questions().await;
    let made = ann
        .made(
            "/api/v1/dashboards",
            json!({"name": "Weekly", "tiles": [{"saved_query": trends}]}),
        )
        .await;
    let note = ann.made("/api/v1/annotations", json!({"text": "2.4.0 is out"})).await;
    let viewer = Caller::new(&house, "vic@example.com", Role::Viewer, project).await;
    assert_eq!(
        viewer.get(&format!("/api/v1/dashboards/{}", made["id"])).await["name"],
        "Weekly"
    );
    assert_eq!(
        viewer.get("/api/v1/annotations").await["annotations"][0]["text"],
        "2.4.0 is out"
    );
    for (method, path, body) in [
        (Method::POST, "/api/v1/dashboards".to_owned(), json!({"name": "Mine"})),
        (
            Method::PATCH,
            format!("/api/v1/dashboards/{}", made["id"]),
            json!({"name": "Mine"}),
        ),
        (
            Method::DELETE,
            format!("/api/v1/dashboards/{}", made["id"]),
            Value::Null,
        ),
        (
            Method::POST,
            "/api/v1/shares".to_owned(),
            json!({"saved_query": trends}),
        ),
        (Method::POST, "/api/v1/annotations".to_owned(), json!({"text": "x"})),
        (
            Method::DELETE,
            format!("/api/v1/annotations/{}", note["id"]),
            Value::Null,
        ),
    ] {
        let answer = viewer.ask(method, &path, &body).await;
        assert_eq!(answer.refusal(), (403, "not_permitted"), "{path}");
    }
}

#[tokio::test]
async fn a_link_shows_one_dashboard_to_somebody_who_is_nobody_and_nothing_else() {
    let house = House::new().await;
    let project = project(&house).await;
    let ann = Caller::new(&house, EMAIL, Role::Admin, project).await;
    signup(&house, project).await;
    let (trends, funnel) = ann.questions().await;
    let tiles = json!([{"saved_query": trends}, {"saved_query": funnel, "view": "table"}]);
    let made = ann
        .made("/api/v1/dashboards", json!({"name": "Weekly", "tiles": tiles}))
        .await;
    ann.made("/api/v1/annotations", json!({"text": "2.4.0 is out"})).await;
    let link = ann.made("/api/v1/shares", json!({"dashboard": made["id"]})).await;
    let token = link["token"].as_str().unwrap();

    let answer = shared(&house, token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        (&answer.json["name"], &answer.json["project"]),
        (&json!("Weekly"), &json!("Shop"))
    );
    let tiles = answer.json["tiles"].as_array().unwrap();
    assert_eq!(tiles[0]["name"], "Signups");
    assert_eq!(tiles[0]["answer"]["results"][0]["total"], 1.0, "{}", tiles[0]);
    assert_eq!(
        (&tiles[1]["name"], &tiles[1]["view"]),
        (&json!("Checkout"), &json!("table"))
    );
    assert_eq!(answer.json["annotations"][0]["text"], "2.4.0 is out");

    let request = Request::get("/api/v1/persons").header(header::AUTHORIZATION, format!("Bearer {token}"));
    let other = house.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(other.status, 401, "a link is no key");
    let listed = ann.get("/api/v1/shares").await;
    assert!(!listed.to_string().contains(token), "a token is shown once");
    let end = format!("/api/v1/shares/{}", link["id"]);
    assert_eq!(ann.ask(Method::DELETE, &end, &Value::Null).await.status, 204);
    assert_eq!(
        shared(&house, token).await.refusal(),
        (401, "invalid_token"),
        "although it was shown a moment ago"
    );
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_with_what_it_shows() {
    let house = House::new().await;
    let ann = Caller::new(&house, EMAIL, Role::Admin, project(&house).await).await;
    let (trends, funnel) = ann.questions().await;
    let brief = ann
        .made("/api/v1/shares", json!({"saved_query": trends, "expires_in_days": 2}))
        .await;
    let lasting = ann.made("/api/v1/shares", json!({"saved_query": funnel})).await;
    let token = |link: &Value| link["token"].as_str().unwrap().to_owned();
    assert_eq!(shared(&house, &token(&brief)).await.json["name"], "Signups");
    for body in [
        json!({}),
        json!({"dashboard": 1, "saved_query": trends}),
        json!({"saved_query": 99}),
        json!({"saved_query": trends, "expires_in_days": 0}),
    ] {
        let answer = ann.ask(Method::POST, "/api/v1/shares", &body).await;
        assert_eq!(answer.refusal(), (400, "invalid_parameter"), "{body}");
    }
    house.pass(2 * 24 * 60 * 60 + 1);
    assert_eq!(shared(&house, &token(&brief)).await.refusal(), (401, "invalid_token"));
    assert_eq!(shared(&house, &token(&lasting)).await.status, 200);
    assert!(house.store().delete_saved_query(ann.project, funnel).await.unwrap());
    assert_eq!(shared(&house, &token(&lasting)).await.refusal(), (401, "invalid_token"));
}

#[tokio::test]
async fn notes_on_the_time_line_are_kept_by_their_time() {
    let house = House::new().await;
    let ann = Caller::new(&house, EMAIL, Role::Admin, project(&house).await).await;
    for (at, text) in [
        ("2026-11-18T10:00:00Z", "campaign"),
        ("2026-11-20T10:00:00Z", "release"),
    ] {
        ann.made("/api/v1/annotations", json!({"at": at, "text": text})).await;
    }
    let texts = async |query: &str| {
        let answer = ann.get(&format!("/api/v1/annotations{query}")).await;
        let notes = answer["annotations"].as_array().unwrap().clone();
        notes
            .into_iter()
            .map(|note| note["text"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("").await, ["release", "campaign"]);
    assert_eq!(texts("?from=2026-11-19T00:00:00Z").await, ["release"]);
    assert_eq!(texts("?to=2026-11-20T10:00:00Z").await, ["campaign"]);
    let newest = ann.get("/api/v1/annotations").await["annotations"][0].clone();
    let path = format!("/api/v1/annotations/{}", newest["id"]);
    let changed = ann.ask(Method::PATCH, &path, &json!({"text": "2.4.0"})).await;
    assert_eq!(
        (&changed.json["text"], &changed.json["at"]),
        (&json!("2.4.0"), &newest["at"])
    );
    assert_eq!(ann.ask(Method::DELETE, &path, &Value::Null).await.status, 204);
    assert_eq!(
        ann.ask(Method::PATCH, &path, &json!({"text": "x"})).await.refusal(),
        (404, "not_found")
    );
    let odd = ann
        .ask(
            Method::POST,
            "/api/v1/annotations",
            &json!({"at": "yesterday", "text": "x"}),
        )
        .await;
    assert_eq!(odd.refusal(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn properties_are_promoted_by_who_may_change_the_project() {
    let house = House::new().await;
    let project = project(&house).await;
    let ann = Caller::new(&house, EMAIL, Role::Admin, project).await;
    let eve = Caller::new(&house, "eve@example.com", Role::Viewer, project).await;
    let (plan, os) = ("/api/v1/promoted/plan%2Ftier", "/api/v1/promoted/$context.os.name");
    for path in [plan, os, plan] {
        assert_eq!(ann.ask(Method::PUT, path, &Value::Null).await.status, 204, "{path}");
        assert_eq!(
            eve.ask(Method::PUT, path, &Value::Null).await.refusal(),
            (403, "not_permitted")
        );
    }
    let list = eve.get("/api/v1/promoted").await;
    let list = list["promoted"].as_array().unwrap();
    let names: Vec<&Value> = list.iter().map(|promoted| &promoted["property"]).collect();
    assert_eq!(names, ["$context.os.name", "plan/tier"]);
    assert_eq!((&list[0]["promoted_by"], &list[0]["uses"]), (&json!(EMAIL), &json!(0)));

    let long = format!("/api/v1/promoted/{}", "x".repeat(201));
    for path in [
        &long,
        "/api/v1/promoted/%00",
        "/api/v1/promoted/%ff",
        "/api/v1/promoted/p?q=1",
    ] {
        assert_eq!(
            ann.ask(Method::PUT, path, &Value::Null).await.refusal(),
            (400, "invalid_parameter"),
            "{path}"
        );
    }
    assert_eq!(
        eve.ask(Method::DELETE, os, &Value::Null).await.refusal(),
        (403, "not_permitted")
    );
    assert_eq!(ann.ask(Method::DELETE, os, &Value::Null).await.status, 204);
    assert_eq!(
        ann.ask(Method::DELETE, os, &Value::Null).await.refusal(),
        (404, "not_found")
    );
    for n in 1..64 {
        house
            .store()
            .promote(project, &format!("p{n}"), "use", house.app.clock.now(), 64)
            .await
            .unwrap();
    }
    assert_eq!(
        ann.ask(Method::PUT, os, &Value::Null).await.refusal(),
        (400, "invalid_parameter"),
        "one too many"
    );
}

#[tokio::test]
async fn streams_open_for_sessions_and_end_with_them() {
    use futures_util::StreamExt;

    let house = House::new().await;
    let project = project(&house).await;
    let ann = Caller::new(&house, EMAIL, Role::Viewer, project).await;
    for path in ["/api/v1/live", "/api/v1/now/live"] {
        let open = |cookie: &str| {
            let request = Request::get(format!("{path}?project={project}")).header(header::COOKIE, cookie);
            request.body(Body::empty()).unwrap()
        };
        assert_eq!(
            house.ask(open("__Host-sid=tm_ss_nobody")).await.refusal(),
            (401, "invalid_session"),
            "{path}"
        );
        let response = house.open(open(&ann.cookie)).await;
        assert_eq!(response.status(), 200, "{path}");
        let mut lines = response.into_body().into_data_stream();
        let first = lines.next().await.unwrap().unwrap();
        assert!(first.starts_with(b"retry: 2000"), "{first:?}");
        if path.ends_with("now/live") {
            let now = lines.next().await.unwrap().unwrap();
            let text = String::from_utf8(now.to_vec()).unwrap();
            let data = text
                .strip_prefix("event: now\ndata: ")
                .expect("the first comes at once");
            assert_eq!(serde_json::from_str::<Value>(data).unwrap()["verdict"], "All clear");
        }
    }
}
