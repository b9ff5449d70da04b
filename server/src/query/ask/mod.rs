//! Questions about what people do: trends, funnels, retention and their kin, answered from the rows.
//!
//! A question's way: [`question`] (JSON, read strictly; what is wrong is named by its path) → [`calendar`] (the moments at
//! which its periods begin, in its time zone) → [`sql`] (statements of constant fragments and bound values, which select
//! and reduce) → one module for each kind, whose pure part decides what statements cannot say well → [`mod@answer`].
//!
//! Events of a person are in one order everywhere: by `timestamp`, then by the install's `seq` (those without one last),
//! then by id. Two events of the same moment have an order, so they convert in a funnel.

pub mod question;
pub mod calendar;
pub mod answer;
pub mod sql;
pub mod trends;
pub mod funnel;
pub mod retention;
pub mod paths;
pub mod lifecycle;
pub mod stickiness;
pub mod sessions;
pub mod cohort;
pub mod columns;
pub mod persons;
pub mod regex;
pub mod table;
pub mod explained;
pub mod sample;
mod schema;
pub mod http;

use std::time::Instant;

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use self::answer::Meta;
use self::cohort::CohortAnswer;
pub use self::columns::How;
use self::funnel::FunnelAnswer;
use self::lifecycle::LifecycleAnswer;
use self::paths::PathsAnswer;
use self::question::Question;
use self::retention::RetentionAnswer;
use self::sessions::SessionsAnswer;
use self::stickiness::StickinessAnswer;
use self::trends::TrendsAnswer;
use super::error::QueryError;
use super::snapshot::Snapshot;

/// The answer to a question, with the question as it was understood.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Answer)]
pub struct Answered {
    /// The numbers.
    #[serde(flatten)]
    pub answer: Answer,
    /// What they are about.
    pub meta: Meta,
    /// The question, every default in it.
    pub query: Question,
}

/// The numbers, by the kind of the question.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = Numbers)]
pub enum Answer {
    /// Of a trend.
    Trends(TrendsAnswer),
    /// Of a funnel.
    Funnel(FunnelAnswer),
    /// Of retention.
    Retention(RetentionAnswer),
    /// Of a lifecycle.
    Lifecycle(LifecycleAnswer),
    /// Of paths.
    Paths(PathsAnswer),
    /// Of sessions.
    Sessions(SessionsAnswer),
    /// Of a cohort.
    Cohort(CohortAnswer),
    /// Of stickiness.
    Stickiness(StickinessAnswer),
}

/// Gets a snapshot ready for statements about a question, which stands at `path` in what was sent (`query.`, or nothing).
///
/// # Errors
/// What is wrong with the question's regular expressions, or stands in the way.
pub(in crate::query) async fn prepare(
    snapshot: &mut Snapshot,
    question: &Question,
    path: &str,
    now: Timestamp,
) -> Result<(), QueryError> {
    snapshot.know_cohorts(now).await?;
    snapshot.know_names().await?;
    snapshot.read_much().await?;
    regex::check(snapshot, question, path).await
}

/// Answers a question, asked at `now`, and says how it was answered.
///
/// # Errors
/// What stands in the way.
pub async fn answer(
    snapshot: &mut Snapshot,
    question: &Question,
    now: Timestamp,
) -> Result<(Answered, How), QueryError> {
    let began = Instant::now();
    prepare(snapshot, question, "", now).await?;
    let mut how = How::default();
    let (answer, meta) = match columns::answer(snapshot, question, now, &mut how).await? {
        Some(found) => found,
        None => from_rows(snapshot, question, now).await?,
    };
    let from = if how.rows_because.is_none() { "segments" } else { "rows" };
    metrics::counter!("trailmark_questions_total", "from" => from).increment(1);
    let answered = Answered {
        answer,
        meta: meta.took(began.elapsed()),
        query: question.clone(),
    };
    Ok((answered, how))
}

async fn from_rows(snapshot: &mut Snapshot, question: &Question, now: Timestamp) -> Result<(Answer, Meta), QueryError> {
    Ok(match question {
        Question::Trends(question) => {
            let periods = question.periods(now)?;
            let answer = trends::answer(snapshot, question, &periods).await?;
            (Answer::Trends(answer), Meta::by(&periods))
        }
        Question::Funnel(question) => {
            let span = question.span(now)?;
            let answer = funnel::answer(snapshot, question, &span).await?;
            (Answer::Funnel(answer), Meta::about(&span))
        }
        Question::Retention(question) => {
            let periods = question.periods(now)?;
            let answer = retention::answer(snapshot, question, &periods).await?;
            (Answer::Retention(answer), Meta::by(&periods))
        }
        Question::Lifecycle(question) => {
            let periods = question.periods(now)?;
            let answer = lifecycle::answer(snapshot, question, &periods).await?;
            (Answer::Lifecycle(answer), Meta::by(&periods))
        }
        Question::Stickiness(question) => {
            let periods = question.periods(now)?;
            let answer = stickiness::answer(snapshot, question, &periods).await?;
            (Answer::Stickiness(answer), Meta::by(&periods))
        }
        Question::Paths(question) => {
            let span = question.span(now)?;
            let answer = paths::answer(snapshot, question, &span).await?;
            (Answer::Paths(answer), Meta::about(&span))
        }
        Question::Sessions(question) => {
            let periods = question.periods(now)?;
            let answer = sessions::answer(snapshot, question, &periods).await?;
            (Answer::Sessions(answer), Meta::by(&periods))
        }
        Question::Cohort(question) => (
            Answer::Cohort(cohort::answer(snapshot, question).await?),
            Meta::timeless(),
        ),
    })
}
