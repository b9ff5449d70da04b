//! One consistent look at one project.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow};
use sqlx::query::QueryAs;
use sqlx::{Executor, FromRow, Postgres};
use trailmark_protocol::Timestamp;

use super::ask::cohort::Cohorts;
use super::columns::Columns;
use super::error::QueryError;

/// Longest that one statement of a read may take: 10 s. A person waits no longer, and a balancer's usual 30 s are not
/// reached.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The statements of an answer see the same rows, and can write none.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Settings of this transaction alone.
/// - `plan_cache_mode`: a plan is made for the values at hand (1 ms), so that a filter that is not given (`$4 IS NULL OR
///   …`) vanishes and the planner knows how common an event's name is.
/// - `jit`: compiling costs more than these statements take (0.2 s for thirteen partitions, measured).
/// - `random_page_cost`: 1.1 as for SSDs, so that the narrow covering index is preferred to the wide rows.
/// - `client_connection_check_interval`: whoever asked may leave; then the connection is closed ([`Snapshot`]'s drop), and
///   Postgres looks every 200 ms whether anybody is still there to answer to.
/// - `work_mem`: at least 16 MB, more where the server has more to give (64 MB on 16 GiB, `postgres::settings`); doubled
///   for hash tables by `hash_mem_multiplier`. An identity in one takes about 100 bytes.
const SETTINGS: &str = "
    SELECT set_config(name, value, true) FROM (VALUES
        ('statement_timeout', $1),
        ('plan_cache_mode', 'force_custom_plan'),
        ('jit', 'off'),
        ('random_page_cost', '1.1'),
        ('client_connection_check_interval', '200'),
        ('work_mem', greatest(pg_size_bytes(current_setting('work_mem')), 16777216) / 1024 || 'kB'))
        AS setting (name, value)";

/// Settings for questions, which read far more than they answer.
/// - `parallel_tuple_cost`: a tenth of the usual. Half a million entries of an index are worth a second process (0.8 s became
///   0.4), which the usual cost denies.
/// - `enable_partitionwise_aggregate`: each week's index is grouped in its own order before all are put together (1.9 s
///   became 1.6 for ten million events).
///
/// Not for lists and overviews, which are too small for it: the overview of a day took 250 ms instead of 190.
const SETTINGS_OF_QUESTIONS: &str = "
    SELECT set_config('parallel_tuple_cost', '0.01', true), set_config('enable_partitionwise_aggregate', 'on', true)";

/// Event names are known by their numbers, the first 2,000 of them. The others are looked up by the statements themselves,
/// which are then planned without knowing how frequent they are.
const NAMES_KNOWN: &str = "SELECT name, id FROM event_names WHERE project_id = $1 ORDER BY id LIMIT 2000";

/// Event names, and their numbers.
pub type Names = Arc<HashMap<String, i32>>;

/// A transaction that reads one project.
#[derive(Debug)]
pub struct Snapshot {
    connection: PoolConnection<Postgres>,
    /// It was ended in order, and the connection can be used again.
    closed: bool,
    project_id: i32,
    cohorts: Cohorts,
    names: Names,
    columns: Option<Arc<Columns>>,
}

impl Snapshot {
    /// Begins to read `project_id`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn open(pool: &PgPool, project_id: i32, statement_timeout: Duration) -> Result<Self, QueryError> {
        let mut snapshot = Self {
            connection: pool.acquire().await?,
            closed: false,
            project_id,
            cohorts: Cohorts::none(Timestamp::default()),
            names: Names::default(),
            columns: None,
        };
        let timeout = statement_timeout.as_millis().to_string();
        snapshot.rows().execute(BEGIN).await?;
        sqlx::query(SETTINGS).bind(timeout).execute(snapshot.rows()).await?;
        Ok(snapshot)
    }

    /// A statement, the project already bound as `$1`; bind the rest from `$2` and fetch from [`Self::rows`].
    pub fn select<'q, T>(&self, sql: &'static str) -> QueryAs<'q, Postgres, T, PgArguments>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_as(sql).bind(self.project_id)
    }

    /// The project that it reads.
    #[must_use]
    pub fn project_id(&self) -> i32 {
        self.project_id
    }

    /// The segments that are in memory, if there are any beside the rows.
    #[must_use]
    pub fn columns(&self) -> Option<Arc<Columns>> {
        self.columns.clone()
    }

    /// Lets segments answer, too.
    pub fn set_columns(&mut self, columns: Option<Arc<Columns>>) {
        self.columns = columns;
    }

    /// The cohorts that statements may ask for.
    #[must_use]
    pub fn cohorts(&self) -> &Cohorts {
        &self.cohorts
    }

    /// Reads the cohorts, for a question that is asked at `now`.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn know_cohorts(&mut self, now: Timestamp) -> Result<(), QueryError> {
        self.cohorts = Cohorts::read(self, now).await?;
        Ok(())
    }

    /// Lets statements read much, in several processes.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn read_much(&mut self) -> Result<(), QueryError> {
        self.rows().execute(SETTINGS_OF_QUESTIONS).await?;
        Ok(())
    }

    /// Event names with their numbers, as far as they are known.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Reads the event names. Statements that hold a name's number are planned for how frequent it is.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn know_names(&mut self) -> Result<(), QueryError> {
        let names = self.select::<(String, i32)>(NAMES_KNOWN).fetch_all(self.rows()).await?;
        self.names = Arc::new(names.into_iter().collect());
        Ok(())
    }

    /// Where to fetch from.
    pub fn rows(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Ends the look; the connection goes back to the pool.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn close(mut self) -> Result<(), QueryError> {
        self.rows().execute("COMMIT").await?;
        self.closed = true;
        Ok(())
    }
}

/// What is dropped in the middle (an answer that failed, took too long, or that nobody waits for any more) may have said
/// half a sentence to Postgres: that connection is closed and not used again.
impl Drop for Snapshot {
    fn drop(&mut self) {
        if !self.closed {
            self.connection.close_on_drop();
        }
    }
}
