import Foundation
import TrailmarkFFI

extension Trailmark {
    /// An event on its way to being captured, for `Options.beforeSend`.
    ///
    /// What is not changed stays, byte for byte: the dictionaries are read from and written to the JSON texts only when
    /// they are used.
    public struct Draft: Sendable {
        /// Its name. That of a reserved event (`$…`) stays, whatever is written here.
        public var name: String
        /// The properties as a JSON object.
        public var propertiesJSON: String
        /// Person properties of which the last writer wins, as a JSON object.
        public var setJSON: String
        /// Person properties of which the first writer wins, as a JSON object.
        public var setOnceJSON: String

        /// The properties.
        public var properties: [String: Any?] {
            get { return JSON.properties(propertiesJSON) }
            set { propertiesJSON = JSON.text(newValue) }
        }

        /// Person properties of which the last writer wins.
        public var set: [String: Any?] {
            get { return JSON.properties(setJSON) }
            set { setJSON = JSON.text(newValue) }
        }

        /// Person properties of which the first writer wins.
        public var setOnce: [String: Any?] {
            get { return JSON.properties(setOnceJSON) }
            set { setOnceJSON = JSON.text(newValue) }
        }

        init(_ draft: TrailmarkFFI.Draft) {
            name = draft.name
            propertiesJSON = draft.properties
            setJSON = draft.set
            setOnceJSON = draft.setOnce
        }

        func converted() -> TrailmarkFFI.Draft {
            return TrailmarkFFI.Draft(
                name: JSON.crossing(name),
                properties: JSON.crossing(propertiesJSON),
                set: JSON.crossing(setJSON),
                setOnce: JSON.crossing(setOnceJSON)
            )
        }
    }
}

extension Trailmark.Options {
    func beforeSendHook() -> TrailmarkFFI.BeforeSend? {
        guard let change = beforeSend else { return nil }
        return BeforeSendHook(change)
    }

    func onNoticeHook() -> TrailmarkFFI.OnNotice? {
        guard let tell = onNotice else { return nil }
        return OnNoticeHook(tell)
    }
}

/// The app's closure as the engine calls it.
private final class BeforeSendHook: TrailmarkFFI.BeforeSend {
    private let change: @Sendable (Trailmark.Draft) throws -> Trailmark.Draft?

    init(_ change: @escaping @Sendable (Trailmark.Draft) throws -> Trailmark.Draft?) {
        self.change = change
    }

    func beforeSend(event: TrailmarkFFI.Draft) throws -> TrailmarkFFI.Draft? {
        do {
            guard let changed = try change(Trailmark.Draft(event)) else { return nil }
            return changed.converted()
        } catch {
            throw TrailmarkFFI.CallbackError.Failed(detail: String(describing: error))
        }
    }
}

/// The app's closure as the engine calls it.
private final class OnNoticeHook: TrailmarkFFI.OnNotice {
    private let tell: @Sendable (Trailmark.Notice) -> Void

    init(_ tell: @escaping @Sendable (Trailmark.Notice) -> Void) {
        self.tell = tell
    }

    func onNotice(notice: TrailmarkFFI.Notice) throws {
        tell(Trailmark.Notice(notice))
    }
}
