import Foundation
import TrailmarkFFI

extension Trailmark {
    /// The settings. What is not said is as the engine has it; see docs/client.md.
    public struct Options {
        /// Where events and identity survive restarts.
        public enum Storage: Sendable {
            /// Application Support, out of backups: a device that is set up from another's backup must not be it.
            case standard
            /// A directory of yours, for this client alone.
            case directory(URL)
            /// Nowhere: everything ends with the process.
            case memory
        }

        /// What an event survives besides the death of the process.
        public enum Durability: Sendable {
            /// Nothing else: the system writes it when it likes.
            case process
            /// The loss of power, once it is so many seconds old.
            case within(TimeInterval)
            /// The loss of power, at once. Each event costs milliseconds.
            case everyEvent
        }

        /// The first wait after a failure, and the longest, in seconds.
        public struct Backoff: Sendable {
            public var base: TimeInterval
            public var cap: TimeInterval

            public init(base: TimeInterval, cap: TimeInterval) {
                self.base = base
                self.cap = cap
            }
        }

        /// Where events and identity survive restarts.
        public var storage: Storage = .standard
        /// What an event survives besides the death of the process.
        public var durability: Durability?
        /// Whether a client that this process has on the same storage, server and key may be joined, instead of
        /// `ConfigError.directoryInUse`.
        public var joinsExisting: Bool = false
        /// Whether the app's coming and going is captured, and what is queued is sent when it goes.
        public var captureLifecycle: Bool = true
        /// Added to the app, system, device, language and time zone in each event; wins over them.
        public var context: [String: Any?] = [:]
        /// The device's id at the first start; made if it is not said.
        public var anonymousId: String?
        /// The install's id at the first start; made if it is not said.
        public var installId: String?
        /// Events that make a batch worth sending at once.
        public var flushAt: Int?
        /// Seconds that an event waits for company.
        public var flushInterval: TimeInterval?
        /// Most events in one request.
        public var maxBatchEvents: Int?
        /// Most events waiting.
        public var maxQueueEvents: Int?
        /// Most bytes of waiting events.
        public var maxQueueBytes: Int?
        /// Seconds that an event waits at most.
        public var maxAge: TimeInterval?
        /// The pause that ends a session, in seconds.
        public var sessionIdle: TimeInterval?
        /// The longest session, in seconds.
        public var sessionMax: TimeInterval?
        /// The first wait after a failure, and the longest.
        public var backoff: Backoff?
        /// Seconds that an attempt may take as a whole.
        public var requestTimeout: TimeInterval?
        /// Certificates to trust besides Mozilla's roots, as PEM. Those of the system are not looked at.
        public var extraRootPem: String?
        /// A proxy, as `http://proxy.example.com:3128`.
        public var proxy: String?
        /// May change an event before it is captured, or drop it by returning nil, on the thread that captures it. If it
        /// throws, the event stays as it was, which `Stats.hookPanics` counts. It must not call the client for long.
        public var beforeSend: (@Sendable (Draft) throws -> Draft?)?
        /// Is told what somebody should know, on any thread.
        public var onNotice: (@Sendable (Notice) -> Void)?

        public init() {}
    }
}

extension Trailmark.Options {
    func config(writeKey: String, apiHost: String) -> TrailmarkFFI.Config {
        return TrailmarkFFI.Config(
            url: JSON.crossing(apiHost),
            writeKey: JSON.crossing(writeKey),
            directory: storage.path(),
            durability: durability.map { $0.converted() },
            join: joinsExisting,
            sdkName: "trailmark-swift/" + Trailmark.version,
            context: JSON.text(Device.context().merging(context) { _, told in told }),
            anonymousId: anonymousId.map { JSON.crossing($0) },
            installId: installId.map { JSON.crossing($0) },
            flushAt: flushAt.map { UInt32(clamping: $0) },
            flushIntervalMs: flushInterval.map { Milliseconds.from($0) },
            maxBatchEvents: maxBatchEvents.map { UInt32(clamping: $0) },
            maxQueueEvents: maxQueueEvents.map { UInt32(clamping: $0) },
            maxQueueBytes: maxQueueBytes.map { UInt64(clamping: $0) },
            maxAgeMs: maxAge.map { Milliseconds.from($0) },
            sessionIdleMs: sessionIdle.map { Milliseconds.from($0) },
            sessionMaxMs: sessionMax.map { Milliseconds.from($0) },
            backoff: backoff.map { $0.converted() },
            requestTimeoutMs: requestTimeout.map { Milliseconds.from($0) },
            extraRootPem: extraRootPem.map { JSON.crossing($0) },
            proxy: proxy.map { JSON.crossing($0) }
        )
    }
}

extension Trailmark.Options.Durability {
    func converted() -> TrailmarkFFI.Durability {
        switch self {
        case .process: return TrailmarkFFI.Durability.process
        case .within(let seconds): return TrailmarkFFI.Durability.within(ms: Milliseconds.from(seconds))
        case .everyEvent: return TrailmarkFFI.Durability.everyEvent
        }
    }
}

extension Trailmark.Options.Backoff {
    func converted() -> TrailmarkFFI.Backoff {
        return TrailmarkFFI.Backoff(baseMs: Milliseconds.from(base), capMs: Milliseconds.from(cap))
    }
}

extension Trailmark {
    /// Why there is no client. The texts are for people.
    public enum ConfigError: Error, Equatable, LocalizedError, Sendable {
        /// The server's address.
        case url(String)
        /// The key or another setting.
        case setting(String)
        /// The certificates to trust, the proxy, or TLS.
        case transport(String)
        /// Another client has the directory.
        case directoryInUse(String)
        /// The system refused a thread.
        case thread(String)

        init(_ error: TrailmarkFFI.ConfigError) {
            switch error {
            case .Url(let detail): self = .url(detail)
            case .Setting(let detail): self = .setting(detail)
            case .Transport(let detail): self = .transport(detail)
            case .DirectoryInUse(let detail): self = .directoryInUse(detail)
            case .Thread(let detail): self = .thread(detail)
            }
        }

        public var errorDescription: String? {
            switch self {
            case .url(let detail): return detail
            case .setting(let detail): return detail
            case .transport(let detail): return detail
            case .directoryInUse(let detail): return detail
            case .thread(let detail): return detail
            }
        }
    }
}
