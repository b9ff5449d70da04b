//! Who is in a number: every place of an answer stands for persons, and here they are, page by page.
//!
//! Each kind makes a table of `person_id` with the same parts that its answer is made of; a funnel and paths, which are
//! decided person by person, collect them while they walk.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::question::{Invalid, Path, Question, read_text, read_value};
use super::sql::Making;
use super::{cohort, funnel, lifecycle, paths, prepare, retention, sessions, stickiness, trends};
use crate::query::error::QueryError;
use crate::query::params::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::query::snapshot::Snapshot;
use crate::query::time::At;

/// Who is in a place of an answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    query: Value,
    at: Value,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    cursor: Option<i64>,
}

/// The question whose answer has the place, and which page of its persons is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct WhoIs {
    question: Question,
    spot: Spot,
    page: Page,
}

/// A place in an answer, by the kind of the question.
#[derive(Debug, Clone, PartialEq)]
enum Spot {
    Trends(trends::Spot),
    Funnel(funnel::Spot),
    Retention(retention::Spot),
    Paths(paths::Spot),
    Lifecycle(lifecycle::Spot),
    Stickiness(stickiness::Spot),
    Sessions(sessions::Spot),
    Cohort(Nowhere),
}

/// A cohort has no places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CohortPlace)]
pub(super) struct Nowhere {}

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, ToSchema)]
pub struct PersonRow {
    /// Its number; see `GET /api/v1/persons/{id}` for what is known of it, by one of its ids.
    pub person_id: i64,
    /// `user` or `anonymous`.
    pub kind: String,
    /// One of its ids: its first user_id, or else its anonymous_id.
    pub id: String,
    /// When that id was first seen.
    pub first_seen_at: At,
}

/// A page of persons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonPage {
    /// The persons, by their numbers.
    pub persons: Vec<PersonRow>,
    /// What to ask the next page with; none at the end.
    pub next_cursor: Option<i64>,
}

impl WhoIs {
    /// Reads what is wanted: `{"query": question, "at": place, "limit": 100, "cursor": …}`.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(json: &[u8]) -> Result<Self, Invalid> {
        let root = Path::root();
        let wanted: Wanted = read_text(json)?;
        let question = Question::from_value(wanted.query).map_err(in_query)?;
        let spot = Spot::read(&question, wanted.at).map_err(|invalid| invalid.below("at"))?;
        let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT);
        root.field("limit")
            .require((1..=LIMIT_MAX).contains(&limit), "is from 1 to 1,000")?;
        Ok(Self {
            question,
            spot,
            page: Page {
                after: wanted.cursor.unwrap_or(i64::MIN),
                limit,
            },
        })
    }
}

impl Spot {
    fn read(question: &Question, at: Value) -> Result<Self, Invalid> {
        Ok(match question {
            Question::Trends(_) => Self::Trends(read_value(at)?),
            Question::Funnel(_) => Self::Funnel(read_value(at)?),
            Question::Retention(_) => Self::Retention(read_value(at)?),
            Question::Paths(_) => Self::Paths(read_value(at)?),
            Question::Lifecycle(_) => Self::Lifecycle(read_value(at)?),
            Question::Stickiness(_) => Self::Stickiness(read_value(at)?),
            Question::Sessions(_) => Self::Sessions(read_value(at)?),
            Question::Cohort(_) => Self::Cohort(read_value(at)?),
        })
    }
}

/// What is wrong with the question, by its path in what was sent.
fn in_query(invalid: Invalid) -> Invalid {
    invalid.below("query")
}

/// A page of the persons in a place.
///
/// # Errors
/// What stands in the way.
pub async fn find(snapshot: &mut Snapshot, who: &WhoIs, now: Timestamp) -> Result<PersonPage, QueryError> {
    prepare(snapshot, &who.question, "query.", now).await?;
    let page = who.page;
    let ids = match (&who.question, &who.spot) {
        (Question::Trends(question), Spot::Trends(spot)) => {
            let periods = question.periods(now).map_err(in_query)?;
            trends::persons(snapshot, question, spot, &periods, page).await?
        }
        (Question::Funnel(question), Spot::Funnel(spot)) => {
            let span = question.span(now).map_err(in_query)?;
            funnel::persons(snapshot, question, spot, &span, page).await?
        }
        (Question::Retention(question), Spot::Retention(spot)) => {
            let periods = question.periods(now).map_err(in_query)?;
            retention::persons(snapshot, question, spot, &periods, page).await?
        }
        (Question::Paths(question), Spot::Paths(spot)) => {
            let span = question.span(now).map_err(in_query)?;
            paths::persons(snapshot, question, spot, &span, page).await?
        }
        (Question::Lifecycle(question), Spot::Lifecycle(spot)) => {
            let periods = question.periods(now).map_err(in_query)?;
            lifecycle::persons(snapshot, question, spot, &periods, page).await?
        }
        (Question::Stickiness(question), Spot::Stickiness(spot)) => {
            let periods = question.periods(now).map_err(in_query)?;
            stickiness::persons(snapshot, question, spot, &periods, page).await?
        }
        (Question::Sessions(question), Spot::Sessions(spot)) => {
            let periods = question.periods(now).map_err(in_query)?;
            sessions::persons(snapshot, question, spot, &periods, page).await?
        }
        (Question::Cohort(question), _) => {
            let mut making = Making::new(snapshot)?;
            let table = cohort::who(&mut making, question)?;
            page.of(snapshot, making, &format!("SELECT person_id FROM {table}"))
                .await?
        }
        _ => Vec::new(),
    };
    listed(snapshot, ids, page.limit).await
}

/// Which persons of a place are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Those whose numbers are greater.
    pub after: i64,
    /// At most so many.
    pub limit: u32,
}

impl Page {
    /// One more than fits shows that there is another page.
    #[must_use]
    pub fn wanted(self) -> usize {
        self.limit as usize + 1
    }

    /// The page of a statement's `person_id`s.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn of(self, snapshot: &mut Snapshot, mut making: Making, select: &str) -> Result<Vec<i64>, QueryError> {
        let after = making.bind(self.after)?;
        let limit = making.bind(i64::try_from(self.wanted()).unwrap_or(i64::MAX))?;
        let select = format!(
            "SELECT DISTINCT person_id FROM ({select}) who WHERE person_id > {after} ORDER BY person_id LIMIT {limit}"
        );
        let ids: Vec<(i64,)> = making.query_as(&select).fetch_all(snapshot.rows()).await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }
}

const LISTED: &str = "
    SELECT DISTINCT ON (person_id) person_id, CASE kind WHEN 1 THEN 'user' ELSE 'anonymous' END AS kind,
           external_id AS id, first_seen_at
    FROM identities WHERE project_id = $1 AND person_id = ANY ($2)
    ORDER BY person_id, identities.kind DESC, identities.id";

async fn listed(snapshot: &mut Snapshot, mut ids: Vec<i64>, limit: u32) -> Result<PersonPage, QueryError> {
    let more = ids.len() > limit as usize;
    ids.truncate(limit as usize);
    let next_cursor = ids.last().copied().filter(|_| more);
    let persons = snapshot.select(LISTED).bind(ids).fetch_all(snapshot.rows()).await?;
    Ok(PersonPage { persons, next_cursor })
}
