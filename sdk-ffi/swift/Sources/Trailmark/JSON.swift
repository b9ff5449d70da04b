import Foundation

/// Properties as the text of a JSON object, which is how they cross to the engine.
///
/// - A Swift dictionary has no order, so keys are written in that of their UTF-8 bytes: equal properties are equal bytes.
/// - A number stays what it is: `12.0` is written `12.0`, and `12` is `12`. NaN and the infinities are `null`.
/// - A date is RFC 3339 in UTC, with milliseconds: `2026-11-20T12:00:00.000Z`.
/// - Half of a surrogate pair, which only an `NSString` can hold, becomes U+FFFD.
/// - What JSON does not know (`URL`, `UUID`, a set, an object of yours) becomes its `String(describing:)`.
enum JSON {
    /// The engine refuses an event whose properties are nested deeper, so nothing below level 33 needs to be written.
    static let maxLevels = 32

    /// 64 MiB. An event has at most 64 KiB, and lengths cross as 32-bit numbers, beyond which the generated code would
    /// trap: ten such texts in one call are still below 2³¹.
    static let maxBytes = 64 * 1024 * 1024

    /// Characters of a text that is too long to cross. No name or id has more than 200, no message more than 2,000, so
    /// the engine refuses or cuts it just the same.
    static let keptScalars = 100_000

    /// A JSON object; a text that is none, which the engine counts as `invalid_event`, beyond `maxBytes`.
    static func text(_ properties: [String: Any?]) -> String {
        var writer = JSONWriter()
        writer.writeObject(properties, level: 1)
        return writer.tooLong ? "" : String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The same; nothing if there is nothing to say.
    static func optionalText(_ properties: [String: Any?]) -> String? {
        return properties.isEmpty ? nil : text(properties)
    }

    /// A name, an id or a message as it can cross.
    static func crossing(_ text: String) -> String {
        if text.utf8.count <= maxBytes { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(keptScalars)))
    }

    /// The properties in a text that the engine gave; nothing in one that is no JSON object.
    static func properties(_ text: String) -> [String: Any?] {
        guard let data = text.data(using: .utf8) else { return [:] }
        let parsed = try? JSONSerialization.jsonObject(with: data, options: [])
        guard let object = parsed as? [String: Any] else { return [:] }
        return object
    }
}

/// Writes the text, byte by byte.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// Nothing more is written, because the engine will refuse it anyway. Without this, a cycle with two ways round
    /// would be written 2³² times.
    private var tooDeep = false
    private var skippedText = false

    var tooLong: Bool {
        return skippedText || bytes.count > JSON.maxBytes
    }

    private var enough: Bool {
        return tooDeep || tooLong
    }

    /// Writes a value that would be on this level of nesting if it were an object or an array.
    mutating func writeValue(_ value: Any, level: Int) {
        // NSNumber first: everything that is a number or a Bool bridges to it, and it knows which of the two it was,
        // while `as? Bool` also takes an NSNumber that is 1.
        if let number = value as? NSNumber {
            writeNumber(number)
        } else if let text = value as? String {
            writeText(text)
        } else if value is NSNull {
            writeToken("null")
        } else if let object = value as? [String: Any?] {
            writeObject(object, level: level)
        } else if let object = value as? [AnyHashable: Any] {
            writeOddObject(object, level: level)
        } else if let array = value as? [Any] {
            writeArray(array, level: level)
        } else if let date = value as? Date {
            writeDate(date)
        } else {
            writeOther(value, level: level)
        }
    }

    mutating func writeObject(_ object: [String: Any?], level: Int) {
        var members: [(key: String, value: Any)] = []
        members.reserveCapacity(object.count)
        for (key, value) in object {
            members.append((key: key, value: value as Any))
        }
        writeMembers(members, level: level)
    }

    /// An object whose keys need not be strings.
    private mutating func writeOddObject(_ object: [AnyHashable: Any], level: Int) {
        var members: [(key: String, value: Any)] = []
        members.reserveCapacity(object.count)
        for (key, value) in object {
            members.append((key: String(describing: key.base), value: value))
        }
        writeMembers(members, level: level)
    }

    private mutating func writeMembers(_ members: [(key: String, value: Any)], level: Int) {
        let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        enter(level)
        writeToken("{")
        var separator = ""
        for member in sorted {
            if enough { break }
            writeToken(separator)
            separator = ","
            writeText(member.key)
            writeToken(":")
            writeValue(member.value, level: level + 1)
        }
        writeToken("}")
    }

    private mutating func writeArray(_ array: [Any], level: Int) {
        enter(level)
        writeToken("[")
        var separator = ""
        for value in array {
            if enough { break }
            writeToken(separator)
            separator = ","
            writeValue(value, level: level + 1)
        }
        writeToken("]")
    }

    /// An object or array on level 33 is still written, empty: that is what the engine refuses.
    private mutating func enter(_ level: Int) {
        if level > JSON.maxLevels { tooDeep = true }
    }

    /// What is inside of an optional that came as `Any`, or the text of an object.
    private mutating func writeOther(_ value: Any, level: Int) {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle != .optional {
            writeText(String(describing: value))
        } else if let inside = mirror.children.first {
            writeValue(inside.value, level: level)
        } else {
            writeToken("null")
        }
    }

    private mutating func writeNumber(_ number: NSNumber) {
        if CFGetTypeID(number) == CFBooleanGetTypeID() {
            writeToken(number.boolValue ? "true" : "false")
            return
        }
        if let decimal = number as? NSDecimalNumber {
            writeToken(decimal.decimalValue.isNaN ? "null" : decimal.stringValue)
            return
        }
        switch String(cString: number.objCType) {
        case "d":
            let value: Double = number.doubleValue
            writeToken(value.isFinite ? String(describing: value) : "null")
        case "f":
            // Not as a Double: 0.1 would become 0.10000000149011612.
            let value: Float = number.floatValue
            writeToken(value.isFinite ? String(describing: value) : "null")
        case "Q":
            writeToken(String(number.uint64Value))
        default:
            writeToken(String(number.int64Value))
        }
    }

    private mutating func writeDate(_ date: Date) {
        let seconds: TimeInterval = date.timeIntervalSince1970
        if !seconds.isFinite {
            writeToken("null")
        } else if seconds >= JSONWriter.firstSecond && seconds < JSONWriter.endSecond {
            writeText(JSONWriter.rfc3339.string(from: date))
        } else {
            writeText(String(describing: date))
        }
    }

    private mutating func writeText(_ text: String) {
        // An NSString would be decoded anew for each byte.
        var native = text
        native.makeContiguousUTF8()
        if bytes.count + native.utf8.count > JSON.maxBytes {
            skippedText = true
            return
        }
        bytes.append(0x22)
        for byte in native.utf8 {
            writeByte(byte)
        }
        bytes.append(0x22)
    }

    /// A byte of a text. Only what JSON demands is escaped, in the short form where there is one.
    private mutating func writeByte(_ byte: UInt8) {
        switch byte {
        case 0x22: writeToken("\\\"")
        case 0x5C: writeToken("\\\\")
        case 0x08: writeToken("\\b")
        case 0x09: writeToken("\\t")
        case 0x0A: writeToken("\\n")
        case 0x0C: writeToken("\\f")
        case 0x0D: writeToken("\\r")
        case 0x00...0x1F:
            writeToken("\\u00")
            bytes.append(JSONWriter.hex[Int(byte >> 4)])
            bytes.append(JSONWriter.hex[Int(byte & 0x0F)])
        default: bytes.append(byte)
        }
    }

    private mutating func writeToken(_ token: String) {
        bytes.append(contentsOf: token.utf8)
    }

    private static let hex: [UInt8] = Array("0123456789abcdef".utf8)

    /// 0001-01-01 and 10000-01-01: the years that RFC 3339 can say and the calendar agrees on.
    private static let firstSecond: TimeInterval = -62_135_596_800
    private static let endSecond: TimeInterval = 253_402_300_800

    /// Apple documents its formatters as safe to use from several threads.
    private static let rfc3339: ISO8601DateFormatter = {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter
    }()
}
