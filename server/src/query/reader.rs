//! The reads of one project, each from one snapshot and in bounded time.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use trailmark_protocol::Timestamp;

use super::ask::persons::{self, PersonPage, WhoIs};
use super::ask::question::{Funnel, Question};
use super::ask::{self, Answered, How};
use super::columns::Columns;
use super::delivery::{self, Delivery, InstallPage};
use super::error::QueryError;
use super::events::{self, EventFilter, EventPage};
use super::explain::{self, Explanation};
use super::params::{Page, TimeRange};
use super::person::{self, Person};
use super::snapshot::{STATEMENT_TIMEOUT, Snapshot};
use super::stats::{self, Stats};
use super::timeline::{self, Timeline, TimelinePage};
use crate::observe::watch::{self, Passage};

/// Longest that a whole answer may take: 20 s. Statements bound themselves; this is for a network that swallows them.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Reads one project.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: PgPool,
    project_id: i32,
    statement_timeout: Duration,
    columns: Option<Arc<Columns>>,
}

impl Reader {
    /// A reader of `project_id`.
    #[must_use]
    pub fn new(pool: PgPool, project_id: i32) -> Self {
        Self {
            pool,
            project_id,
            statement_timeout: STATEMENT_TIMEOUT,
            columns: None,
        }
    }

    /// The same, with another bound for each statement.
    #[must_use]
    pub fn with_statement_timeout(self, statement_timeout: Duration) -> Self {
        Self {
            statement_timeout,
            ..self
        }
    }

    /// The same, for which segments answer where they can.
    #[must_use]
    pub fn with_columns(self, columns: Arc<Columns>) -> Self {
        Self {
            columns: Some(columns),
            ..self
        }
    }

    /// The database that it reads.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The project that it reads.
    #[must_use]
    pub fn project_id(&self) -> i32 {
        self.project_id
    }

    /// A page of events, newest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn events(&self, filter: &EventFilter<'_>, page: Page) -> Result<EventPage, QueryError> {
        self.answer(async |snapshot| events::list(snapshot, filter, page).await)
            .await
    }

    /// What there is.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn stats(&self, range: TimeRange) -> Result<Stats, QueryError> {
        self.answer(async |snapshot| stats::collect(snapshot, range).await)
            .await
    }

    /// The person behind a user_id or anonymous_id, with a page of its timeline.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn person(&self, external_id: &str, page: Page) -> Result<Person, QueryError> {
        self.answer(async |snapshot| person::find(snapshot, external_id, page).await)
            .await
    }

    /// What the person behind a user_id or anonymous_id did, and how it became who it is.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn timeline(&self, external_id: &str, page: TimelinePage) -> Result<Timeline, QueryError> {
        self.answer(async |snapshot| timeline::read(snapshot, external_id, page).await)
            .await
    }

    /// Why the identities of the person behind a user_id or anonymous_id are one person.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn explain(&self, external_id: &str) -> Result<Explanation, QueryError> {
        self.answer(async |snapshot| explain::explain(snapshot, external_id).await)
            .await
    }

    /// What became of what the installs captured, those that lost most first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn delivery(&self, range: TimeRange, page: &InstallPage) -> Result<Delivery, QueryError> {
        self.answer(async |snapshot| delivery::collect(snapshot, range, page).await)
            .await
    }

    /// The answer to a question that is asked at `now`.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn ask(&self, question: &Question, now: Timestamp) -> Result<Answered, QueryError> {
        Ok(self.ask_and_tell(question, now).await?.0)
    }

    /// Answers a question, and says how it was answered.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn ask_and_tell(&self, question: &Question, now: Timestamp) -> Result<(Answered, How), QueryError> {
        self.answer(async |snapshot| ask::answer(snapshot, question, now).await)
            .await
    }

    /// How many got through a funnel in the day before `as_of`, as it was known then.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn passage(&self, funnel: &Funnel, as_of: Timestamp) -> Result<Passage, QueryError> {
        self.answer(async |snapshot| {
            ask::prepare(snapshot, &Question::Funnel(funnel.clone()), "", as_of).await?;
            watch::passage(snapshot, funnel, as_of).await
        })
        .await
    }

    /// Who is in a place of an answer.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn persons_in(&self, who: &WhoIs, now: Timestamp) -> Result<PersonPage, QueryError> {
        self.answer(async |snapshot| persons::find(snapshot, who, now).await)
            .await
    }

    /// What `read` finds in one snapshot.
    pub(crate) async fn answer<T>(
        &self,
        read: impl AsyncFnOnce(&mut Snapshot) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let work = async {
            let mut snapshot = Snapshot::open(&self.pool, self.project_id, self.statement_timeout).await?;
            snapshot.set_columns(self.columns.clone());
            let answer = read(&mut snapshot).await;
            let closed = snapshot.close().await;
            answer.and_then(|answer| closed.map(|()| answer))
        };
        tokio::time::timeout(ANSWER_TIMEOUT, work)
            .await
            .unwrap_or(Err(QueryError::Timeout))
    }
}
