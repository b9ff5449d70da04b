//! What a detector finds.

use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

/// What kind of thing is broken. The words are stable: alerts name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProblemKind)]
pub enum Kind {
    /// A monitor is down.
    MonitorDown,
    /// Events that come every day have stopped.
    EventsStopped,
    /// Trailmark's own ingest: its queue is old, it refuses much, the database refuses events.
    Ingest,
    /// An endpoint answers with errors.
    FailingEndpoint,
    /// An issue, or all errors together, happens far more often than usual.
    ErrorSpike,
    /// An issue that was resolved is back.
    RegressedIssue,
    /// An error that was never seen before.
    NewIssue,
    /// An endpoint is far slower than usual.
    SlowEndpoint,
    /// Fewer people than last week get through a saved funnel.
    FunnelDropped,
    /// A saved question's number is beyond what somebody set for it.
    Threshold,
    /// A monitor's certificate ends soon.
    CertificateExpiring,
}

impl Kind {
    /// All kinds, what is worst first.
    pub const ALL: [Self; 11] = [
        Self::MonitorDown,
        Self::EventsStopped,
        Self::Ingest,
        Self::FailingEndpoint,
        Self::ErrorSpike,
        Self::RegressedIssue,
        Self::NewIssue,
        Self::SlowEndpoint,
        Self::FunnelDropped,
        Self::Threshold,
        Self::CertificateExpiring,
    ];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MonitorDown => "monitor_down",
            Self::EventsStopped => "events_stopped",
            Self::Ingest => "ingest",
            Self::FailingEndpoint => "failing_endpoint",
            Self::ErrorSpike => "error_spike",
            Self::RegressedIssue => "regressed_issue",
            Self::NewIssue => "new_issue",
            Self::SlowEndpoint => "slow_endpoint",
            Self::FunnelDropped => "funnel_dropped",
            Self::Threshold => "threshold",
            Self::CertificateExpiring => "certificate_expiring",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that is broken at this moment, as a detector tells it. It is the same problem as before while its kind and its
/// subject are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one, for the machine: the number of an issue or a monitor, `GET /cart`. Unique within the kind and the project.
    pub subject: String,
    /// What is broken, as a sentence without an end for a person: `POST /api/checkout fails: 41 % of requests`.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// How many people it has met; `None` where that cannot be known.
    pub people: Option<i64>,
    /// What it is compared with: `usually 0.3 %`. `None` if with nothing.
    pub compared_with: Option<String>,
    /// Where the evidence is: a path of this API.
    pub evidence: String,
}
