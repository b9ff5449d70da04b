import TrailmarkFFI

extension Trailmark {
    /// What a flush achieved.
    public struct FlushReport: Equatable, Sendable {
        /// Events that the server has on stable storage.
        public let delivered: UInt64
        /// Events lost meanwhile, by reason.
        public let dropped: [String: UInt64]
        /// Events still queued.
        public let pending: UInt64

        init(_ report: TrailmarkFFI.FlushReport) {
            delivered = report.delivered
            dropped = report.dropped
            pending = report.pending
        }
    }

    /// Where events are until they are delivered.
    public enum StorageHealth: Equatable, Sendable {
        /// In memory alone.
        case memory
        /// In the directory.
        case saved
        /// In memory alone, because the directory fails: why, for people.
        case failing(String)

        init(_ health: TrailmarkFFI.StorageHealth) {
            switch health {
            case .memory: self = .memory
            case .saved: self = .saved
            case .failing(let detail): self = .failing(detail)
            }
        }
    }

    /// The truth, now: `captured = delivered + dropped + queued`.
    public struct Stats: Equatable, Sendable {
        /// Events ever handed in.
        public let captured: UInt64
        /// Events that the server has on stable storage.
        public let delivered: UInt64
        /// Events lost, by reason.
        public let dropped: [String: UInt64]
        /// Events waiting or on their way.
        public let queued: UInt64
        /// Their size.
        public let queuedBytes: UInt64
        /// Requests sent by this process.
        public let attempts: UInt64
        /// How the latest attempt failed, for people; nothing after a success.
        public let lastError: String?
        /// Whether the server refuses the key: events are kept, and it is asked again now and then.
        public let paused: Bool
        /// Where the events are.
        public let storage: StorageHealth
        /// Whether the person has opted out.
        public let optedOut: Bool
        /// Calls that captured nothing because of it.
        public let ignored: UInt64
        /// Strings that were too long and were cut.
        public let truncated: UInt64
        /// Calls of `beforeSend` that threw; the event went on as it was.
        public let hookPanics: UInt64
        /// Panics that were caught at the border of the engine. None is known; each is a bug worth reporting.
        public let panics: UInt64

        init(_ stats: TrailmarkFFI.Stats) {
            captured = stats.captured
            delivered = stats.delivered
            dropped = stats.dropped
            queued = stats.queued
            queuedBytes = stats.queuedBytes
            attempts = stats.attempts
            lastError = stats.lastError
            paused = stats.paused
            storage = StorageHealth(stats.storage)
            optedOut = stats.optedOut
            ignored = stats.ignored
            truncated = stats.truncated
            hookPanics = stats.hookPanics
            panics = stats.panics
        }
    }

    /// What somebody should know.
    public struct Notice: Equatable, Sendable {
        /// `dropped`, `refused`, `truncated`, `hook_panicked`, `storage_failing`, `storage_works` or `key_refused`. Later
        /// versions may know others.
        public let kind: String
        /// The reason of what was dropped or refused, how many strings were cut, or what the storage or server said.
        public let detail: String?
        /// For people.
        public let text: String

        init(_ notice: TrailmarkFFI.Notice) {
            kind = notice.kind
            detail = notice.detail
            text = notice.text
        }
    }
}
