//! The bugs that are planted on purpose, to show that the simulation finds them.

use trailmark_core::planted::Bug;

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Planted {
    /// The engine removes a segment before it has saved what became of its events.
    SegmentGoesFirst,
    /// The engine stamps queued events with whoever uses the device when they are sent.
    IdentityAtSend,
    /// The engine takes any 2xx for a receipt.
    AnyAnswerIsAReceipt,
    /// The journal says that a record is durable before it is synced.
    AcknowledgedEarly,
}

/// Plants it for the stories played on this thread, or takes all out.
pub fn plant(planted: Option<Planted>) {
    trailmark_core::planted::plant(match planted {
        Some(Planted::SegmentGoesFirst) => Some(Bug::SegmentGoesFirst),
        Some(Planted::IdentityAtSend) => Some(Bug::IdentityAtSend),
        Some(Planted::AnyAnswerIsAReceipt) => Some(Bug::AnyAnswerIsAReceipt),
        Some(Planted::AcknowledgedEarly) | None => None,
    });
    trailmark_server::planted::acknowledge_early(planted == Some(Planted::AcknowledgedEarly));
}
