//! A regular expression that Postgres does not take is a mistake in the question, not in the server.

use serde_json::json;
use trailmark_server::query::QueryError;
use trailmark_server::query::ask::persons::WhoIs;
use trailmark_server::query::ask::question::Question;

use crate::ask;
use crate::world::{World, at, user};

#[tokio::test]
async fn an_invalid_regular_expression_is_named_by_its_path() {
    let world = World::new().await;
    world.send(&[user(1, "open", "ann")]).await;
    let filter = |pattern: &str| json!({"property": "plan", "op": "regex", "value": pattern});
    let question =
        |pattern| json!({"kind": "trends", "series": [{"filters": {"and": [filter("^a"), filter(pattern)]}}]});
    for bad in ["(", "a{2,1}", "[b-a]", "*", "\\"] {
        let asked = Question::read(question(bad).to_string().as_bytes()).unwrap();
        let refused = world.reader().ask(&asked, at(1)).await.unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, QueryError::Parameter { .. }), "{bad}: {text}");
        let start = "`series[0].filters.and[1].value` is an invalid regular expression: ";
        assert!(text.starts_with(start), "{bad}: {text}");
        let who = json!({"query": question(bad), "at": {"series": "A"}});
        let who = WhoIs::read(who.to_string().as_bytes()).unwrap();
        let refused = world.reader().persons_in(&who, at(1)).await.unwrap_err().to_string();
        assert!(
            refused.starts_with("`query.series[0].filters.and[1].value` is an invalid"),
            "{bad}: {refused}"
        );
    }
    assert_eq!(ask(&world, question("b$")).await["results"][0]["total"], 0.0);
}
