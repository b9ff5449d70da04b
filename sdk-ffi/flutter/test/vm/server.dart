// A server that takes every event, and answers when it may.
import 'dart:async';
import 'dart:convert';
import 'dart:io';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart' as trailmark;

final class Server {
  Server._(this._http) {
    _http.listen(_take);
  }

  static Future<Server> start() async => Server._(await HttpServer.bind(InternetAddress.loopbackIPv4, 0));

  final HttpServer _http;
  final _asked = Completer<void>();
  Completer<void>? _held;

  /// The ids of all events that were answered for.
  final ids = <String>{};

  /// A client's settings for this server.
  trailmark.Config config({String? directory, bool join = false}) => trailmark.Config(
    url: 'http://127.0.0.1:${_http.port}',
    writeKey: 'tm_pk_example',
    directory: directory,
    join: join,
    backoff: const trailmark.Backoff(baseMs: 1, capMs: 5),
  );

  /// From now on no answer goes out until [release].
  void hold() => _held = Completer();

  void release() => _held?.complete();

  /// Until there was a request.
  Future<void> get asked => _asked.future;

  Future<void> stop() => _http.close(force: true);

  Future<void> _take(HttpRequest request) async {
    final batch = await _batch(request);
    if (!_asked.isCompleted) _asked.complete();
    await _held?.future;
    ids.addAll(batch);
    request.response.statusCode = HttpStatus.accepted;
    request.response.write('{"accepted":${batch.length},"results":[],"next_send_after_ms":0}');
    await request.response.close();
  }

  Future<List<String>> _batch(HttpRequest request) async {
    final body = (await request.toList()).expand((bytes) => bytes).toList();
    final zipped = request.headers.value(HttpHeaders.contentEncodingHeader) == 'gzip';
    final text = utf8.decode(zipped ? gzip.decode(body) : body);
    final batch = (jsonDecode(text) as Map<String, Object?>)['batch']! as List<Object?>;
    return [for (final event in batch) (event! as Map<String, Object?>)['id']! as String];
  }
}
