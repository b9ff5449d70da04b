import XCTest

@testable import Trailmark

final class VectorTextTests: XCTestCase {
    func test_texts_are_cut_and_not_changed() {
        let object = VectorText.compact(#"{ "a" : [1, {"b":"x, \" ]"}] , "c":1.0 }"#)
        XCTAssertEqual(object, #"{"a":[1,{"b":"x, \" ]"}],"c":1.0}"#)
        XCTAssertEqual(VectorText.members(object).map { $0.key }, ["a", "c"])
        XCTAssertEqual(VectorText.member(object, "c"), "1.0")
        XCTAssertEqual(VectorText.parts("[]").count, 0)
        XCTAssertEqual(VectorText.expand(#"{"n":{"$repeat":["é",3]}}"#), #"{"n":"ééé"}"#)
        XCTAssertEqual(VectorText.date("1970-01-02T00:00:01.5Z")?.timeIntervalSince1970, 86_401.5)
        XCTAssertEqual(VectorText.date("0000-01-01T00:00:00Z")?.timeIntervalSince1970, -62_167_219_200)
    }
}

#if TRAILMARK_VECTORS
import TrailmarkFFI

/// Every file of sdk-core/tests/vectors, through the public API.
final class VectorTests: XCTestCase {
    /// What a Swift dictionary cannot hand in: keys in another order than that of their bytes, a number or a text in
    /// the form in which somebody wrote it.
    private static let cannot: Set<String> = ["key_order", "number_form", "escape_form"]
    private static let skippedFiles = ["numbers.json", "property_kinds.json", "register.json", "repair.json"]

    private func directory() -> URL {
        if let told = ProcessInfo.processInfo.environment["TRAILMARK_VECTOR_FILES"] {
            return URL(fileURLWithPath: told)
        }
        var directory = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 { directory.deleteLastPathComponent() }
        return directory.appendingPathComponent("sdk-core/tests/vectors")
    }

    func test_every_file_runs_as_it_says() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory().path).sorted()
        var skipped: [String] = []
        var ran = 0
        for name in names where name.hasSuffix(".json") {
            let text = try String(contentsOf: directory().appendingPathComponent(name), encoding: .utf8)
            let file = VectorText.compact(text)
            let needs = VectorText.parts(VectorText.member(file, "needs") ?? "[]").map { String($0.dropFirst().dropLast()) }
            if needs.contains(where: { VectorTests.cannot.contains($0) }) {
                skipped.append(name)
                continue
            }
            try run(name, file)
            ran += 1
        }
        print("vectors: \(ran) files ran, skipped because of Swift's dictionaries: \(skipped)")
        XCTAssertEqual(skipped, VectorTests.skippedFiles)
        XCTAssertGreaterThan(ran, 50)
    }

    private func run(_ name: String, _ file: String) throws {
        let device = try VectorDevice(file: file)
        let trailmark = Trailmark(client: device.client())
        for (number, step) in VectorText.parts(VectorText.member(file, "steps") ?? "[]").enumerated() {
            let place = "\(name), step \(number + 1)"
            let verb = String((VectorText.member(step, "do") ?? "").dropFirst().dropLast())
            let with = VectorText.expand(VectorText.member(step, "with") ?? "{}")
            if let at = VectorText.member(step, "at") { device.setClock(at: Int64(at) ?? 0) }
            if try VectorCall(trailmark, with).make(verb) { continue }
            let outcome = try device.step(step: step).map { VectorText.compact($0) }
            XCTAssertEqual(outcome, VectorText.member(step, "expect"), place)
            if verb == "stats" { compare(trailmark.stats(), outcome ?? "{}", place) }
            if verb == "identity" { compare(trailmark, outcome ?? "{}", place) }
        }
        XCTAssertEqual(trailmark.stats().panics, 0, name)
    }

    private func compare(_ stats: Trailmark.Stats, _ expected: String, _ place: String) {
        XCTAssertEqual(String(stats.captured), VectorText.member(expected, "captured"), place)
        XCTAssertEqual(String(stats.delivered), VectorText.member(expected, "delivered"), place)
        XCTAssertEqual(String(stats.queued), VectorText.member(expected, "queued"), place)
        XCTAssertEqual(String(stats.queuedBytes), VectorText.member(expected, "queued_bytes"), place)
        XCTAssertEqual(String(stats.attempts), VectorText.member(expected, "attempts"), place)
        XCTAssertEqual(String(stats.truncated), VectorText.member(expected, "truncated"), place)
        XCTAssertEqual(String(stats.ignored), VectorText.member(expected, "ignored"), place)
        var dropped: [String: UInt64] = [:]
        for (reason, count) in VectorText.members(VectorText.member(expected, "dropped") ?? "{}") {
            dropped[reason] = UInt64(count)
        }
        XCTAssertEqual(stats.dropped, dropped, place)
    }

    private func compare(_ trailmark: Trailmark, _ expected: String, _ place: String) {
        func quoted(_ id: String?) -> String {
            guard let id = id else { return "null" }
            return JSON.text(["id": id]).replacingOccurrences(of: "{\"id\":", with: "").replacingOccurrences(of: "}", with: "")
        }
        XCTAssertEqual(quoted(trailmark.installId), VectorText.member(expected, "install_id"), place)
        XCTAssertEqual(quoted(trailmark.anonymousId), VectorText.member(expected, "anonymous_id"), place)
        XCTAssertEqual(quoted(trailmark.userId), VectorText.member(expected, "user_id"), place)
        XCTAssertEqual(quoted(trailmark.sessionId), VectorText.member(expected, "session_id"), place)
    }
}

/// A call of the app as a file says it.
private struct VectorCall {
    private let trailmark: Trailmark
    private let with: String
    private let values: [String: Any]

    init(_ trailmark: Trailmark, _ with: String) throws {
        self.trailmark = trailmark
        self.with = with
        let parsed = try JSONSerialization.jsonObject(with: Data(with.utf8), options: [])
        values = parsed as? [String: Any] ?? [:]
    }

    private func text(_ key: String) -> String? {
        return values[key] as? String
    }

    private func must(_ key: String) -> String {
        return text(key) ?? ""
    }

    private func map(_ key: String) -> [String: Any?] {
        guard let object = values[key] as? [String: Any] else { return [:] }
        return object
    }

    /// The text of an argument that is no object, which the typed API cannot be given.
    private func odd(_ key: String) -> String? {
        guard let value = values[key], !(value is NSNull), !(value is [String: Any]) else { return nil }
        return VectorText.member(with, key)
    }

    /// Makes the call; false if the verb is none of the app's.
    func make(_ verb: String) -> Bool {
        if makeOdd(verb) { return true }
        switch verb {
        case "track": trailmark.track(must("name"), properties: map("properties"))
        case "screen": trailmark.screen(must("name"), properties: map("properties"))
        case "identify": trailmark.identify(must("user_id"), set: map("set"), setOnce: map("set_once"))
        case "set": trailmark.setPersonProperties(map("set"), setOnce: map("set_once"))
        case "alias": trailmark.alias(must("other_user_id"))
        case "group": trailmark.group(must("group_type"), id: must("group_id"), properties: map("properties"))
        case "capture": trailmark.capture(event())
        case "register": trailmark.register(map("properties"))
        case "register_once": trailmark.registerOnce(map("properties"))
        case "unregister": trailmark.unregister(must("key"))
        case "set_context": trailmark.setContext(map("context"))
        case "reset": trailmark.reset()
        case "opt_out": trailmark.optOut()
        case "opt_in": trailmark.optIn()
        case "delete_my_data": trailmark.deleteMyData()
        case "capture_exception": trailmark.captureException(exception(), properties: map("properties"))
        case "capture_request": captureRequest()
        case "app_opened":
            let fromBackground = values["from_background"] as? Bool ?? false
            trailmark.appOpened(version: must("name"), fromBackground: fromBackground)
        case "app_backgrounded": trailmark.appBackgrounded()
        default: return false
        }
        return true
    }

    /// Arguments that are no objects go in behind the typed API.
    private func makeOdd(_ verb: String) -> Bool {
        let client = trailmark.client
        switch verb {
        case "track":
            guard let raw = odd("properties") else { return false }
            client.track(name: must("name"), properties: raw)
        case "register":
            guard let raw = odd("properties") else { return false }
            client.register(properties: raw)
        case "set_context":
            guard let raw = odd("context") else { return false }
            client.setContext(context: raw)
        case "group":
            guard let raw = odd("properties") else { return false }
            client.group(groupType: must("group_type"), groupId: must("group_id"), properties: raw)
        case "capture":
            guard let raw = odd("set") else { return false }
            var capture = event().converted()
            capture.set = raw
            client.capture(event: capture)
        default: return false
        }
        return true
    }

    private func event() -> Trailmark.Event {
        var event = Trailmark.Event(must("name"))
        event.id = text("id")
        event.anonymousId = text("anonymous_id")
        event.userId = text("user_id")
        event.otherUserId = text("other_user_id")
        event.sessionId = text("session_id")
        event.timestamp = text("timestamp").flatMap { VectorText.date($0) }
        event.properties = map("properties")
        event.context = values["context"] is [String: Any] ? map("context") : nil
        event.set = map("set")
        event.setOnce = map("set_once")
        return event
    }

    private func captureRequest() {
        trailmark.captureRequest(
            method: must("method"),
            url: must("url"),
            status: values["status"] as? Int,
            durationMs: values["duration_ms"] as? Double,
            error: text("error"),
            properties: map("properties")
        )
    }

    private func exception() -> Trailmark.Exception {
        let thrown = values["thrown"] as? [[String: Any]] ?? []
        let levels: [String: Trailmark.Level] = ["fatal": .fatal, "error": .error, "warning": .warning]
        return Trailmark.Exception(
            thrown: thrown.map { (one: [String: Any]) -> Trailmark.Thrown in
                let frames = one["frames"] as? [[String: Any]] ?? []
                return Trailmark.Thrown(
                    kind: one["kind"] as? String ?? "",
                    message: one["message"] as? String ?? "",
                    frames: frames.map { frame($0) }
                )
            },
            handled: values["handled"] as? Bool ?? false,
            level: levels[must("level")] ?? .error,
            fingerprint: text("fingerprint")
        )
    }

    private func frame(_ frame: [String: Any]) -> Trailmark.Frame {
        return Trailmark.Frame(
            function: frame["function"] as? String,
            file: frame["file"] as? String,
            line: frame["line"] as? Int,
            column: frame["column"] as? Int,
            inApp: frame["in_app"] as? Bool
        )
    }
}
#endif
