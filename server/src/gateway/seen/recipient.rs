//! Whether the project that latency facts are meant for exists: events of one that does not would end as dead letters.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::store::{Store, StoreError};

/// How long an answer is waited for: 2 s. Without one, facts are written as ever; the journal outlasts an outage.
const WITHIN: Duration = Duration::from_secs(2);

/// How long until it is asked again at the start, while the database may be starting, too: 1 s.
const AGAIN_IN: Duration = Duration::from_secs(1);

/// Knows which projects there are.
pub trait Projects: Send + Sync {
    /// Whether there is the project of this number.
    ///
    /// # Errors
    /// It cannot be known now.
    fn has(&self, project: i32) -> BoxFuture<'_, Result<bool, StoreError>>;
}

impl Projects for Store {
    fn has(&self, project: i32) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move { Ok(self.project(project).await?.is_some()) })
    }
}

/// The project that facts are meant for.
pub(super) struct Recipient {
    project: i32,
    projects: Arc<dyn Projects>,
    is_missing: bool,
}

impl Recipient {
    pub(super) fn new(project: i32, projects: Arc<dyn Projects>) -> Self {
        Self {
            project,
            projects,
            is_missing: false,
        }
    }

    /// Whether it was not there when that could last be known.
    pub(super) fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Looks for it until it is known whether it is there.
    pub(super) async fn find(&mut self) {
        while !self.look().await {
            tokio::time::sleep(AGAIN_IN).await;
        }
    }

    /// Looks for it, and says when it turns out not to be there, or to be there after all. Returns whether that is known.
    pub(super) async fn look(&mut self) -> bool {
        let asked = tokio::time::timeout(WITHIN, self.projects.has(self.project)).await;
        let Ok(Ok(is_there)) = asked else { return false };
        let project = self.project;
        if std::mem::replace(&mut self.is_missing, !is_there) == is_there {
            match is_there {
                true => tracing::info!(project, "the project of the latency facts is there now"),
                false => tracing::warn!(
                    project,
                    "[facts] project: there is no such project; latency facts are dropped until there is"
                ),
            }
        }
        true
    }
}
