//! Partitions of the events table, one per ISO week of the id's time.

/// The weeks that are known to have a partition.
#[derive(Debug, Default)]
pub struct KnownWeeks {}
