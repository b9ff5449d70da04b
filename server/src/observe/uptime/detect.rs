//! Which monitors are broken at this moment.

use trailmark_protocol::Timestamp;

use super::state::State;
use super::target::Target;
use crate::observe::problem::{Found, Kind};
use crate::store::{MonitorRow, Store, StoreError};

/// How long before its end a certificate is a problem: 14 days. Authorities that renew by themselves do so 30 days before, so
/// by then that has failed for two weeks.
const CERTIFICATE_ENDS_WITHIN: i64 = 14 * DAY;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// What is broken in a project.
///
/// # Errors
/// What stands in the way.
pub async fn found(store: &Store, project_id: i32, now: Timestamp) -> Result<Vec<Found>, StoreError> {
    let until = now.plus_micros(CERTIFICATE_ENDS_WITHIN);
    let rows = store.monitors_in_trouble(project_id, until).await?;
    Ok(rows.iter().flat_map(|row| judge(row, now)).collect())
}

/// What is broken about a monitor.
#[must_use]
pub fn judge(row: &MonitorRow, now: Timestamp) -> Vec<Found> {
    down(row).into_iter().chain(certificate(row, now)).collect()
}

/// Two failed checks in a row (docs of the first screen, detector 4).
fn down(row: &MonitorRow) -> Option<Found> {
    let why = row.error.as_deref().unwrap_or("it does not answer");
    let found = of(
        row,
        Kind::MonitorDown,
        row.since.0,
        format!("{} is down: {why}", shown(row)),
    );
    (row.state == State::Down).then_some(found)
}

/// One that has ended is none of these: the check fails, and says so.
fn certificate(row: &MonitorRow, now: Timestamp) -> Option<Found> {
    let end = row.certificate_not_after?.0;
    let left = end.micros() - now.micros();
    if row.state == State::Paused || left <= 0 || left >= CERTIFICATE_ENDS_WITHIN {
        return None;
    }
    let since = end.plus_micros(-CERTIFICATE_ENDS_WITHIN).max(row.created_at.0);
    let within = match left / DAY {
        0 => "in less than a day".to_owned(),
        1 => "in a day".to_owned(),
        days => format!("in {days} days"),
    };
    let day: String = end.to_string().chars().take(10).collect();
    let what = format!("The certificate of {} ends {within}, on {day}", shown(row));
    Some(of(row, Kind::CertificateExpiring, since, what))
}

fn of(row: &MonitorRow, kind: Kind, since: Timestamp, what: String) -> Found {
    Found {
        kind,
        subject: row.id.to_string(),
        what,
        since,
        people: None,
        compared_with: None,
        evidence: format!("/api/v1/monitors/{}", row.id),
    }
}

fn shown(row: &MonitorRow) -> String {
    let target = serde_json::from_value::<Target>(row.target.0.clone());
    target.map_or_else(|_| row.name.clone(), |target| target.shown())
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
