import Foundation
import TrailmarkFFI

extension Trailmark {
    /// An event that says itself who and when.
    public struct Event {
        /// The event's name.
        public var name: String
        /// A UUID; made if it is not said. The same id is stored once.
        public var id: String?
        /// The device it happened on.
        public var anonymousId: String?
        /// Who it happened to.
        public var userId: String?
        /// For `$alias`: the other id of the same person.
        public var otherUserId: String?
        /// The session it belongs to.
        public var sessionId: String?
        /// When; now, if it is not said.
        public var timestamp: Date?
        /// What is to be known about it.
        public var properties: [String: Any?] = [:]
        /// Its circumstances; the client's, if they are not said.
        public var context: [String: Any?]?
        /// Person properties of which the last writer wins.
        public var set: [String: Any?] = [:]
        /// Person properties of which the first writer wins.
        public var setOnce: [String: Any?] = [:]

        public init(_ name: String) {
            self.name = name
        }
    }
}

extension Trailmark.Event {
    func converted() -> TrailmarkFFI.Capture {
        return TrailmarkFFI.Capture(
            name: JSON.crossing(name),
            id: id.map { JSON.crossing($0) },
            anonymousId: anonymousId.map { JSON.crossing($0) },
            userId: userId.map { JSON.crossing($0) },
            otherUserId: otherUserId.map { JSON.crossing($0) },
            sessionId: sessionId.map { JSON.crossing($0) },
            timestampUs: timestamp.flatMap { Microseconds.since1970($0) },
            properties: JSON.optionalText(properties),
            context: context.map { JSON.text($0) },
            set: JSON.optionalText(set),
            setOnce: JSON.optionalText(setOnce)
        )
    }
}

enum Microseconds {
    /// 285,000 years, within what 64 bits hold.
    private static let most: Double = 9e18

    /// Nothing for a date that is not a number or further away than can be said: converting it would trap.
    static func since1970(_ date: Date) -> Int64? {
        let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
        guard abs(microseconds) < most else { return nil }
        return Int64(microseconds)
    }
}
