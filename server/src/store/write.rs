//! The write path.

/// What a write did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// New rows.
    pub stored: u64,
    /// Events that were stored already, or came twice in this write.
    pub duplicates: u64,
    /// Events that the database refused; they are dead letters now.
    pub dead: u64,
}
