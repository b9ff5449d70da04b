import Foundation

/// JSON as text: the vectors are about bytes, so nothing is taken apart and written again.
enum VectorText {
    /// The text without the white space between its tokens.
    static func compact(_ json: String) -> String {
        var out: [UInt8] = []
        var inString = false
        var escaped = false
        for byte in json.utf8 {
            if inString {
                out.append(byte)
                if !escaped && byte == 0x22 { inString = false }
                escaped = !escaped && byte == 0x5C
            } else if !isSpace(byte) {
                out.append(byte)
                inString = byte == 0x22
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The members of an object in a compact text, each as it is written there.
    static func members(_ object: String) -> [(key: String, text: String)] {
        return parts(object).map { (part: String) -> (key: String, text: String) in
            let bytes = Array(part.utf8)
            let colon = stringEnd(bytes, 0)
            let key = String(decoding: bytes[1..<(colon - 1)], as: UTF8.self)
            return (key: key, text: String(decoding: bytes[(colon + 1)...], as: UTF8.self))
        }
    }

    static func member(_ object: String, _ key: String) -> String? {
        return members(object).first(where: { $0.key == key })?.text
    }

    /// What is between the commas of an object or array in a compact text.
    static func parts(_ container: String) -> [String] {
        let bytes = Array(container.utf8)
        var parts: [String] = []
        var start = 1
        var depth = 0
        var at = 1
        while at < bytes.count - 1 {
            switch bytes[at] {
            case 0x22:
                at = stringEnd(bytes, at)
                continue
            case 0x5B, 0x7B: depth += 1
            case 0x5D, 0x7D: depth -= 1
            case 0x2C where depth == 0:
                parts.append(String(decoding: bytes[start..<at], as: UTF8.self))
                start = at + 1
            default: break
            }
            at += 1
        }
        if start < bytes.count - 1 {
            parts.append(String(decoding: bytes[start..<(bytes.count - 1)], as: UTF8.self))
        }
        return parts
    }

    /// `{"$repeat":["x",3]}` as `"xxx"`, in a compact text. What is repeated needs no escape in any file.
    static func expand(_ json: String) -> String {
        var out = ""
        var rest = Substring(json)
        while let start = rest.range(of: #"{"$repeat":["#), let end = rest[start.upperBound...].range(of: "]}") {
            let said = parts("[" + String(rest[start.upperBound..<end.lowerBound]) + "]")
            let unit = String(said[0].dropFirst().dropLast())
            out.append(String(rest[..<start.lowerBound]))
            out.append("\"" + String(repeating: unit, count: Int(said[1]) ?? 0) + "\"")
            rest = rest[end.upperBound...]
        }
        return out + String(rest)
    }

    /// A time as the files say it, with microseconds, which Foundation's formatters do not read.
    static func date(_ text: String) -> Date? {
        let numbers = text.split(whereSeparator: { !$0.isNumber }).map { String($0) }
        guard numbers.count >= 6 else { return nil }
        let values = numbers.prefix(6).compactMap { Int($0) }
        guard values.count == 6 else { return nil }
        let days = daysSince1970(year: values[0], month: values[1], day: values[2])
        let seconds = days * 86_400 + values[3] * 3_600 + values[4] * 60 + values[5]
        let fraction = numbers.count > 6 ? Double("0." + numbers[6]) ?? 0 : 0
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
    }

    /// Howard Hinnant's days_from_civil: years begin in March, so that the leap day is their last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Behind the string that begins here.
    private static func stringEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        var at = start + 1
        while at < bytes.count && bytes[at] != 0x22 {
            at += bytes[at] == 0x5C ? 2 : 1
        }
        return at + 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        return byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
