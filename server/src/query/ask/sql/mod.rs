//! Statements in the making. Their text is made of constants, and what a question says is only ever bound: a [`Bound`] is
//! the one way of a value into a text, and it is its number.

mod apart;
mod bits;
mod events;
mod filter;
mod value;
mod parts;

pub use apart::{Apart, Looks};
pub use bits::Bits;
pub use events::{Events, Pick, meant};
pub use filter::{condition, containing};
pub use parts::Parts;
pub use value::Value;

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{Arguments, AssertSqlSafe, Encode, FromRow, Postgres, Type};
use trailmark_protocol::Timestamp;

use crate::query::ask::cohort::Cohorts;
use crate::query::error::QueryError;
use crate::query::snapshot::{Names, Snapshot};
use crate::store::PgTime;

/// A bound value, as a statement writes it: `$7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound(usize);

impl Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
}

/// What a statement is made with: its values, and the tables that its parts need beside the events.
#[derive(Debug)]
pub struct Making {
    arguments: PgArguments,
    bound: usize,
    cohorts: Cohorts,
    /// The table of each cohort that was asked for; none while it is being made.
    cohort_tables: BTreeMap<i64, Option<String>>,
    names: Names,
    /// `name AS (…)`.
    with: Vec<String>,
    named: usize,
}

impl Making {
    /// A statement about the project of this snapshot, which is `$1`.
    ///
    /// # Errors
    /// A value cannot be written for Postgres. This is so for every method that binds.
    pub fn new(snapshot: &Snapshot) -> Result<Self, QueryError> {
        let mut making = Self {
            cohorts: snapshot.cohorts().clone(),
            names: Names::clone(snapshot.names()),
            arguments: PgArguments::default(),
            bound: 0,
            cohort_tables: BTreeMap::new(),
            with: Vec::new(),
            named: 0,
        };
        making.bind(snapshot.project_id())?;
        Ok(making)
    }

    /// Binds a value.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn bind<'q, T>(&mut self, value: T) -> Result<Bound, QueryError>
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        self.arguments.add(value).map_err(sqlx::Error::Encode)?;
        self.bound += 1;
        Ok(Bound(self.bound))
    }

    /// Binds a moment.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn bind_time(&mut self, at: Timestamp) -> Result<Bound, QueryError> {
        self.bind(PgTime(at))
    }

    /// Binds a list of moments, such as the bounds of periods.
    ///
    /// # Errors
    /// See [`Making::new`].
    pub fn bind_times(&mut self, times: &[Timestamp]) -> Result<Bound, QueryError> {
        self.bind(times.iter().copied().map(PgTime).collect::<Vec<_>>())
    }

    /// The cohorts that the statement may ask for.
    #[must_use]
    pub fn cohorts(&self) -> &Cohorts {
        &self.cohorts
    }

    /// The number of an event name, if it is known.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<i32> {
        self.names.get(name).copied()
    }

    /// The table of a cohort, which `make` makes when it is first asked for.
    ///
    /// # Errors
    /// The cohort is made of itself, or cannot be made.
    pub fn cohort_table(
        &mut self,
        number: i64,
        make: impl FnOnce(&mut Self) -> Result<String, QueryError>,
    ) -> Result<String, QueryError> {
        match self.cohort_tables.get(&number) {
            Some(Some(table)) => return Ok(table.clone()),
            Some(None) => return Err(QueryError::parameter("cohort", format!("{number} is made of itself"))),
            None => drop(self.cohort_tables.insert(number, None)),
        }
        let query = make(self)?;
        let table = self.with(&query);
        self.cohort_tables.insert(number, Some(table.clone()));
        Ok(table)
    }

    /// Puts a table in front of the statement, and says what it is called.
    pub fn with(&mut self, query: &str) -> String {
        self.named += 1;
        let name = format!("t{}", self.named);
        self.with_named(&name, query);
        name
    }

    /// The same, called `name`.
    pub fn with_named(&mut self, name: &str, query: &str) {
        self.with.push(format!("{name} AS ({query})"));
    }

    /// The statement whose own part is `select`, to be executed.
    pub fn query(self, select: &str) -> Query<'static, Postgres, PgArguments> {
        sqlx::query_with(AssertSqlSafe(self.text(select)), self.arguments)
    }

    /// The same, read as rows of `T`.
    pub fn query_as<T>(self, select: &str) -> QueryAs<'static, Postgres, T, PgArguments>
    where
        T: for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_as_with(AssertSqlSafe(self.text(select)), self.arguments)
    }

    fn text(&self, select: &str) -> String {
        if self.with.is_empty() {
            return select.to_owned();
        }
        format!("WITH {} {select}", self.with.join(", "))
    }
}
