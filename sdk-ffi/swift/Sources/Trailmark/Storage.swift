import Foundation

extension Trailmark.Options.Storage {
    /// The directory for the engine; none for memory.
    func path() -> String? {
        switch self {
        case .memory: return nil
        case .directory(let url): return url.path
        case .standard: return StandardDirectory.path()
        }
    }
}

enum StandardDirectory {
    /// Application Support/trailmark, made and taken out of backups. If it cannot be made, the engine says so in
    /// `Stats.storage` and works in memory.
    static func path() -> String? {
        let places = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)
        guard let support = places.first else { return nil }
        var directory = ofThisApp(support).appendingPathComponent("trailmark", isDirectory: true)
        try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true, attributes: nil)
        // A backup that is restored on another device would bring the install's id and its counters: two devices would
        // be one, and their numbers would contradict each other.
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try? directory.setResourceValues(values)
        return directory.path
    }

    /// Outside of a sandbox, which macOS does not insist on, all apps of a user share the folder.
    private static func ofThisApp(_ support: URL) -> URL {
        #if os(macOS)
        let app = Bundle.main.bundleIdentifier ?? ProcessInfo.processInfo.processName
        return support.appendingPathComponent(app, isDirectory: true)
        #else
        return support
        #endif
    }
}
