import 'package:flutter_test/flutter_test.dart';
import 'package:http/http.dart' as http;
import 'package:http/testing.dart';
import 'package:trailmark_flutter/src/backend/backend.dart';
import 'package:trailmark_flutter/src/capture.dart';
import 'package:trailmark_flutter/src/client.dart';
import 'package:trailmark_flutter/trailmark_flutter.dart';

final class _Requests implements Backend {
  final List<CapturedRequest> captured = [];

  @override
  void captureRequest(CapturedRequest request, String? properties) => captured.add(request);

  @override
  dynamic noSuchMethod(Invocation invocation) => super.noSuchMethod(invocation);
}

void main() {
  test('a request and its answer pass unchanged, and its time is captured', () async {
    final requests = _Requests();
    final client = TrailmarkHttpClient(
      inner: MockClient((request) async => http.Response('made ${request.body}', 201)),
      client: clientOver(requests),
    );
    final answer = await client.post(Uri.parse('https://api.example.com/cart'), body: 'it');
    expect([answer.statusCode, answer.body], [201, 'made it']);
    final captured = requests.captured.single;
    expect([captured.method, captured.url, captured.status], ['POST', 'https://api.example.com/cart', 201]);
    expect(captured.durationMs, greaterThan(0));
  });

  test('a request without an answer throws what it throws, and is captured with the reason', () async {
    final requests = _Requests();
    final client = TrailmarkHttpClient(
      inner: MockClient((_) async => throw http.ClientException('refused')),
      client: clientOver(requests),
    );
    await expectLater(client.get(Uri.parse('https://api.example.com/cart')), throwsA(isA<http.ClientException>()));
    expect(requests.captured.single.status, isNull);
    expect(requests.captured.single.error, contains('refused'));
  });
}
