//! Cohorts that are kept, for filters, breakdowns and other cohorts. A question reads them through
//! [`ask::cohort`](super::ask::cohort); here they are made, changed and removed.
//!
//! A cohort is a definition, looked at whenever it is asked for, or a list of ids that were uploaded. All cohorts of a
//! project are held while one is changed ([`HeldCohorts`](crate::store::HeldCohorts)), so that none is ever made of itself
//! or of one that is not there.

pub mod http;
mod ids;
mod rules;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask::question::Definition;
use super::time::At;
use crate::store::CohortRow;

/// Most cohorts of a project: 500. Every question reads their definitions.
pub const COHORTS_MAX: usize = 500;

/// Longest name of a cohort, in characters.
pub const COHORT_NAME_CHARS: usize = 200;

/// A cohort that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeptCohort {
    /// Its number, for `in_cohort`.
    pub id: i64,
    /// Its name for people; not unique.
    pub name: String,
    /// What is to be so of its persons; null: it is a list.
    #[schema(value_type = Option<Object>)]
    pub definition: Option<serde_json::Value>,
    /// How many ids its list has; 0 with a definition.
    pub members: i64,
    /// When it was made.
    pub created_at: At,
}

impl From<CohortRow> for KeptCohort {
    fn from(row: CohortRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            definition: row.definition.map(|definition| definition.0),
            members: row.members,
            created_at: At(row.created_at.0),
        }
    }
}

/// All cohorts of a project.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeptCohorts {
    /// The cohorts, by their numbers; at most [`COHORTS_MAX`].
    pub cohorts: Vec<KeptCohort>,
}

/// A cohort to be made.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCohort {
    /// Its name for people.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What is to be so of its persons, as in a question of the kind `cohort`; a list if there is none.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Definition>,
}

/// What of a cohort is to be another.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedCohort {
    /// Its name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What is to be so of its persons. A list stays a list.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Definition>,
}

/// What became of ids that were uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Uploaded {
    /// How many of the ids are known.
    pub matched: i64,
    /// How many of these were not on the list yet.
    pub added: i64,
    /// How many are not known, and so not on the list; upload them again once they have events.
    pub unknown: i64,
    /// The first 20 of those.
    pub unknown_ids: Vec<String>,
}
