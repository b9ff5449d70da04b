import Foundation
import TrailmarkFFI

extension Trailmark {
    /// How bad an error is.
    public enum Level: Sendable {
        /// The app ended with it.
        case fatal
        /// Something did not work.
        case error
        /// Something may not have worked.
        case warning
    }

    /// One line of a stack. What is not known is left out.
    public struct Frame: Equatable, Sendable {
        public var function: String?
        /// The file; of a compiled app, the image: its executable or a framework.
        public var file: String?
        /// From 1.
        public var line: Int?
        /// From 1.
        public var column: Int?
        /// Whether it is the app's own code.
        public var inApp: Bool?

        public init(
            function: String? = nil,
            file: String? = nil,
            line: Int? = nil,
            column: Int? = nil,
            inApp: Bool? = nil
        ) {
            self.function = function
            self.file = file
            self.line = line
            self.column = column
            self.inApp = inApp
        }
    }

    /// One error of a chain.
    public struct Thrown: Equatable, Sendable {
        /// The error's type.
        public var kind: String
        /// What it says.
        public var message: String
        /// The innermost first.
        public var frames: [Frame]

        public init(kind: String, message: String, frames: [Frame] = []) {
            self.kind = kind
            self.message = message
            self.frames = frames
        }
    }

    /// An error as it is captured.
    public struct Exception: Equatable, Sendable {
        /// The error, then its cause, then the cause of that.
        public var thrown: [Thrown]
        /// Whether the app has caught it.
        public var handled: Bool
        /// How bad it is.
        public var level: Level
        /// Errors with the same one are one issue.
        public var fingerprint: String?

        public init(thrown: [Thrown], handled: Bool = true, level: Level = .error, fingerprint: String? = nil) {
            self.thrown = thrown
            self.handled = handled
            self.level = level
            self.fingerprint = fingerprint
        }
    }

    /// The app met an error. The stack is that of this call: Swift errors do not carry their own. Reading it takes
    /// milliseconds.
    public func captureException(
        _ error: Error,
        handled: Bool = true,
        level: Level = .error,
        fingerprint: String? = nil,
        properties: [String: Any?] = [:]
    ) {
        let frames = StackSymbols.frames(Foundation.Thread.callStackSymbols, executable: StackSymbols.executable())
        let exception = Exception(
            thrown: ErrorChain.thrown(error, frames: frames),
            handled: handled,
            level: level,
            fingerprint: fingerprint
        )
        captureException(exception, properties: properties)
    }

    /// The same, said by yourself: for errors that come from elsewhere, such as a web view.
    public func captureException(_ exception: Exception, properties: [String: Any?] = [:]) {
        client.captureException(exception: exception.converted(), properties: JSON.optionalText(properties))
    }
}

enum ErrorChain {
    /// More are not looked at, so that a chain that leads back to itself ends. The engine keeps the first eight.
    private static let maxErrors = 9

    /// The error, then what it names as its cause. The frames are those of the first.
    static func thrown(_ error: Error, frames: [Trailmark.Frame]) -> [Trailmark.Thrown] {
        var chain: [Trailmark.Thrown] = []
        var next: Error? = error
        while let current = next, chain.count < maxErrors {
            chain.append(one(current, frames: chain.isEmpty ? frames : []))
            next = (current as NSError).userInfo[NSUnderlyingErrorKey] as? Error
        }
        return chain
    }

    private static func one(_ error: Error, frames: [Trailmark.Frame]) -> Trailmark.Thrown {
        // Every Error is also an NSError by bridging; this asks whether it was one to begin with.
        if type(of: error) is NSError.Type {
            let native = error as NSError
            let kind = native.domain + " " + String(native.code)
            return Trailmark.Thrown(kind: kind, message: native.localizedDescription, frames: frames)
        }
        let kind = String(reflecting: type(of: error))
        return Trailmark.Thrown(kind: kind, message: String(describing: error), frames: frames)
    }
}

/// Frames out of `Thread.callStackSymbols`: `3   Shop   0x0000000104c5e1a4 $s4Shop4CartC8checkoutyyF + 132`.
enum StackSymbols {
    /// The mangled names of this module begin so; its frames on top say nothing about the error.
    private static let ownPrefix = "$s9Trailmark"

    static func executable() -> String {
        return Bundle.main.executableURL?.lastPathComponent ?? ProcessInfo.processInfo.processName
    }

    static func frames(_ symbols: [String], executable: String) -> [Trailmark.Frame] {
        let frames = symbols.compactMap { frame($0, executable: executable) }
        return Array(frames.drop(while: { ($0.function ?? "").hasPrefix(ownPrefix) }))
    }

    /// Nothing for a line of another form.
    static func frame(_ symbol: String, executable: String) -> Trailmark.Frame? {
        let words = symbol.split(separator: " ").map { String($0) }
        // An image's name may have spaces; the address behind it is the first word of its kind after it.
        guard let address = words.firstIndex(where: { $0.hasPrefix("0x") }), address >= 2 else { return nil }
        let image = words[1..<address].joined(separator: " ")
        let rest = words[(address + 1)...].joined(separator: " ")
        return Trailmark.Frame(
            function: name(rest, image: image),
            file: image,
            inApp: isApp(image, executable: executable) ? true : nil
        )
    }

    /// The symbol without its offset. Where symbols are stripped, the system says the image and the offset in it, from
    /// which a dSYM gives the line: then the offset stays.
    private static func name(_ symbolAndOffset: String, image: String) -> String {
        guard let plus = symbolAndOffset.range(of: " + ", options: .backwards) else { return symbolAndOffset }
        let symbol = String(symbolAndOffset[..<plus.lowerBound])
        return symbol == image ? symbolAndOffset : symbol
    }

    /// Of other images it is not known whose they are. Xcode builds for debugging put the code into a library beside
    /// the executable.
    private static func isApp(_ image: String, executable: String) -> Bool {
        return image == executable || image == executable + ".debug.dylib"
    }
}

extension Trailmark.Exception {
    func converted() -> TrailmarkFFI.CapturedException {
        return TrailmarkFFI.CapturedException(
            thrown: thrown.map { $0.converted() },
            handled: handled,
            level: level.converted(),
            fingerprint: fingerprint.map { JSON.crossing($0) }
        )
    }
}

extension Trailmark.Thrown {
    func converted() -> TrailmarkFFI.Thrown {
        return TrailmarkFFI.Thrown(
            kind: JSON.crossing(kind),
            text: JSON.crossing(message),
            frames: frames.map { $0.converted() }
        )
    }
}

extension Trailmark.Frame {
    func converted() -> TrailmarkFFI.Frame {
        return TrailmarkFFI.Frame(
            function: function.map { JSON.crossing($0) },
            file: file.map { JSON.crossing($0) },
            line: line.map { UInt32(clamping: $0) },
            column: column.map { UInt32(clamping: $0) },
            inApp: inApp
        )
    }
}

extension Trailmark.Level {
    func converted() -> TrailmarkFFI.Level {
        switch self {
        case .fatal: return TrailmarkFFI.Level.fatal
        case .error: return TrailmarkFFI.Level.error
        case .warning: return TrailmarkFFI.Level.warning
        }
    }
}
