//! Monitors as requests and answers tell them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::history::{Bar, HOUR, HOURS, Minute, Uptime, bars};
use super::state::State;
use super::target::{HttpTarget, Target, TcpTarget};
use crate::query::time::At;
use crate::store::{HourRow, MonitorRow};
use trailmark_protocol::Timestamp;

/// Most monitors of a project: 200. Checked every ten seconds, they are twenty checks a second.
pub const MONITORS_MAX: i64 = 200;

/// A monitor.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Monitor {
    /// Its number.
    pub id: i64,
    /// Its name for people; not unique.
    pub name: String,
    /// The request that it makes, if it makes one.
    pub http: Option<HttpTarget>,
    /// The connection that it opens, if it opens one.
    pub tcp: Option<TcpTarget>,
    /// Seconds from one check to the next.
    pub interval_s: i32,
    /// How long a check may take, in milliseconds.
    pub timeout_ms: i32,
    /// When it was made.
    pub created_at: At,
    /// What is known.
    pub state: State,
    /// Since when. Of one that is failing or down: when the first of its failed checks began.
    pub since: At,
    /// Checks that failed since the last that did not.
    pub failures: i32,
    /// The last check; null before the first.
    pub last_check: Option<LastCheck>,
    /// When the certificate that was last seen ends; null without TLS.
    pub certificate_not_after: Option<At>,
    /// The last 24 hours, oldest first.
    pub hours: Vec<Bar>,
}

/// The last check of a monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastCheck {
    /// When it began.
    pub at: At,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    /// Why it failed, for programs: `status`, `body`, `timeout`, `too_slow_body`, `connect`, `tls`, `dns`, `refused_address`,
    /// `protocol`, `redirect`, `too_many_redirects`, `invalid_url`; null if it did not.
    pub error_kind: Option<String>,
    /// Why it failed, for people.
    pub error: Option<String>,
}

impl Monitor {
    /// A stored one with its last hours.
    #[must_use]
    pub fn new(row: MonitorRow, hours: &[HourRow], now: Timestamp) -> Self {
        let target = serde_json::from_value::<Target>(row.target.0).map(Target::without_secrets);
        let (http, tcp) = match target {
            Ok(Target::Http(http)) => (Some(http), None),
            Ok(Target::Tcp(tcp)) => (None, Some(tcp)),
            Err(_) => (None, None),
        };
        let check = |at| LastCheck {
            at,
            took_ms: row.took_ms.unwrap_or_default(),
            error_kind: row.error_kind,
            error: row.error,
        };
        Self {
            id: row.id,
            name: row.name,
            http,
            tcp,
            interval_s: row.interval_s,
            timeout_ms: row.timeout_ms,
            created_at: At(row.created_at.0),
            state: row.state,
            since: At(row.since.0),
            failures: row.failures,
            last_check: row.checked_at.map(|at| At(at.0)).map(check),
            certificate_not_after: row.certificate_not_after.map(|at| At(at.0)),
            hours: bars(hours, now, HOUR, HOURS),
        }
    }
}

/// All monitors of a project.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Monitors {
    /// The monitors, by their numbers; at most [`MONITORS_MAX`].
    pub monitors: Vec<Monitor>,
}

/// A monitor to be made; it has either `http` or `tcp`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMonitor {
    /// Its name for people.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The request that it makes.
    #[serde(default)]
    pub http: Option<HttpTarget>,
    /// The connection that it opens.
    #[serde(default)]
    pub tcp: Option<TcpTarget>,
    /// Seconds from one check to the next.
    #[serde(default = "NewMonitor::minute")]
    #[schema(minimum = 10, maximum = 3600, default = 60)]
    pub interval_s: i32,
    /// How long a check may take, in milliseconds; no longer than the interval.
    #[serde(default = "NewMonitor::ten_seconds")]
    #[schema(minimum = 1000, maximum = 30000, default = 10000)]
    pub timeout_ms: i32,
    /// Whether it is not checked yet.
    #[serde(default)]
    pub paused: bool,
}

impl NewMonitor {
    const fn minute() -> i32 {
        60
    }

    const fn ten_seconds() -> i32 {
        10_000
    }
}

/// What of a monitor is to be another. A request stays a request, a connection a connection.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedMonitor {
    /// Its name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// The request that it makes, as a whole; headers whose value is null keep theirs.
    #[serde(default)]
    pub http: Option<HttpTarget>,
    /// The connection that it opens.
    #[serde(default)]
    pub tcp: Option<TcpTarget>,
    /// Seconds from one check to the next.
    #[serde(default)]
    #[schema(minimum = 10, maximum = 3600)]
    pub interval_s: Option<i32>,
    /// How long a check may take, in milliseconds.
    #[serde(default)]
    #[schema(minimum = 1000, maximum = 30000)]
    pub timeout_ms: Option<i32>,
    /// Whether it is not checked.
    #[serde(default)]
    pub paused: Option<bool>,
}

/// How a monitor fared.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonitorHistory {
    /// Which share of the checks did not fail.
    pub uptime: Uptime,
    /// The last 90 days in UTC, today too, oldest first.
    pub days: Vec<Bar>,
    /// The minutes of the last 24 hours in which it was checked, oldest first.
    pub minutes: Vec<Minute>,
}
