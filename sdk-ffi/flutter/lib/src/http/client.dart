/// The wrapper of `package:http`.
library;

import 'package:http/http.dart' as http;

import '../client.dart';
import '../trailmark.dart';
import 'timing.dart';

/// An [http.Client] that captures each request as `$request`: method, address without its secrets, status, and the time
/// to the answer's head. Requests and answers pass unchanged.
///
/// ```dart
/// final api = TrailmarkHttpClient();
/// final answer = await api.get(Uri.parse('https://api.example.com/cart'));
/// ```
final class TrailmarkHttpClient extends http.BaseClient {
  /// A client that sends with [inner] and captures with [client]; by default a new [http.Client], and [Trailmark].
  TrailmarkHttpClient({http.Client? inner, TrailmarkClient? client})
    : _inner = inner ?? http.Client(),
      _client = client ?? Trailmark.instance;

  final http.Client _inner;
  final TrailmarkClient _client;

  @override
  Future<http.StreamedResponse> send(http.BaseRequest request) async {
    final timing = RequestTiming(_client, request.method, request.url);
    try {
      final response = await _inner.send(request);
      timing.answered(response.statusCode);
      return response;
    } catch (error) {
      timing.failed(error);
      rethrow;
    }
  }

  @override
  void close() => _inner.close();
}
