import XCTest

@testable import Trailmark

/// The public API on a real engine. There is no server at the address.
final class ClientTests: XCTestCase {
    private func options() -> Trailmark.Options {
        var options = Trailmark.Options()
        options.storage = .memory
        options.captureLifecycle = false
        return options
    }

    private func client(_ options: Trailmark.Options) throws -> Trailmark {
        return try Trailmark(writeKey: "tm_pk_example", apiHost: "http://127.0.0.1:9", options: options)
    }

    func test_a_wrong_address_is_a_typed_error() {
        XCTAssertThrowsError(try Trailmark(writeKey: "tm_pk_example", apiHost: "no address", options: options())) { error in
            guard case Trailmark.ConfigError.url = error else { return XCTFail("\(error)") }
            XCTAssertFalse(error.localizedDescription.isEmpty)
        }
    }

    func test_what_is_captured_is_counted() throws {
        let trailmark = try client(options())
        trailmark.track("checkout", properties: ["total": 12.5, "coupon": nil])
        trailmark.identify("u_7", set: ["plan": "pro"], setOnce: ["first_seen": Date()])
        trailmark.track("")
        XCTAssertEqual(trailmark.stats().captured, 3)
        XCTAssertEqual(trailmark.stats().dropped, ["missing_name": 1])
        XCTAssertEqual(trailmark.userId, "u_7")
        XCTAssertEqual(trailmark.takeNotices().map { $0.kind }, ["dropped"])
    }

    func test_nothing_traps_whatever_is_passed() throws {
        let trailmark = try client(options())
        let long = String(repeating: "x", count: 10_000_000)
        let lone = NSString(characters: [0xD83E], length: 1) as String
        let cycle = NSMutableArray()
        cycle.add(cycle)
        let odd: [String: Any?] = ["nan": Double.nan, "long": long, lone: lone, "cycle": cycle, "self": trailmark, "": nil]
        for name in ["", long, lone, "\u{0}"] {
            trailmark.track(name, properties: odd)
            trailmark.screen(name, properties: odd)
            trailmark.identify(name, set: odd, setOnce: odd)
            trailmark.setPersonProperties(odd, setOnce: odd)
            trailmark.alias(name)
            trailmark.group(name, id: name, properties: odd)
            trailmark.register(odd)
            trailmark.registerOnce(odd)
            trailmark.unregister(name)
            trailmark.setContext(odd)
            trailmark.appOpened(version: name)
            trailmark.captureRequest(method: name, url: name, status: Int.max, durationMs: .nan, error: name, properties: odd)
            trailmark.captureException(Trailmark.Exception(thrown: []), properties: odd)
            trailmark.captureException(CocoaError(.fileNoSuchFile), fingerprint: name, properties: odd)
            var event = Trailmark.Event(name)
            event.timestamp = Date(timeIntervalSince1970: .infinity)
            event.properties = odd
            trailmark.capture(event)
        }
        cycle.removeAllObjects()
        XCTAssertEqual(trailmark.stats().panics, 0)
        let stats = trailmark.stats()
        XCTAssertEqual(stats.captured, stats.delivered + stats.dropped.values.reduce(0, +) + stats.queued)
    }

    func test_after_the_shutdown_events_are_counted() throws {
        let trailmark = try client(options())
        trailmark.shutdown(timeout: 1)
        trailmark.track("too late")
        XCTAssertEqual(trailmark.stats().dropped, ["shut_down": 1])
    }

    func test_flush_says_what_became_of_the_events() async throws {
        let trailmark = try client(options())
        trailmark.track("checkout")
        let report = await trailmark.flush()
        XCTAssertEqual(report.delivered, 0)
        XCTAssertEqual(report.pending, 1)
        XCTAssertEqual(trailmark.flushBlocking(timeout: 1).pending, 1)
    }

    func test_two_hundred_flushes_at_once_all_end() async throws {
        let trailmark = try client(options())
        trailmark.track("checkout")
        await withTaskGroup(of: UInt64.self) { group in
            for _ in 0..<200 {
                group.addTask { await trailmark.flush().pending }
            }
            for await pending in group { XCTAssertEqual(pending, 1) }
        }
    }

    func test_a_hook_may_change_an_event_drop_it_or_throw() throws {
        var options = self.options()
        options.beforeSend = { draft in
            if draft.name == "secret" { return nil }
            if draft.name == "broken" { throw CocoaError(.featureUnsupported) }
            var changed = draft
            changed.properties["build"] = "nightly"
            return changed
        }
        let trailmark = try client(options)
        trailmark.track("checkout")
        trailmark.track("secret")
        trailmark.track("broken")
        XCTAssertEqual(trailmark.stats().queued, 2)
        XCTAssertEqual(trailmark.stats().hookPanics, 1)
    }

    func test_notices_are_told() throws {
        let told = expectation(description: "told")
        var options = self.options()
        options.onNotice = { notice in
            if notice.detail == "missing_name" { told.fulfill() }
        }
        let trailmark = try client(options)
        trailmark.track("")
        wait(for: [told], timeout: 5)
    }

    func test_events_survive_a_restart_in_a_directory_of_their_own() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: directory) }
        var options = self.options()
        options.storage = .directory(directory)
        let first = try client(options)
        first.track("checkout")
        XCTAssertThrowsError(try client(options)) { error in
            guard case Trailmark.ConfigError.directoryInUse = error else { return XCTFail("\(error)") }
        }
        let install = first.installId
        first.shutdown(timeout: 0)
        let second = try client(options)
        XCTAssertEqual(second.stats().queued, 1)
        XCTAssertEqual(second.installId, install)
    }

    func test_the_standard_directory_is_not_in_backups() throws {
        let path = try XCTUnwrap(StandardDirectory.path())
        let values = try URL(fileURLWithPath: path).resourceValues(forKeys: [.isExcludedFromBackupKey])
        XCTAssertEqual(values.isExcludedFromBackup, true)
    }
}
