//! What the shop's team asks again and again: saved questions, and cohorts.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::Stage;
use crate::failure::Failure;

/// Whether they were saved before. They are saved last, so that a demo that was cut off tells its story again.
pub(super) async fn are_there(stage: &Stage<'_>) -> Result<bool, Failure> {
    let saved = stage.api.read("/api/v1/saved_queries").await?;
    Ok(saved["saved_queries"].as_array().is_some_and(|saved| !saved.is_empty()))
}

/// Saves them.
pub(super) async fn save(stage: &Stage<'_>) -> Result<(), Failure> {
    let cohorts = stage.api.read("/api/v1/cohorts").await?;
    if cohorts["cohorts"].as_array().is_none_or(Vec::is_empty) {
        for cohort in cohorts_of_the_shop() {
            stage.api.change(Method::POST, "/api/v1/cohorts", &cohort).await?;
        }
    }
    for question in questions_of_the_shop() {
        stage
            .api
            .change(Method::POST, "/api/v1/saved_queries", &question)
            .await?;
    }
    Ok(())
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
        json!({"name": "Purchases and revenue", "query": {"kind": "trends", "date_from": "-30d", "series": [
            {"event": "purchase", "name": "Purchases"},
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
