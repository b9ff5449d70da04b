//! The sums over many installs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Dropped, rate};

/// Most releases, and most SDKs, that an answer lists, and most reasons of each: 100 fill a screen twice. Further reasons
/// are counted as `other`.
pub const GROUPS_LISTED: i64 = 100;

/// In [`SumRow::which`]: all installs together, a release, an SDK (Postgres' `grouping(release, sdk)`).
const TOTALS: i32 = 0b11;
const RELEASE: i32 = 0b01;
const SDK: i32 = 0b10;

/// What became of what some installs captured. Each number is the sum over these installs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = DeliverySum)]
pub struct Sum {
    /// How many installs.
    pub installs: i64,
    /// Events ever captured.
    pub captured: i64,
    /// Events that are stored.
    pub stored: i64,
    /// Events that were still on the devices.
    pub queued: i64,
    /// Events dropped, by reason.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub dropped: Dropped,
    /// Events that are nowhere.
    pub lost: i64,
    /// `lost` of `captured`, from 0 to 1.
    pub loss_rate: f64,
}

/// The installs that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DeliveryGroup)]
pub struct Group {
    /// What they have in common: the version of the app, or name and version of the SDK. `None` if they do not say.
    pub name: Option<String>,
    /// Their sum.
    #[serde(flatten)]
    pub sum: Sum,
}

/// A sum as the database makes it.
#[derive(Debug, Deserialize)]
pub(super) struct SumRow {
    which: i32,
    name: Option<String>,
    installs: i64,
    captured: i64,
    stored: i64,
    queued: i64,
    lost: i64,
}

/// One reason of a sum.
#[derive(Debug, Deserialize)]
pub(super) struct DropRow {
    which: i32,
    name: Option<String>,
    reason: String,
    count: i64,
}

/// All sums.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) totals: Sum,
    pub(super) by_release: Vec<Group>,
    pub(super) by_sdk: Vec<Group>,
}

/// Sorts the sums into their places, in the order in which they come.
pub(super) fn assemble(sums: Vec<SumRow>, drops: Vec<DropRow>) -> Groups {
    let mut dropped = std::collections::HashMap::<(i32, Option<String>), Dropped>::new();
    for DropRow {
        which,
        name,
        reason,
        count,
    } in drops
    {
        dropped.entry((which, name)).or_default().insert(reason, count);
    }
    let mut groups = Groups::default();
    for row in sums {
        let key = (row.which, row.name);
        let sum = Sum {
            installs: row.installs,
            captured: row.captured,
            stored: row.stored,
            queued: row.queued,
            dropped: dropped.remove(&key).unwrap_or_default(),
            lost: row.lost,
            loss_rate: rate(row.lost, row.captured),
        };
        match key {
            (TOTALS, _) => groups.totals = sum,
            (RELEASE, name) => groups.by_release.push(Group { name, sum }),
            (SDK, name) => groups.by_sdk.push(Group { name, sum }),
            _ => {}
        }
    }
    groups
}
