/// Calls in the form in which they cross to a back end.
library;

/// An event that says itself who and when. Properties are texts of JSON objects.
final class CapturedEvent {
  /// An event of these facts.
  const CapturedEvent({
    required this.name,
    this.id,
    this.anonymousId,
    this.userId,
    this.otherUserId,
    this.sessionId,
    this.timestamp,
    this.properties,
    this.context,
    this.set,
    this.setOnce,
  });

  /// Its name.
  final String name;

  /// A UUID.
  final String? id;

  /// The device it happened on.
  final String? anonymousId;

  /// Who it happened to.
  final String? userId;

  /// For `$alias`: the other id of the same person.
  final String? otherUserId;

  /// The session it belongs to.
  final String? sessionId;

  /// When.
  final DateTime? timestamp;

  /// Its properties.
  final String? properties;

  /// Its circumstances.
  final String? context;

  /// Person properties of which the last writer wins.
  final String? set;

  /// Person properties of which the first writer wins.
  final String? setOnce;
}

/// An HTTP request.
final class CapturedRequest {
  /// A request of these facts. A [status] that is none is left out.
  const CapturedRequest({required this.method, required this.url, int? status, this.durationMs, this.error})
    : status = status == null || status < 0 || status > 0xffff ? null : status;

  /// `GET`.
  final String method;

  /// Where to; what may be secret in it is not captured.
  final String url;

  /// The answer's status; nothing if there was none.
  final int? status;

  /// From the first byte sent to the answer's head.
  final double? durationMs;

  /// Why there was no answer.
  final String? error;
}
