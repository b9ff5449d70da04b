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
pub mod activity;
pub mod sessions;
pub mod cohort;
pub mod persons;
pub mod regex;
pub mod table;
mod schema;
pub mod http;

use std::time::Instant;

use serde::Serialize;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use self::activity::{LifecycleAnswer, StickinessAnswer};
use self::answer::Meta;
use self::cohort::CohortAnswer;
use self::funnel::FunnelAnswer;
use self::paths::PathsAnswer;
use self::question::Question;
use self::retention::RetentionAnswer;
use self::sessions::SessionsAnswer;
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

/// Answers a question, asked at `now`.
///
/// # Errors
/// What stands in the way.
pub async fn answer(snapshot: &mut Snapshot, question: &Question, now: Timestamp) -> Result<Answered, QueryError> {
    let began = Instant::now();
    snapshot.know_cohorts(now).await?;
    snapshot.know_names().await?;
    regex::check(snapshot, question, "").await?;
    let (answer, span, periods) = match question {
        Question::Trends(question) => {
            let (answer, span, periods) = trends::answer(snapshot, question, now).await?;
            (Answer::Trends(answer), Some(span), Some(periods))
        }
        Question::Funnel(question) => {
            let (answer, span) = funnel::answer(snapshot, question, now).await?;
            (Answer::Funnel(answer), Some(span), None)
        }
        Question::Retention(question) => {
            let (answer, span, periods) = retention::answer(snapshot, question, now).await?;
            (Answer::Retention(answer), Some(span), Some(periods))
        }
        Question::Lifecycle(question) => {
            let (answer, span, periods) = activity::lifecycle(snapshot, question, now).await?;
            (Answer::Lifecycle(answer), Some(span), Some(periods))
        }
        Question::Stickiness(question) => {
            let (answer, span, periods) = activity::stickiness(snapshot, question, now).await?;
            (Answer::Stickiness(answer), Some(span), Some(periods))
        }
        Question::Paths(question) => {
            let (answer, span) = paths::answer(snapshot, question, now).await?;
            (Answer::Paths(answer), Some(span), None)
        }
        Question::Sessions(question) => {
            let (answer, span, periods) = sessions::answer(snapshot, question, now).await?;
            (Answer::Sessions(answer), Some(span), Some(periods))
        }
        Question::Cohort(question) => (Answer::Cohort(cohort::answer(snapshot, question).await?), None, None),
    };
    Ok(Answered {
        answer,
        meta: Meta::new(span.as_ref(), periods.as_ref(), began.elapsed()),
        query: question.clone(),
    })
}
