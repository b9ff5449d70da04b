//! What a question will look at, said before anything is read.

use std::collections::BTreeSet;

use trailmark_segments::events::SESSION;

use crate::query::ask::question::{Breakdown, Event, Filter, Of};
use crate::query::ask::sql::Pick;
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Events of some names in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Their name; none: all names.
    pub name: Option<i32>,
    /// The first moment, microseconds since 1970.
    pub from: i64,
    /// The first that is no longer meant.
    pub to: i64,
}

/// What is to be read.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Which events.
    pub(super) wants: Vec<Want>,
    /// Properties of which columns are needed.
    pub(super) columns: Vec<String>,
    /// Why segments cannot answer.
    unfit: Option<&'static str>,
}

/// The number of a name that nobody has used: no event has it.
const NO_NAME: i32 = -1;

impl Plan {
    /// Also these events. Returns what to ask the [`Look`](super::Look) for them with.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn events(&mut self, snapshot: &mut Snapshot, event: &Event, pick: Pick) -> Result<Want, QueryError> {
        let name = match &event.event {
            None => None,
            Some(name) => Some(number_of(snapshot, name).await?),
        };
        self.filter(event.filters.as_ref());
        let want = Want {
            name,
            from: pick.from.micros(),
            to: pick.to.micros(),
        };
        self.wants.push(want.clone());
        Ok(want)
    }

    /// Also what this filter looks at.
    pub fn filter(&mut self, filter: Option<&Filter>) {
        let Some(filter) = filter else { return };
        for filter in filter.and.iter().chain(&filter.or).flatten() {
            self.filter(Some(filter));
        }
        match (filter.of, &filter.property) {
            (Some(Of::Session), _) => self.unfit = Some("a property of sessions"),
            (None | Some(Of::Event), Some(property)) => self.property(property),
            _ => {}
        }
    }

    /// Also what these breakdowns look at.
    pub fn breakdowns(&mut self, breakdowns: &[Breakdown]) {
        for breakdown in breakdowns {
            match breakdown.of {
                Of::Event => self.property(&breakdown.property),
                Of::Person => self.unfit = Some("a breakdown by a property of persons"),
                Of::Session => self.unfit = Some("a breakdown by a property of sessions"),
                Of::Cohort => self.unfit = Some("a breakdown by a cohort"),
            }
        }
    }

    /// Also this property of events.
    pub fn property(&mut self, property: &str) {
        match property {
            SESSION => self.unfit("a property that is called as the sessions are"),
            property => self.column(property),
        }
    }

    /// Also the sessions that events belong to.
    pub fn sessions(&mut self) {
        self.column(SESSION);
    }

    fn column(&mut self, property: &str) {
        if !self.columns.iter().any(|column| column == property) {
            self.columns.push(property.to_owned());
        }
    }

    /// Segments cannot answer this.
    pub fn unfit(&mut self, why: &'static str) {
        self.unfit = Some(why);
    }

    /// Why segments cannot answer, if that is known already.
    #[must_use]
    pub fn is_unfit(&self) -> Option<&'static str> {
        self.unfit
    }

    /// The properties of events that it looks at.
    #[must_use]
    pub fn properties(&self) -> &[String] {
        &self.columns
    }

    /// The names that are wanted; none: all.
    pub(super) fn names(&self) -> Option<Vec<i32>> {
        let names: Option<BTreeSet<i32>> = self.wants.iter().map(|want| want.name).collect();
        names.map(|names| names.into_iter().collect())
    }

    /// From the first moment that is wanted to the last.
    pub(super) fn stretch(&self) -> (i64, i64) {
        let from = self.wants.iter().map(|want| want.from).min();
        let to = self.wants.iter().map(|want| want.to).max();
        (from.unwrap_or(0), to.unwrap_or(0))
    }
}

impl Want {
    /// Whether events of this name are meant.
    #[must_use]
    pub fn is_of(&self, name: i32) -> bool {
        self.name.is_none_or(|wanted| wanted == name)
    }

    /// Whether events of this name in this stretch (the last moment included) may be meant.
    pub(super) fn meets(&self, name: i32, (first, last): (i64, i64)) -> bool {
        self.is_of(name) && self.from <= last && first < self.to
    }
}

async fn number_of(snapshot: &mut Snapshot, name: &str) -> Result<i32, QueryError> {
    if let Some(number) = snapshot.names().get(name) {
        return Ok(*number);
    }
    let number = snapshot
        .select::<(i32,)>("SELECT id FROM event_names WHERE project_id = $1 AND name = $2")
        .bind(name)
        .fetch_optional(snapshot.rows())
        .await?;
    Ok(number.map_or(NO_NAME, |(number,)| number))
}
