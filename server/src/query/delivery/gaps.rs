//! Where in the numbers of an install something is missing.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Install, statement};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;

/// Most ranges that an install lists.
pub const GAPS_LISTED: i64 = 20;

/// Numbers (`seq`) that are not stored, both ends inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gap {
    /// The first that is missing.
    pub from: i64,
    /// The last that is missing.
    pub to: i64,
}

/// Fills in what is missing, of the installs that lost something.
///
/// # Errors
/// What stands in the way.
pub(super) async fn find(snapshot: &mut Snapshot, installs: &mut [Install]) -> Result<(), QueryError> {
    let losers = || installs.iter().filter(|install| install.lost > 0);
    if losers().next().is_none() {
        return Ok(());
    }
    let statement = snapshot
        .select::<(String, i64, i64, i64)>(statement::GAPS)
        .bind(losers().map(|install| install.install_id.clone()).collect::<Vec<_>>())
        .bind(losers().map(|install| install.captured).collect::<Vec<_>>())
        .bind(GAPS_LISTED);
    let mut found = BTreeMap::<String, (Vec<Gap>, i64)>::new();
    for (install_id, from, to, ranges) in statement.fetch_all(snapshot.rows()).await? {
        let (missing, all) = found.entry(install_id).or_default();
        missing.push(Gap { from, to });
        *all = ranges;
    }
    for install in installs {
        let (missing, all) = found.remove(&install.install_id).unwrap_or_default();
        install.missing_rest = all - i64::try_from(missing.len()).unwrap_or(all);
        install.missing = missing;
    }
    Ok(())
}
