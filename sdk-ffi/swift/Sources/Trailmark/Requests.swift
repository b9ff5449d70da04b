import Foundation
import TrailmarkFFI

extension Trailmark {
    /// The app made an HTTP request. What may be secret in the address is not captured.
    ///
    /// - Parameters:
    ///   - status: The answer's; nothing if there was none.
    ///   - durationMs: From the first byte sent to the answer's head.
    ///   - error: Why there was no answer.
    public func captureRequest(
        method: String,
        url: String,
        status: Int? = nil,
        durationMs: Double? = nil,
        error: String? = nil,
        properties: [String: Any?] = [:]
    ) {
        let request = TrailmarkFFI.HttpRequest(
            method: JSON.crossing(method),
            url: JSON.crossing(url),
            status: status.map { UInt16(clamping: $0) },
            durationMs: durationMs,
            error: error.map { JSON.crossing($0) }
        )
        client.captureRequest(request: request, properties: JSON.optionalText(properties))
    }

    /// The same, from what a `URLSession` tells its delegate in `urlSession(_:task:didFinishCollecting:)`.
    public func captureRequest(task: URLSessionTask, metrics: URLSessionTaskMetrics, properties: [String: Any?] = [:]) {
        guard let request = task.originalRequest, let url = request.url else { return }
        captureRequest(
            method: request.httpMethod ?? "GET",
            url: url.absoluteString,
            status: (task.response as? HTTPURLResponse)?.statusCode,
            durationMs: RequestTime.milliseconds(metrics),
            error: task.error.map { RequestTime.reason($0) },
            properties: properties
        )
    }

    /// A delegate that captures every request of a session: `URLSession(configuration: .default, delegate:
    /// trailmark.requestObserver(), delegateQueue: nil)`. If the session has a delegate of yours, call
    /// `captureRequest(task:metrics:)` there instead.
    public func requestObserver() -> URLSessionTaskDelegate {
        return RequestObserver(self)
    }
}

private final class RequestObserver: NSObject, URLSessionTaskDelegate {
    private let trailmark: Trailmark

    init(_ trailmark: Trailmark) {
        self.trailmark = trailmark
        super.init()
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didFinishCollecting metrics: URLSessionTaskMetrics
    ) {
        trailmark.captureRequest(task: task, metrics: metrics)
    }
}

enum RequestTime {
    /// Of the last attempt, behind redirects, from its first byte to the answer's first; the whole task if the system
    /// does not know.
    static func milliseconds(_ metrics: URLSessionTaskMetrics) -> Double {
        if let last = metrics.transactionMetrics.last,
            let begin = last.requestStartDate,
            let end = last.responseStartDate
        {
            return end.timeIntervalSince(begin) * 1000
        }
        return metrics.taskInterval.duration * 1000
    }

    /// `NSURLErrorDomain -1009`: the same in all languages, without the address.
    static func reason(_ error: Error) -> String {
        let native = error as NSError
        return native.domain + " " + String(native.code)
    }
}
