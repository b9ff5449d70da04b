//! What installs say of themselves: one row per install, kept equal to a pure function of all reports that ever came.
//!
//! The counters of an install only ever move one way: `captured` grows, and while it stands still events leave the queue.
//! So the report with the most captured and then the fewest queued events is the latest, whatever order reports arrive
//! in, and a report that comes twice changes nothing. Two reports that are equal in both tell of the same moment; the
//! remaining columns only make the choice certain.

use sqlx::PgConnection;

use super::error::StoreError;
use super::group::INDEXED_BYTES;
use super::pg_time::PgTime;
use crate::event::BatchHead;
use crate::install::InstallReport;

/// A report and whose it is.
#[derive(Debug)]
pub(super) struct Report<'a> {
    project_id: i32,
    install_id: &'a str,
    received_at: PgTime,
    captured: i64,
    queued: i64,
    /// `{reason: count}`.
    dropped: String,
    sdk: Option<String>,
    release: Option<String>,
}

impl<'a> Report<'a> {
    /// `None` for what no row can hold. Ingest lets none of these through; a bug there must not stop the writer here.
    pub(super) fn of(head: &BatchHead<'a>, report: InstallReport) -> Option<Self> {
        if !storable(head, &report) {
            return None;
        }
        let counts = report.dropped.iter().filter(|(_, count)| **count > 0);
        let dropped: serde_json::Map<_, _> = counts
            .map(|(reason, count)| (reason.clone(), (*count).into()))
            .collect();
        Some(Self {
            project_id: head.project_id,
            install_id: head.install_id?,
            received_at: PgTime(head.received_at),
            captured: report.captured,
            queued: report.queued,
            dropped: serde_json::Value::Object(dropped).to_string(),
            sdk: report.sdk,
            release: report.release,
        })
    }
}

fn storable(head: &BatchHead<'_>, report: &InstallReport) -> bool {
    let said = [head.install_id, report.sdk.as_deref(), report.release.as_deref()];
    let reasons = report.dropped.keys().map(String::as_str);
    let mut texts = said.into_iter().flatten().chain(reasons);
    texts.all(|text| text.len() <= INDEXED_BYTES && !text.contains('\0'))
}

/// Ordered by key, so that two writers wait for each other instead of deadlocking. The latest report of this write and
/// the one that is there are compared by the same order.
const UPSERT: &str = "
    INSERT INTO installs AS i (project_id, install_id, captured, queued, dropped, sdk, release, first_seen_at, last_seen_at)
    SELECT DISTINCT ON (project_id, install_id COLLATE \"C\")
           project_id, install_id, captured, queued, dropped, sdk, release, min(at) OVER install, max(at) OVER install
    FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::text[]::jsonb[], $7::text[], $8::text[])
         AS report (project_id, install_id, at, captured, queued, dropped, sdk, release)
    WINDOW install AS (PARTITION BY project_id, install_id COLLATE \"C\")
    ORDER BY project_id, install_id COLLATE \"C\", captured DESC, queued, dropped DESC, sdk, release
    ON CONFLICT (project_id, install_id) DO UPDATE
    SET (captured, queued, dropped, sdk, release) = (
            SELECT * FROM (VALUES (i.captured, i.queued, i.dropped, i.sdk, i.release),
                                  (excluded.captured, excluded.queued, excluded.dropped, excluded.sdk, excluded.release))
                          AS report (captured, queued, dropped, sdk, release)
            ORDER BY captured DESC, queued, dropped DESC, sdk, release LIMIT 1),
        first_seen_at = least(i.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(i.last_seen_at, excluded.last_seen_at)";

/// Takes reports in.
pub(super) async fn apply(connection: &mut PgConnection, reports: &[Report<'_>]) -> Result<(), StoreError> {
    if reports.is_empty() {
        return Ok(());
    }
    sqlx::query(UPSERT)
        .bind(reports.iter().map(|report| report.project_id).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| report.install_id).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| report.received_at).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| report.captured).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| report.queued).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| report.dropped.as_str()).collect::<Vec<_>>())
        .bind(reports.iter().map(|report| report.sdk.as_deref()).collect::<Vec<_>>())
        .bind(
            reports
                .iter()
                .map(|report| report.release.as_deref())
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await?;
    Ok(())
}
