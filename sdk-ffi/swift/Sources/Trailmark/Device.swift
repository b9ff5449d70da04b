import Foundation

/// What is known about the app, the system and the device, under the names that the server knows. Nothing of it asks for
/// a permission, and nothing must be asked on the main thread.
enum Device {
    static func context() -> [String: Any?] {
        var context: [String: Any?] = [
            "app": app(),
            "os": ["name": osName, "version": osVersion()],
            "device": ["manufacturer": "Apple", "model": model(), "type": kind(model())],
            "timezone": TimeZone.current.identifier,
        ]
        if let language = Locale.preferredLanguages.first {
            context["locale"] = language
        }
        return context
    }

    /// `1.4.2`; empty if the app does not say.
    static func appVersion() -> String {
        return info("CFBundleShortVersionString") ?? ""
    }

    private static func app() -> [String: Any?] {
        var app: [String: Any?] = ["name": appName(), "version": appVersion()]
        if let build = info("CFBundleVersion") {
            app["build"] = build
        }
        return app
    }

    private static func appName() -> String {
        return info("CFBundleDisplayName") ?? info("CFBundleName") ?? ProcessInfo.processInfo.processName
    }

    private static func info(_ key: String) -> String? {
        return Bundle.main.object(forInfoDictionaryKey: key) as? String
    }

    private static var osName: String {
        #if os(macOS)
        return "macOS"
        #else
        return "iOS"
        #endif
    }

    private static func osVersion() -> String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return "\(version.majorVersion).\(version.minorVersion).\(version.patchVersion)"
    }

    /// `iPhone17,1`, `Mac16,5`; of a simulator, what it simulates.
    private static func model() -> String {
        if let simulated = ProcessInfo.processInfo.environment["SIMULATOR_MODEL_IDENTIFIER"] {
            return simulated
        }
        #if os(macOS)
        return systemText("hw.model")
        #else
        return systemText("hw.machine")
        #endif
    }

    private static func kind(_ model: String) -> String {
        #if os(macOS)
        return "desktop"
        #else
        return model.hasPrefix("iPad") ? "tablet" : "phone"
        #endif
    }

    /// A text of sysctl(3); empty if there is none of that name.
    private static func systemText(_ name: String) -> String {
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return "" }
        return String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
}
