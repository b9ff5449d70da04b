//! Answers from segments: the same numbers as those from rows, for the questions that segments can answer.
//!
//! Each kind says what it will look at ([`Plan`]), is given it ([`Look`]), and counts on threads of its own. What a filter means
//! is asked of Postgres, once for each value in a dictionary (`filter`): text patterns, regular expressions and the order of
//! values are its own, here as there.

mod filter;
mod parts;
mod compute;
mod trends;
mod funnel;
mod retention;
mod activity;
mod cohort;
mod paths;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use trailmark_protocol::Timestamp;

use super::Answer;
use super::answer::Meta;
use super::question::Question;
use crate::query::columns::{Look, Plan, Reads};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use compute::Counting;

/// How a question was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct How {
    /// Why segments did not answer; nothing, if they did.
    pub rows_because: Option<Cow<'static, str>>,
    /// Properties of events that it looks at.
    pub properties: Vec<String>,
    /// What was read of segments.
    pub reads: Reads,
    /// How long counting took.
    pub counting: Duration,
}

/// Answers a question from segments; nothing, if they cannot, and `how` says why.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
    snapshot: &mut Snapshot,
    question: &Question,
    now: Timestamp,
    how: &mut How,
) -> Result<Option<(Answer, Meta)>, QueryError> {
    let Some(columns) = snapshot.columns() else {
        how.rows_because = Some("there are no segments here".into());
        return Ok(None);
    };
    let mut asking = Asking {
        snapshot,
        counting: Counting::new(columns),
        how,
    };
    let answered = match question {
        Question::Trends(question) => {
            let periods = question.periods(now)?;
            let answer = trends::answer(&mut asking, question, &periods).await?;
            answer.map(|answer| (Answer::Trends(answer), Meta::by(&periods)))
        }
        Question::Funnel(question) => {
            let span = question.span(now)?;
            let answer = funnel::answer(&mut asking, question, &span).await?;
            answer.map(|answer| (Answer::Funnel(answer), Meta::about(&span)))
        }
        Question::Retention(question) => {
            let periods = question.periods(now)?;
            let answer = retention::answer(&mut asking, question, &periods).await?;
            answer.map(|answer| (Answer::Retention(answer), Meta::by(&periods)))
        }
        Question::Lifecycle(question) => {
            let periods = question.periods(now)?;
            let answer = activity::lifecycle(&mut asking, question, &periods).await?;
            answer.map(|answer| (Answer::Lifecycle(answer), Meta::by(&periods)))
        }
        Question::Stickiness(question) => {
            let periods = question.periods(now)?;
            let answer = activity::stickiness(&mut asking, question, &periods).await?;
            answer.map(|answer| (Answer::Stickiness(answer), Meta::by(&periods)))
        }
        Question::Cohort(question) => {
            let answer = cohort::answer(&mut asking, question).await?;
            answer.map(|answer| (Answer::Cohort(answer), Meta::timeless()))
        }
        Question::Paths(question) => {
            let span = question.span(now)?;
            let answer = paths::answer(&mut asking, question, &span).await?;
            answer.map(|answer| (Answer::Paths(answer), Meta::about(&span)))
        }
        Question::Sessions(_) => asking.unfit("a session's length and events are in no column"),
    };
    Ok(answered)
}

/// A question that is being answered.
struct Asking<'a> {
    snapshot: &'a mut Snapshot,
    counting: Counting,
    how: &'a mut How,
}

impl Asking<'_> {
    /// Reads what is planned; nothing, if segments cannot answer.
    async fn look(&mut self, plan: &Plan) -> Result<Option<Look>, QueryError> {
        for property in plan.properties() {
            if !self.how.properties.contains(property) {
                self.how.properties.push(property.clone());
            }
        }
        let look = Look::read(self.snapshot, self.counting.columns(), plan).await?;
        Ok(match look {
            Ok(look) => {
                self.how.reads.add(&look.reads);
                Some(look)
            }
            Err(why) => self.unfit(why),
        })
    }

    /// Segments cannot answer.
    fn unfit<T>(&mut self, why: impl Into<Cow<'static, str>>) -> Option<T> {
        self.how.rows_because = Some(why.into());
        None
    }

    /// Counts, on other threads.
    async fn count<T: Send + 'static>(
        &mut self,
        count: impl FnOnce(trailmark_segments::work::Work<'_>) -> Result<T, trailmark_segments::work::CalledOff>
        + Send
        + 'static,
    ) -> Result<T, QueryError> {
        let began = Instant::now();
        let counted = self.counting.run(count).await;
        self.how.counting += began.elapsed();
        counted
    }
}
