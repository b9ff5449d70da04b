import Foundation
import TrailmarkFFI

#if os(macOS)
import AppKit
#else
import UIKit
#endif

/// Tells the engine that the app came and went.
///
/// Nothing here asks `UIApplication.shared`, which app extensions may not, and which belongs to the main thread.
final class Lifecycle: @unchecked Sendable {
    // Unchecked: what changes is behind the lock, and `observers` only in `start` and `deinit`.
    private let client: TrailmarkFFI.Client
    private let version: String
    private var moments = LifecycleMoments()
    private let lock = NSLock()
    private var observers: [NSObjectProtocol] = []

    /// 20 s of the about 30 s that iOS gives an app in the background; what is not sent by then goes at the next start.
    static let backgroundFlushMs: UInt64 = 20_000

    init(client: TrailmarkFFI.Client, version: String) {
        self.client = client
        self.version = version
    }

    deinit {
        for observer in observers {
            NotificationCenter.default.removeObserver(observer)
        }
    }

    func start() {
        for name in Lifecycle.comings {
            observe(name) { lifecycle in lifecycle.came() }
        }
        for name in Lifecycle.goings {
            observe(name) { lifecycle in lifecycle.went() }
        }
    }

    private func observe(_ name: Notification.Name, _ tell: @escaping @Sendable (Lifecycle) -> Void) {
        let center = NotificationCenter.default
        let observer = center.addObserver(forName: name, object: nil, queue: nil) { [weak self] _ in
            if let lifecycle = self { tell(lifecycle) }
        }
        observers.append(observer)
    }

    func came() {
        lock.lock()
        let moment = moments.came()
        lock.unlock()
        switch moment {
        case .started: client.appOpened(version: version, fromBackground: false)
        case .returned: client.appOpened(version: version, fromBackground: true)
        case .nothing: break
        }
    }

    func went() {
        lock.lock()
        let wasThere = moments.went()
        lock.unlock()
        if !wasThere { return }
        client.appBackgrounded()
        finishSending()
    }

    /// Asks iOS for time to send what is queued. This is what `beginBackgroundTask` asks for, too, in a form that exists
    /// in app extensions.
    private func finishSending() {
        #if os(iOS)
        let client = self.client
        ProcessInfo.processInfo.performExpiringActivity(withReason: "dev.trailmark.flush") { expired in
            // Called once more, with true, if the time is over: then the events wait on the device.
            if !expired {
                _ = client.flushBlocking(timeoutMs: Lifecycle.backgroundFlushMs)
            }
        }
        #endif
    }

    #if os(macOS)
    // Another app in front is not the background: a Mac shows many. Hidden or ended is.
    private static let comings: [Notification.Name] = [NSApplication.didBecomeActiveNotification]
    private static let goings: [Notification.Name] = [
        NSApplication.didHideNotification,
        NSApplication.willTerminateNotification,
    ]
    #else
    private static let comings: [Notification.Name] = [UIApplication.didBecomeActiveNotification]
    private static let goings: [Notification.Name] = [UIApplication.didEnterBackgroundNotification]
    #endif
}

/// What a notification means. An app becomes active also after a call or the notification centre, without having been in
/// the background; that is nothing.
struct LifecycleMoments {
    enum Coming: Equatable {
        case started
        case returned
        case nothing
    }

    private var inFront = false
    private var wasInFront = false

    mutating func came() -> Coming {
        if inFront { return .nothing }
        let coming: Coming = wasInFront ? .returned : .started
        inFront = true
        wasInFront = true
        return coming
    }

    /// Whether it was there to go.
    mutating func went() -> Bool {
        let wasThere = inFront
        inFront = false
        return wasThere
    }
}
