//! Segments that a reader could not open.

use crate::store::connect::Store;
use crate::store::error::StoreError;

/// Unless it has been made anew meanwhile.
const SPOIL: &str = "
    UPDATE segments SET stale = 'corrupt', bytes = NULL, version = nextval('segment_versions')
    WHERE project_id = $1 AND event_name_id = $2 AND week = $3 AND version = $4 AND stale IS NULL";

impl Store {
    /// Has the rows of these segments answer, each told by its project, event name, week and version, until they are made anew.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn spoil_corrupt(&self, found: &[(i32, i32, i32, i64)]) -> Result<(), StoreError> {
        for (project_id, name, week, version) in found {
            let spoil = sqlx::query(SPOIL).bind(project_id).bind(name).bind(week).bind(version);
            spoil.execute(&self.pool).await?;
        }
        Ok(())
    }
}
