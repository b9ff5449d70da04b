//! What is asked, and how long the answer may take.

use std::time::Duration;

use serde_json::{Value, json};
use trailmark_protocol::Timestamp;
use trailmark_server::query::ask::question::Question;
use trailmark_server::query::timeline::TimelinePage;
use trailmark_server::query::{Page, Reader, TimeRange};

use super::history::{END, History, name_text};
use crate::Outcome;

/// One thing to measure.
#[derive(Debug)]
pub struct Asked {
    /// What it is called in the table.
    pub name: &'static str,
    /// How long it may take; none beside the table.
    pub bar: Option<Duration>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// What there was since so many milliseconds before the end.
    Stats(i64),
    Question(Box<Question>),
    /// The person with this id.
    Person(String),
    /// What it did.
    Timeline(String),
}

/// An answer to a question.
#[derive(Debug)]
pub struct Answer {
    /// The answer.
    pub json: String,
    /// From `segments`, or from `rows`.
    pub from: &'static str,
}

impl Asked {
    /// Whether segments alone cannot answer.
    #[must_use]
    pub fn needs_rows(&self) -> bool {
        !matches!(self.what, What::Question(_)) || self.name.contains("not promoted")
    }

    /// Asks once. What comes back is looked at only so far that it is not nothing; the answer to a question is given as JSON.
    ///
    /// # Errors
    /// The server's, or there was nothing.
    pub async fn ask(&self, reader: &Reader) -> Outcome<Option<Answer>> {
        let mut answer = None;
        let there = match &self.what {
            What::Stats(millis) => {
                let range = TimeRange {
                    from: Some(Timestamp::from_millis(END.millis() - millis)),
                    to: Some(END),
                };
                reader.stats(range).await?.events > 0
            }
            What::Question(question) => {
                let (answered, how) = reader.ask_and_tell(question, END).await?;
                let answer = answer.insert(Answer {
                    json: serde_json::to_string(&answered)?,
                    from: if how.rows_because.is_none() { "segments" } else { "rows" },
                });
                answer.json.len() > 200
            }
            What::Person(id) => {
                let page = Page {
                    limit: 100,
                    before: None,
                };
                !reader.person(id, page).await?.timeline.events.is_empty()
            }
            What::Timeline(id) => {
                let page = TimelinePage {
                    range: TimeRange { from: None, to: None },
                    before: None,
                    limit: 100,
                };
                !reader.timeline(id, page).await?.entries.is_empty()
            }
        };
        there
            .then_some(answer)
            .ok_or_else(|| format!("{}: nothing came back", self.name).into())
    }
}

/// The number of the property that is broken down by.
pub const PROMOTED: u64 = 12;

/// All of it: the rows of the table, and their kin.
///
/// # Errors
/// A question is none.
pub fn all(history: History) -> Outcome<Vec<Asked>> {
    let bar = |ms| Some(Duration::from_millis(ms));
    let asked = |name, bar, json| -> Outcome<Asked> {
        let question = Question::from_value(json).map_err(|invalid| format!("{name}: {invalid:?}"))?;
        Ok(Asked {
            name,
            bar,
            what: What::Question(Box::new(question)),
        })
    };
    let stats = |name, ms| Asked {
        name,
        bar: bar(200),
        what: What::Stats(ms),
    };
    let about = |name, what: fn(String) -> What, number: u64| Asked {
        name,
        bar: bar(20),
        what: what(format!("user_{number}")),
    };
    let middling = with_user(history, history.persons() / 4);
    let heaviest = with_user(history, 0);
    let names = |ranks: [u64; 5]| ranks.map(|rank| json!({"event": name_text(rank)}));
    let unique = |rank| json!({"event": name_text(rank), "math": "unique_persons"});
    let first = name_text(1);
    let promoted = format!("property_{PROMOTED:02}");
    Ok(vec![
        stats("overview by event, last hour", 3_600_000),
        stats("overview by event, last 24 h", 86_400_000),
        asked(
            "trends, the 3 most frequent events, 30 days by day, unique persons",
            bar(200),
            json!({"kind": "trends", "series": [unique(1), unique(2), unique(3)]}),
        )?,
        asked(
            "trends, any event, 30 days by day, unique persons",
            None,
            json!({"kind": "trends", "series": [{"math": "unique_persons"}]}),
        )?,
        asked(
            "trends, the most frequent event, 7 days by hour, total",
            None,
            json!({"kind": "trends", "series": [{"event": first}], "interval": "hour", "date_from": "-7d"}),
        )?,
        asked(
            "funnel, the 5 most frequent events, 30 days, 14-day window",
            bar(1_000),
            json!({"kind": "funnel", "steps": names([1, 2, 3, 4, 5])}),
        )?,
        asked(
            "funnel, 5 events of ranks 3 to 40, 30 days, 14-day window",
            bar(1_000),
            json!({"kind": "funnel", "steps": names([3, 8, 15, 25, 40])}),
        )?,
        asked(
            "retention, 12 weeks, first-time, any event",
            bar(500),
            json!({"kind": "retention", "period": "week", "intervals": 12}),
        )?,
        asked(
            "retention, 12 weeks, first-time, the most frequent event, back with any",
            None,
            json!({"kind": "retention", "period": "week", "intervals": 12, "start_event": {"event": first}}),
        )?,
        asked(
            "breakdown by an event property, top 10, 30 days by day, the most frequent event, total",
            bar(1_000),
            json!({"kind": "trends", "series": [{"event": first}], "breakdown": [{"property": promoted}]}),
        )?,
        asked(
            "the same, unique persons",
            bar(1_000),
            json!({"kind": "trends", "series": [unique(1)], "breakdown": [{"property": promoted}]}),
        )?,
        asked(
            "funnel, the same 5, strict order",
            None,
            json!({"kind": "funnel", "order": "strict", "steps": names([1, 2, 3, 4, 5])}),
        )?,
        asked(
            "lifecycle, any event, 30 days by day",
            None,
            json!({"kind": "lifecycle"}),
        )?,
        asked(
            "stickiness, the most frequent event, 30 days by day",
            None,
            json!({"kind": "stickiness", "series": [{"event": first}]}),
        )?,
        asked(
            "cohort, the most frequent event at least five times in 30 days, and not the second",
            None,
            json!({"kind": "cohort", "definition": {"and": [
                {"performed": {"event": first, "times": {"at_least": 5}, "within": {"date_from": "-30d"}}},
                {"not_performed": {"event": name_text(2), "within": {"date_from": "-30d"}}}]}}),
        )?,
        asked(
            "filter on a promoted property, 30 days by day, the most frequent event, total",
            None,
            filtered(&first, &promoted),
        )?,
        asked(
            "filter on a property that is not promoted, the same",
            None,
            filtered(&first, "property_17"),
        )?,
        about("timeline, first page, a middling person", What::Timeline, middling),
        about("timeline, first page, the heaviest person", What::Timeline, heaviest),
        about("person with the first page, a middling one", What::Person, middling),
        about("person with the first page, the heaviest", What::Person, heaviest),
    ])
}

/// Both properties are texts of the same values.
fn filtered(event: &str, property: &str) -> Value {
    json!({"kind": "trends", "series": [{"event": event}],
           "filters": {"property": property, "op": "is", "value": ["value 1", "value 7"]}})
}

/// The first person with a user, from this one on. Those with small numbers are the heaviest.
fn with_user(history: History, from: u64) -> u64 {
    (from..)
        .find(|person| history.user(*person).is_some())
        .unwrap_or_default()
}
