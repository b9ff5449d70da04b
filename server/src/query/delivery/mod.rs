//! Delivery: of what every install captured, how much is stored, dropped under a reason, still queued, and lost.
//!
//! `captured = stored + dropped + queued + lost`. The install says what it captured, dropped and kept back; the writer
//! counts what is stored; the rest is lost. [`collect`] does the sums, `groups` adds them up by release and SDK, `gaps` shows
//! where in an install's numbers something is missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::error::QueryError;
use super::params::TimeRange;
use super::snapshot::Snapshot;
use super::time::At;
use crate::store::PgTime;

mod statement;
mod cursor;
mod groups;
mod gaps;

pub use cursor::InstallCursor;
pub use gaps::{GAPS_LISTED, Gap};
pub use groups::{GROUPS_LISTED, Group, Sum};

/// Events by the reason for which they were dropped.
pub type Dropped = BTreeMap<String, i64>;

/// Which installs, those that lost most first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallPage {
    /// At most so many.
    pub limit: u32,
    /// Only those behind this one, the last of the page before.
    pub after: Option<InstallCursor>,
}

/// What became of what was captured.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Delivery {
    /// All installs of the range together.
    pub totals: Sum,
    /// The same by app version, those that lost most first; at most [`GROUPS_LISTED`].
    pub by_release: Vec<Group>,
    /// Installs of all other app versions.
    pub by_release_rest: i64,
    /// The same by SDK.
    pub by_sdk: Vec<Group>,
    /// Installs of all other SDKs.
    pub by_sdk_rest: i64,
    /// Installs, those that lost most first.
    pub installs: Vec<Install>,
    /// What to ask the next page with. `None` at the end.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<InstallCursor>,
}

/// One install.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Install {
    /// As it names itself.
    pub install_id: String,
    /// Name and version of its SDK.
    pub sdk: Option<String>,
    /// Version of its app.
    pub release: Option<String>,
    /// Events it ever captured, as it says.
    pub captured: i64,
    /// Events of it that are stored.
    pub stored: i64,
    /// Events that were still on the device after its latest batch.
    pub queued: i64,
    /// Events dropped, by reason.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub dropped: Dropped,
    /// Events that are nowhere: captured - dropped - queued - stored, and never less than 0.
    pub lost: i64,
    /// `lost` of `captured`, from 0 to 1.
    pub loss_rate: f64,
    /// Where something is missing: the newest ranges of numbers that are not stored, oldest first. `lost` of these and
    /// earlier numbers are lost, the others were dropped or are queued. Empty if nothing is lost; at most [`GAPS_LISTED`].
    pub missing: Vec<Gap>,
    /// How many such ranges there are before these.
    pub missing_rest: i64,
    /// When the server received its first batch with counters.
    pub first_seen_at: At,
    /// When the server received its latest batch with counters.
    pub last_seen_at: At,
}

/// An install as [`statement::DELIVERY`] tells of it.
#[derive(Debug, Deserialize)]
struct Told {
    install_id: String,
    sdk: Option<String>,
    release: Option<String>,
    captured: i64,
    stored: i64,
    queued: i64,
    dropped: Dropped,
    lost: i64,
    first_us: i64,
    last_us: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    sums: Json<Vec<groups::SumRow>>,
    drops: Json<Vec<groups::DropRow>>,
    installs: Json<Vec<Told>>,
}

/// What became of what was captured by the installs whose latest batch was received in `range`.
///
/// # Errors
/// What stands in the way.
pub async fn collect(snapshot: &mut Snapshot, range: TimeRange, page: &InstallPage) -> Result<Delivery, QueryError> {
    let statement = snapshot
        .select::<Row>(statement::DELIVERY)
        .bind(range.from.map(PgTime))
        .bind(range.to.map(PgTime))
        .bind(page.after.as_ref().map(|after| after.lost))
        .bind(page.after.as_ref().map(|after| after.install_id.as_str()))
        .bind(i64::from(page.limit) + 1)
        .bind(GROUPS_LISTED);
    let row = statement.fetch_one(snapshot.rows()).await?;
    let mut installs: Vec<_> = row.installs.0.into_iter().map(Install::from).collect();
    let more = installs.len() > page.limit as usize;
    installs.truncate(page.limit as usize);
    gaps::find(snapshot, &mut installs).await?;
    let groups = groups::assemble(row.sums.0, row.drops.0);
    Ok(Delivery {
        by_release_rest: groups.totals.installs - installs_in(&groups.by_release),
        by_sdk_rest: groups.totals.installs - installs_in(&groups.by_sdk),
        totals: groups.totals,
        by_release: groups.by_release,
        by_sdk: groups.by_sdk,
        next_cursor: installs.last().filter(|_| more).map(InstallCursor::behind),
        installs,
    })
}

fn installs_in(groups: &[Group]) -> i64 {
    groups.iter().map(|group| group.sum.installs).sum()
}

impl From<Told> for Install {
    fn from(told: Told) -> Self {
        Self {
            loss_rate: rate(told.lost, told.captured),
            install_id: told.install_id,
            sdk: told.sdk,
            release: told.release,
            captured: told.captured,
            stored: told.stored,
            queued: told.queued,
            dropped: told.dropped,
            lost: told.lost,
            missing: Vec::new(),
            missing_rest: 0,
            first_seen_at: At(Timestamp::from_micros(told.first_us)),
            last_seen_at: At(Timestamp::from_micros(told.last_us)),
        }
    }
}

/// `lost` of `captured`; of nothing, nothing is lost.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
fn rate(lost: i64, captured: i64) -> f64 {
    if captured == 0 {
        0.0
    } else {
        lost as f64 / captured as f64
    }
}
