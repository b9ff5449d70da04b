//! Questions on a real Postgres.

#[path = "../support/mod.rs"]
mod support;
#[path = "../query/world.rs"]
#[allow(dead_code, reason = "shared with the tests of the reads")]
mod world;

mod trends;
mod funnel;
mod activity;
mod visits;
mod traps;
mod who;
mod regex;
mod reference;
mod property;

use serde_json::Value;
use trailmark_server::query::ask::question::Question;
use world::{World, at, json};

pub(crate) const HOUR: i64 = 60 * 60 * 1_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The answer to a question that is asked two days after the beginning, which is at noon.
pub(crate) async fn ask(world: &World, question: Value) -> Value {
    ask_at(world, 2 * DAY, question).await
}

/// The same, `ms` after the beginning.
pub(crate) async fn ask_at(world: &World, ms: i64, question: Value) -> Value {
    let question = Question::read(question.to_string().as_bytes()).unwrap();
    json(&world.reader().ask(&question, at(ms)).await.unwrap())
}
