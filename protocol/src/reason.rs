//! Why an event was refused or lost: one vocabulary for client and server, frozen once shipped.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why an event was not stored. The text form is stable; it appears in receipts, counters and the dashboard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, in the order of an event's journey.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable snake_case text.
            // Once: each copy would bring its own table of texts into the web build.
            #[inline(never)]
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    // On the device, at capture.
    /// The person has opted out; nothing is captured.
    OptedOut = "opted_out",
    /// The person asked for their data to be deleted before it was sent.
    Deleted = "deleted",
    /// A `before_send` hook dropped it.
    BeforeSend = "before_send",
    /// The client was already shut down.
    ShutDown = "shut_down",
    // On the device, in the queue.
    /// The queue was at its bound and this was the oldest event.
    QueueFull = "queue_full",
    /// It waited longer than the queue keeps events.
    Expired = "expired",
    /// The device's storage lost or corrupted it.
    StorageLost = "storage_lost",
    /// The server refused the request that carried it, for good (400, 403, 404 and the like).
    RequestRejected = "request_rejected",
    // On both sides: the shape of the event.
    /// Longer than [`EVENT_BYTES`](crate::limits::EVENT_BYTES).
    TooLarge = "too_large",
    /// Not an object, or a field of the wrong type.
    InvalidEvent = "invalid_event",
    /// The event's name is missing or empty.
    MissingName = "missing_name",
    /// The event's name is longer than [`NAME_CHARS`](crate::limits::NAME_CHARS).
    NameTooLong = "name_too_long",
    /// Neither `anonymous_id` nor `user_id`.
    MissingIdentity = "missing_identity",
    /// An id is longer than [`ID_CHARS`](crate::limits::ID_CHARS).
    IdTooLong = "id_too_long",
    /// The `user_id` is one of the well-known junk ids.
    JunkUserId = "junk_user_id",
    /// The `anonymous_id` is one of the well-known junk ids.
    JunkAnonymousId = "junk_anonymous_id",
    /// An `$identify` without both ids, or an `$alias` without two different user ids.
    IncompleteIdentity = "incomplete_identity",
    /// The timestamp is not RFC 3339 between the years 0000 and 9999.
    InvalidTimestamp = "invalid_timestamp",
    /// More keys than [`KEYS`](crate::limits::KEYS).
    TooManyProperties = "too_many_properties",
    /// Nested deeper than [`DEPTH`](crate::limits::DEPTH).
    TooDeep = "too_deep",
    /// A number that no `f64` holds.
    NumberOutOfRange = "number_out_of_range",
    // On the server, at the receipt or behind it.
    /// The person was erased after it was captured.
    Erased = "erased",
    /// The database refused the row; it is in the dead letters.
    DeadLetter = "dead_letter",
}

impl Reason {
    /// Reads the text form; `None` for a reason that this version does not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_and_no_text_is_used_twice() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        assert_eq!(Reason::parse("made_up"), None);
    }
}
