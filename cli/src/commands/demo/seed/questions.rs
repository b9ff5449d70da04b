//! What the shop's team asks again and again: saved questions on a dashboard, and cohorts; and what it noted on the time line.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::Stage;
use super::super::story::Incidents;
use crate::failure::Failure;

/// Whether all of it was made before. The dashboard is made last, so that a demo that was cut off tells its story again.
pub(super) async fn are_there(stage: &Stage<'_>) -> Result<bool, Failure> {
    let kept = stage.api.read("/api/v1/dashboards").await?;
    Ok(kept["dashboards"].as_array().is_some_and(|kept| !kept.is_empty()))
}

/// Makes what is not there.
pub(super) async fn save(stage: &Stage<'_>, incidents: &Incidents) -> Result<(), Failure> {
    make_once(stage, "cohorts", &cohorts_of_the_shop()).await?;
    make_once(stage, "annotations", &notes_of_the_shop(incidents)).await?;
    make_once(stage, "saved_queries", &questions_of_the_shop()).await?;
    let saved = stage.api.read("/api/v1/saved_queries").await?;
    let saved = saved["saved_queries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tile = |(place, saved): (usize, &Value)| json!({"saved_query": saved["id"], "wide": place == 0});
    let tiles: Vec<_> = saved.iter().enumerate().map(tile).collect();
    make_once(stage, "dashboards", &[json!({"name": "The shop", "tiles": tiles})]).await
}

/// Makes what there is none of.
async fn make_once(stage: &Stage<'_>, kind: &str, wanted: &[Value]) -> Result<(), Failure> {
    let path = format!("/api/v1/{kind}");
    let there = stage.api.read(&path).await?;
    if there[kind].as_array().is_some_and(|there| !there.is_empty()) {
        return Ok(());
    }
    for one in wanted {
        stage.api.change(Method::POST, &path, one).await?;
    }
    Ok(())
}

fn notes_of_the_shop(incidents: &Incidents) -> [Value; 3] {
    [
        json!({"at": incidents.app_3_1_0.to_string(), "text": "App 3.1.0 is out"}),
        json!({"at": incidents.app_3_2_0.to_string(), "text": "App 3.2.0 is out"}),
        json!({"at": incidents.web_2_4_0.to_string(), "text": "Web 2.4.0 is out"}),
    ]
}

fn cohorts_of_the_shop() -> [Value; 2] {
    [
        json!({"name": "Bought twice in 30 days", "definition": {"and": [
            {"performed": {"event": "purchase", "times": {"at_least": 2}, "within": {"date_from": "-30d"}}}]}}),
        json!({"name": "Plus and Pro members", "definition": {"and": [
            {"person": {"type": "person", "property": "plan", "op": "is", "value": ["plus", "pro"]}}]}}),
    ]
}

fn questions_of_the_shop() -> [Value; 6] {
    let step = |event: &str| json!({"event": event});
    [
        json!({"name": "Revenue", "query": {"kind": "trends", "date_from": "-30d", "series": [
            {"event": "purchase", "math": "sum", "math_property": "total", "name": "Revenue in €"}]}}),
        json!({"name": "Active people, web and app", "query": {"kind": "trends", "date_from": "-30d", "series": [
            {"event": "product_viewed", "math": "unique_persons", "name": "People"}],
            "breakdown": [{"type": "event", "property": "$context.app.name"}]}}),
        json!({"name": "From a look to a purchase", "query": {"kind": "funnel", "date_from": "-30d", "steps": [
            step("product_viewed"), step("added_to_cart"), step("checkout_started"), step("purchase")]}}),
        json!({"name": "Sign-up", "watched": true, "query": {"kind": "funnel", "date_from": "-30d",
            "window": {"value": 1, "unit": "day"}, "steps": [step("signup_started"), step("signup")]}}),
        json!({"name": "Who comes back to look", "query": {"kind": "retention", "period": "week", "intervals": 5,
            "start_event": step("product_viewed"), "return_event": step("product_viewed")}}),
        json!({"name": "Purchases by country", "query": {"kind": "trends", "date_from": "-30d", "interval": "week", "series": [
            {"event": "purchase", "name": "Purchases"}],
            "breakdown": [{"type": "person", "property": "country"}]}}),
    ]
}
