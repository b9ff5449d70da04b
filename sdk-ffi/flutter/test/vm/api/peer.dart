/// A server that keeps what it is sent.
library;

import 'dart:convert';
import 'dart:io';

import 'support.dart';

/// A peer that accepts every batch, unless it is told to fail.
final class Peer {
  Peer._(this._server) {
    _server.listen(_answer);
  }

  final HttpServer _server;

  /// What arrived, in its order.
  final List<Map<String, Object?>> events = [];

  /// The value of a header of the latest request.
  String? sdk;

  /// What to answer instead of 202.
  int? fault;

  /// Answers wait for this, from the request [gatedFrom] on.
  Future<void> gate = Future.value();

  /// The first request whose answer waits for the [gate]. From 1.
  int gatedFrom = 1;

  /// Requests that arrived.
  int requests = 0;

  /// A peer on a port of its own.
  static Future<Peer> start() async => Peer._(await HttpServer.bind(InternetAddress.loopbackIPv4, 0));

  /// Its address.
  String get url => 'http://127.0.0.1:${_server.port}';

  /// The names of what arrived.
  List<Object?> get names => [for (final event in events) event['event']];

  /// The properties of what arrived under a name.
  List<Map<String, Object?>> propertiesOf(String name) => [
    for (final event in events)
      if (event['event'] == name) event['properties'] as Map<String, Object?>? ?? const {},
  ];

  /// Waits until so many events have arrived.
  Future<void> untilEvents(int count) => until(() => events.length >= count);

  /// Answers nobody any more.
  Future<void> stop() => _server.close(force: true);

  Future<void> _answer(HttpRequest request) async {
    final bytes = await request.fold(<int>[], (all, chunk) => all..addAll(chunk));
    requests++;
    sdk = request.headers.value('trailmark-sdk');
    if (requests >= gatedFrom) await gate;
    if (fault case final status?) {
      request.response.statusCode = status;
    } else {
      final isPacked = request.headers.value(HttpHeaders.contentEncodingHeader) == 'gzip';
      final body = jsonDecode(utf8.decode(isPacked ? gzip.decode(bytes) : bytes)) as Map<String, Object?>;
      final batch = (body['batch']! as List<Object?>).cast<Map<String, Object?>>();
      events.addAll(batch);
      request.response
        ..statusCode = HttpStatus.accepted
        ..write('{"accepted":${batch.length},"results":[],"next_send_after_ms":0}');
    }
    await request.response.close();
  }
}
