//! What time does to issues: jobs.

use trailmark_protocol::Timestamp;

use super::detect::spiking;
use crate::store::{Store, StoreError};

/// Moves the states of all issues on: new and regressed ones become ongoing, ongoing ones escalate and calm down. Run it
/// every minute; a run that was cut off is made up for by the next, and two at once do no harm.
///
/// # Errors
/// What stands in the way.
pub async fn settle(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    for project_id in store.projects_with_issues().await? {
        let busy = store.busy_issues(project_id, now).await?;
        let spiking: Vec<i32> = spiking(&busy).iter().map(|spike| spike.number).collect();
        store.move_issues(project_id, &spiking, now).await?;
    }
    Ok(())
}

/// Forgets counts by quarter-hours after 30 days, whom an issue has met after 90, and issues that have not happened for 180.
/// Run it once a day; it removes a few thousand rows at a time.
///
/// # Errors
/// What stands in the way; what is removed stays removed.
pub async fn forget(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    for project_id in store.projects_with_issues().await? {
        store.forget_issues(project_id, now).await?;
    }
    Ok(())
}
