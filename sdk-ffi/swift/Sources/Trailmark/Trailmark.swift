import Foundation
import TrailmarkFFI

/// A client of one Trailmark server.
///
/// Every capturing call returns at once and none throws, whatever it is given: what went wrong is in `stats()`, in the
/// report of `flush()`, and told to `Options.onNotice`. When a call returns, its event is saved on the device. All calls
/// may be made from any thread.
///
/// There is no logic here: each call converts its arguments and hands them to the engine.
public final class Trailmark: @unchecked Sendable {
    // Unchecked, because the generated class says so only by the same word: it holds a number, and the engine behind it
    // is thread-safe. Nothing here changes after `init`.
    let client: TrailmarkFFI.Client
    private let lifecycle: Lifecycle?

    /// The version of this package.
    public static let version = "0.1.0"

    /// Starts a client. The network is not touched.
    ///
    /// Make it early, in `application(_:didFinishLaunchingWithOptions:)` or your `App`'s `init`, and keep it: the coming
    /// and going of the app is seen from then on, and what the last run left is sent.
    ///
    /// - Parameters:
    ///   - writeKey: `tm_pk_…`
    ///   - apiHost: `https://analytics.example.com`; a path behind it is fine.
    /// - Throws: `ConfigError`; nothing else in this class throws.
    public init(writeKey: String, apiHost: String, options: Options = Options()) throws {
        do {
            client = try TrailmarkFFI.Client.openWith(
                config: options.config(writeKey: writeKey, apiHost: apiHost),
                beforeSend: options.beforeSendHook(),
                onNotice: options.onNoticeHook()
            )
        } catch let error as TrailmarkFFI.ConfigError {
            throw ConfigError(error)
        }
        lifecycle = options.captureLifecycle ? Lifecycle(client: client, version: Device.appVersion()) : nil
        lifecycle?.start()
    }

    /// A client that is there already: for the conformance tests.
    init(client: TrailmarkFFI.Client) {
        self.client = client
        lifecycle = nil
    }
}

// MARK: - Events

extension Trailmark {
    /// Captures an event of the current identity.
    public func track(_ name: String, properties: [String: Any?] = [:]) {
        client.track(name: JSON.crossing(name), properties: JSON.optionalText(properties))
    }

    /// A screen was shown.
    public func screen(_ name: String, properties: [String: Any?] = [:]) {
        client.screen(name: JSON.crossing(name), properties: JSON.optionalText(properties))
    }

    /// Captures an event that says itself who and when: for imports and macOS servers.
    public func capture(_ event: Event) {
        client.capture(event: event.converted())
    }

    /// The app was started in this version, or came back from the background. Called for you, see
    /// `Options.captureLifecycle`.
    public func appOpened(version: String, fromBackground: Bool = false) {
        client.appOpened(version: JSON.crossing(version), fromBackground: fromBackground)
    }

    /// The app went to the background; what is queued is sent. Called for you, see `Options.captureLifecycle`.
    public func appBackgrounded() {
        client.appBackgrounded()
    }
}

// MARK: - Who

extension Trailmark {
    /// Says who uses the device: of `set` the last writer wins, of `setOnce` the first.
    public func identify(_ userId: String, set: [String: Any?] = [:], setOnce: [String: Any?] = [:]) {
        client.identify(
            userId: JSON.crossing(userId),
            set: JSON.optionalText(set),
            setOnce: JSON.optionalText(setOnce)
        )
    }

    /// Sets what is known about the person.
    public func setPersonProperties(_ set: [String: Any?] = [:], setOnce: [String: Any?] = [:]) {
        client.set(set: JSON.optionalText(set), setOnce: JSON.optionalText(setOnce))
    }

    /// Says that the current user and the other are one person.
    public func alias(_ otherUserId: String) {
        client.alias(otherUserId: JSON.crossing(otherUserId))
    }

    /// Puts the current user into a group: `group("company", id: "acme")`.
    public func group(_ type: String, id: String, properties: [String: Any?] = [:]) {
        client.group(
            groupType: JSON.crossing(type),
            groupId: JSON.crossing(id),
            properties: JSON.optionalText(properties)
        )
    }

    /// Forgets the user: a new anonymous id, without session, groups and registered properties.
    public func reset() {
        client.reset()
    }

    /// The install: the same over restarts, until the person's data is deleted.
    public var installId: String {
        return client.installId()
    }

    /// The device, until a `reset`.
    public var anonymousId: String {
        return client.anonymousId()
    }

    /// The user, if one is known.
    public var userId: String? {
        return client.userId()
    }

    /// The session of the latest event.
    public var sessionId: String? {
        return client.sessionId()
    }
}

// MARK: - What is in every event

extension Trailmark {
    /// Writes these properties into every event from now on, until `reset` or another user.
    public func register(_ properties: [String: Any?]) {
        client.register(properties: JSON.text(properties))
    }

    /// `register`, for those of them that are not registered yet.
    public func registerOnce(_ properties: [String: Any?]) {
        client.registerOnce(properties: JSON.text(properties))
    }

    /// Takes a registered property out.
    public func unregister(_ key: String) {
        client.unregister(key: JSON.crossing(key))
    }

    /// Replaces the circumstances in the events from now on.
    public func setContext(_ context: [String: Any?]) {
        client.setContext(context: JSON.text(context))
    }
}

// MARK: - Consent

extension Trailmark {
    /// Drops what is queued, and captures, stores and sends nothing until `optIn`, over restarts.
    public func optOut() {
        client.optOut()
    }

    /// The person agrees again.
    public func optIn() {
        client.optIn()
    }

    /// Whether the person has opted out.
    public var isOptedOut: Bool {
        return client.isOptedOut()
    }

    /// Empties the device, asks the server to erase the person, and captures nothing until `optIn`.
    public func deleteMyData() {
        client.deleteMyData()
    }
}

// MARK: - Sending, and what became of it

extension Trailmark {
    /// Sends what is queued; when each of those events was tried once, says what became of them.
    @discardableResult
    public func flush() async -> FlushReport {
        return FlushReport(await client.flush())
    }

    /// `flush` that blocks this thread, at most so many seconds.
    @discardableResult
    public func flushBlocking(timeout: TimeInterval) -> FlushReport {
        return FlushReport(client.flushBlocking(timeoutMs: Milliseconds.from(timeout)))
    }

    /// Waits until fewer than so many events are queued: for imports.
    public func ready(maxQueued: Int) async {
        await client.ready(maxQueued: UInt32(clamping: maxQueued))
    }

    /// Captures nothing more, sends what is queued, and ends the engine's thread. Blocks, at most so many seconds. An app
    /// need not call it: what is queued is on the device, and goes at the next start.
    @discardableResult
    public func shutdown(timeout: TimeInterval) -> FlushReport {
        return FlushReport(client.shutdown(timeoutMs: Milliseconds.from(timeout)))
    }

    /// Where events are, and what was lost and why.
    public func stats() -> Stats {
        return Stats(client.stats())
    }

    /// What somebody should know since the last call; nothing if `Options.onNotice` is told.
    public func takeNotices() -> [Notice] {
        return client.takeNotices().map { Notice($0) }
    }
}

enum Milliseconds {
    /// 1,000 years. What is longer is for ever, and would not fit.
    private static let most: Double = 3.15e13

    /// Seconds as whole milliseconds; none for what is negative or not a number, which would trap.
    static func from(_ seconds: TimeInterval) -> UInt64 {
        let milliseconds = (seconds * 1000).rounded()
        if !(milliseconds > 0) { return 0 }
        return UInt64(min(milliseconds, most))
    }
}
