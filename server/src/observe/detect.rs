//! Asks every detector what is broken in a project, and settles the problems.

use futures_util::future::BoxFuture;
use trailmark_protocol::Timestamp;

use super::problem::{Found, Kind};
use super::{errors, ingest, latency, stopped, uptime};
use crate::store::nodes::Node;
use crate::store::{Store, StoreError};

/// What all projects have in common at a look.
#[derive(Debug, Clone)]
pub struct Look {
    /// When.
    pub now: Timestamp,
    /// Since when this server could have seen events.
    pub watching_since: Timestamp,
    /// Whether events wait in this server's journal: then what has not come yet may have been sent.
    pub is_behind: bool,
    /// The servers.
    pub nodes: Vec<Node>,
}

type Finding<'a> = BoxFuture<'a, Result<Vec<Found>, StoreError>>;

/// Looks at a project; returns how many problems began or ended. A detector that fails is logged, and what it would have
/// judged stays as it was.
///
/// # Errors
/// What stands in the way of settling.
pub async fn settle(store: &Store, project_id: i32, look: &Look) -> Result<u64, StoreError> {
    let (mut found, mut judged) = (Vec::new(), Vec::new());
    for (kinds, finding) in detectors(store, project_id, look) {
        match finding.await {
            Ok(some) => {
                found.extend(some);
                judged.extend(kinds);
            }
            Err(error) => tracing::warn!(project = project_id, ?kinds, %error, "a detector failed"),
        }
    }
    store.settle_problems(project_id, &found, &judged, look.now).await
}

fn detectors<'a>(store: &'a Store, project_id: i32, look: &'a Look) -> Vec<(&'static [Kind], Finding<'a>)> {
    let now = look.now;
    vec![
        (
            &[Kind::Ingest],
            Box::pin(async move {
                let ingested = store.ingested(project_id, now).await?;
                Ok(ingest::found(&look.nodes, &ingested, now))
            }),
        ),
        (
            if look.is_behind { &[] } else { &[Kind::EventsStopped] },
            Box::pin(async move {
                if look.is_behind {
                    return Ok(Vec::new());
                }
                let silences = store.silences(project_id, now).await?;
                Ok(stopped::found(&silences, look.watching_since, now))
            }),
        ),
        (
            &[Kind::NewIssue, Kind::RegressedIssue, Kind::ErrorSpike],
            Box::pin(errors::detect::found(store, project_id, now)),
        ),
        (
            &[Kind::SlowEndpoint, Kind::FailingEndpoint],
            Box::pin(latency::detect::found(store, project_id, now)),
        ),
        (
            &[Kind::MonitorDown, Kind::CertificateExpiring],
            Box::pin(uptime::detect::found(store, project_id, now)),
        ),
        (
            &[Kind::FunnelDropped, Kind::Threshold],
            Box::pin(store.watched(project_id, now)),
        ),
    ]
}
