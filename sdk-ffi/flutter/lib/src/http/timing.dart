/// How long a request took, and how it ended.
library;

import '../client.dart';

/// Captures one HTTP request when it has ended. Neither makes nor changes it.
final class RequestTiming {
  /// A request that begins now, to be captured by [_client].
  RequestTiming(this._client, this._method, this._url);

  final TrailmarkClient _client;
  final String _method;
  final Uri _url;
  final Stopwatch _watch = Stopwatch()..start();

  /// The head of the answer is there.
  void answered(int status) => _client.captureRequest(_method, _url, status: status, duration: _watch.elapsed);

  /// There is no answer.
  void failed(Object error) => _client.captureRequest(_method, _url, duration: _watch.elapsed, error: error);
}
