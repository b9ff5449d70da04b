//! Cohorts that are kept: made, filled, changed, used, removed.

use serde_json::{Value, json};

use crate::http::{Answer, Front};
use crate::world::{World, anonymous, identify, user};

const JSON: &str = "application/json";

struct Cohorts {
    front: Front,
    secret: String,
}

impl Cohorts {
    async fn new() -> Self {
        let world = World::new().await;
        world
            .send(&[
                identify(1, "phone", "ann"),
                user(2, "buy", "ann"),
                user(3, "buy", "bob"),
                user(4, "open", "bob"),
                anonymous(5, "open", "tablet"),
            ])
            .await;
        let front = Front::of(world).await;
        let secret = front.secret().await;
        Self { front, secret }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let (path, body) = (format!("/api/v1/cohorts{path}"), body.to_string());
        self.front.answer_to(JSON, method, &path, &self.secret, &body).await
    }

    async fn make(&self, body: &Value) -> i64 {
        let (status, cohort) = self.send("POST", "", body).await;
        assert_eq!(status, 201, "{cohort}");
        cohort["id"].as_i64().unwrap()
    }

    async fn list(&self) -> i64 {
        self.make(&json!({"name": "list"})).await
    }

    async fn buyers(&self) -> i64 {
        let definition = json!({"and": [{"performed": {"event": "buy"}}]});
        self.make(&json!({"name": "buyers", "definition": definition})).await
    }

    /// How many persons are in a cohort, when a question asks for it.
    async fn persons(&self, cohort: i64) -> Value {
        let question = json!({"kind": "cohort", "cohort": cohort}).to_string();
        let (_, answer) = self
            .front
            .answer_to(JSON, "POST", "/api/v1/query", &self.secret, &question)
            .await;
        answer["persons"].clone()
    }

    /// The detail of a refusal with this status.
    async fn refused(&self, status: u16, method: &str, path: &str, body: &Value) -> String {
        let (found, problem) = self.send(method, path, body).await;
        assert_eq!(found.as_u16(), status, "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_cohort_is_made_read_changed_and_deleted() {
    let cohorts = Cohorts::new().await;
    let id = cohorts.buyers().await;
    let (_, made) = cohorts.send("GET", &format!("/{id}"), &Value::Null).await;
    assert_eq!((&made["name"], &made["members"]), (&json!("buyers"), &json!(0)));
    assert_eq!(cohorts.persons(id).await, 2);
    let change = json!({"name": "open", "definition": {"or": [{"performed": {"event": "open"}}, {"performed": {"event": "buy"}}]}});
    let (status, changed) = cohorts.send("PATCH", &format!("/{id}"), &change).await;
    assert_eq!((status.as_u16(), &changed["name"]), (200, &json!("open")));
    assert_eq!(cohorts.persons(id).await, 3);
    let (_, renamed) = cohorts
        .send("PATCH", &format!("/{id}"), &json!({"name": "third"}))
        .await;
    assert_eq!(
        (&renamed["name"], &renamed["definition"]),
        (&json!("third"), &changed["definition"])
    );
    let (_, all) = cohorts.send("GET", "", &Value::Null).await;
    assert_eq!(all["cohorts"], json!([renamed]));
    assert_eq!(cohorts.send("DELETE", &format!("/{id}"), &Value::Null).await.0, 204);
    assert_eq!(cohorts.send("GET", &format!("/{id}"), &Value::Null).await.0, 404);
    assert_eq!(cohorts.send("DELETE", &format!("/{id}"), &Value::Null).await.0, 404);
}

#[tokio::test]
async fn ids_are_uploaded_as_json_or_csv_and_counted() {
    let cohorts = Cohorts::new().await;
    let id = cohorts.list().await;
    let path = format!("/{id}/members");
    let (status, uploaded) = cohorts
        .send("POST", &path, &json!(["phone", "bob", "bob", "zoe", "abe"]))
        .await;
    assert_eq!(status, 200, "{uploaded}");
    assert_eq!(
        uploaded,
        json!({"matched": 2, "added": 2, "unknown": 2, "unknown_ids": ["abe", "zoe"]})
    );
    assert_eq!(cohorts.persons(id).await, 2);
    let csv = "user_id,plan\r\nann,pro\r\n\"bob\",free\r\ntablet,\r\n";
    let whole = format!("/api/v1/cohorts{path}");
    let (_, uploaded) = cohorts
        .front
        .answer_to("text/csv", "POST", &whole, &cohorts.secret, csv)
        .await;
    assert_eq!(
        uploaded,
        json!({"matched": 3, "added": 2, "unknown": 0, "unknown_ids": []})
    );
    assert_eq!(cohorts.persons(id).await, 3, "the phone is ann");
    let (_, kept) = cohorts.send("GET", &format!("/{id}"), &Value::Null).await;
    assert_eq!((&kept["members"], &kept["definition"]), (&json!(4), &Value::Null));
    cohorts.send("DELETE", &format!("/{id}"), &Value::Null).await;
    assert_eq!(cohorts.send("POST", &path, &json!(["ann"])).await.0, 404);
}

#[tokio::test]
async fn an_erased_person_is_on_no_list_any_more() {
    let cohorts = Cohorts::new().await;
    let id = cohorts.list().await;
    cohorts
        .send("POST", &format!("/{id}/members"), &json!(["ann", "phone", "bob"]))
        .await;
    let (status, erased) = cohorts.front.delete("/v1/persons/ann", &cohorts.secret).await;
    assert_eq!(status, 200, "{erased}");
    let (_, kept) = cohorts.send("GET", &format!("/{id}"), &Value::Null).await;
    assert_eq!(kept["members"], 1, "ann and her phone are off the list");
    assert_eq!(cohorts.persons(id).await, 1);
}

#[tokio::test]
async fn a_list_and_a_definition_filter_and_break_down_together() {
    let cohorts = Cohorts::new().await;
    let list = cohorts.list().await;
    cohorts
        .send("POST", &format!("/{list}/members"), &json!(["ann", "tablet"]))
        .await;
    let buyers = cohorts.buyers().await;
    let both = json!({"name": "both", "definition": {"and": [{"in_cohort": list}, {"in_cohort": buyers}]}});
    let both = cohorts.make(&both).await;
    let above = json!({"name": "above", "definition": {"or": [{"in_cohort": both}, {"in_cohort": buyers}, {"in_cohort": list}]}});
    let above = cohorts.make(&above).await;
    for (cohort, persons) in [(list, 2), (buyers, 2), (both, 1), (above, 3)] {
        assert_eq!(cohorts.persons(cohort).await, persons);
    }
    let filter = |op| json!({"op": op, "value": both});
    let question = |op| {
        json!({"kind": "trends", "date_from": "2026-11-01", "date_to": "2026-12-01", "series": [{"event": "buy", "filters": filter(op)}],
               "breakdown": [{"type": "cohort", "property": list.to_string()}]})
    };
    for (op, expected) in [("in_cohort", 1.0), ("not_in_cohort", 1.0)] {
        let body = question(op).to_string();
        let (status, answer) = cohorts
            .front
            .answer_to(JSON, "POST", "/api/v1/query", &cohorts.secret, &body)
            .await;
        assert_eq!(status, 200, "{answer}");
        let total: f64 = answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["total"].as_f64().unwrap())
            .sum();
        assert!((total - expected).abs() < 0.5, "{op}: {answer}");
    }
}

#[tokio::test]
async fn what_another_cohort_is_made_of_is_not_deleted_and_rings_are_refused() {
    let cohorts = Cohorts::new().await;
    let first = cohorts.buyers().await;
    let made_of = |of: i64| json!({"name": "c", "definition": {"and": [{"in_cohort": of}]}});
    let second = cohorts.make(&made_of(first)).await;
    let third = cohorts.make(&made_of(second)).await;
    assert_eq!(
        cohorts.refused(409, "DELETE", &format!("/{first}"), &Value::Null).await,
        format!("cohort {second} is made of cohort {first}")
    );
    for (cohort, of) in [(first, first), (first, second), (first, third), (second, third)] {
        assert_eq!(
            cohorts.refused(400, "PATCH", &format!("/{cohort}"), &made_of(of)).await,
            format!("`definition.and[0].in_cohort` {of} is made of this cohort itself")
        );
    }
    assert_eq!(
        cohorts.refused(400, "POST", "", &made_of(third + 1)).await,
        format!("`definition.and[0].in_cohort` {} is not there", third + 1)
    );
    for cohort in [third, second, first] {
        assert_eq!(cohorts.send("DELETE", &format!("/{cohort}"), &Value::Null).await.0, 204);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_cohort_is_named_by_its_path() {
    let cohorts = Cohorts::new().await;
    let (list, buyers) = (cohorts.list().await, cohorts.buyers().await);
    let regex =
        json!({"name": "c", "definition": {"or": [{"person": {"property": "p", "op": "regex", "value": "("}}]}});
    let long = "x".repeat(201);
    for (method, path, body, start) in [
        (
            "POST",
            String::new(),
            json!({"definition": {"and": []}}),
            "`.` missing field `name`",
        ),
        ("POST", String::new(), json!({"name": ""}), "`name` is empty"),
        ("POST", String::new(), json!({"name": long}), "`name` is longer"),
        ("POST", String::new(), json!({"name": "a", "x": 1}), "`x` unknown field"),
        ("POST", String::new(), json!([]), "`.` "),
        (
            "POST",
            String::new(),
            json!({"name": "a", "definition": {"and": []}}),
            "`definition.and` is empty",
        ),
        (
            "POST",
            String::new(),
            regex,
            "`definition.or[0].person.value` is an invalid regular expression",
        ),
        (
            "PATCH",
            format!("/{list}"),
            json!({"definition": {"and": [{"performed": {}}]}}),
            "`definition` is not for this cohort",
        ),
        (
            "POST",
            format!("/{buyers}/members"),
            json!(["ann"]),
            "`id` is of a cohort with a definition",
        ),
        ("POST", format!("/{list}/members"), json!(["ann", 7]), "`[1]` "),
        ("GET", "/x".to_owned(), Value::Null, "`id` is no number of a cohort"),
    ] {
        let detail = cohorts.refused(400, method, &path, &body).await;
        assert!(detail.starts_with(start), "{method} {path} {body}: {detail}");
    }
}

#[tokio::test]
async fn cohorts_of_another_project_are_not_there() {
    let cohorts = Cohorts::new().await;
    let id = cohorts.list().await;
    let other = World::beside(cohorts.front.world().store.clone()).await;
    other.send(&[user(1, "open", "ann")]).await;
    let front = Front::of(other).await;
    let secret = front.secret().await;
    let path = format!("/api/v1/cohorts/{id}");
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("PATCH", path.clone()),
        ("POST", format!("{path}/members")),
    ] {
        let body = if method == "POST" { "[\"ann\"]" } else { "{}" };
        let (status, answer) = front.answer_to(JSON, method, &path, &secret, body).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
    }
    assert_eq!(front.get("/api/v1/cohorts", &secret).await.1, json!({"cohorts": []}));
}
