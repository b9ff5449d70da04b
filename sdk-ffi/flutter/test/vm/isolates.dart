// More isolates than one, and isolates that end.
import 'dart:async';
import 'dart:io';
import 'dart:isolate';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'server.dart';

const _isolates = 8, _events = 100, _kills = 5, _pending = 20;

Future<void> isolates() async {
  await test('isolates that join one directory are one device', () async {
    final server = await Server.start();
    final directory = Directory.systemTemp.createTempSync('trailmark');
    final config = server.config(directory: directory.path, join: true);
    final client = Client.open(config);
    await Future.wait([for (var n = 0; n < _isolates; n++) Isolate.run(() => _work(config))]);
    same((await client.flush()).pending, 0, 'pending');
    same(client.stats().delivered, _isolates * _events, 'delivered');
    same(server.ids.length, _isolates * _events, 'events at the server');
    client.close();
    await server.stop();
    directory.deleteSync(recursive: true);
  });

  await test('an isolate that is killed while it waits takes nothing with it', () async {
    for (var kill = 0; kill < _kills; kill++) await _killed();
  });

  await test('an isolate ends by itself once it waits for nothing, whatever is open', () async {
    final server = await Server.start();
    final told = await _spawned(_leaveOpen, server.config());
    same(told.join(' '), '0 ended', 'told');
    await server.stop();
  });

  await test('an isolate stays while it waits', () async {
    final server = await Server.start()..hold();
    final told = _spawned(_leaveWaiting, server.config());
    await server.asked;
    server.release();
    same((await told).join(' '), '0 ended', 'told');
    await server.stop();
  });

  await test('an object cannot be sent to another isolate', () async {
    final client = Client.open(const Config(url: 'http://127.0.0.1:9', writeKey: 'tm_pk_example'));
    final port = ReceivePort();
    await thrown<ArgumentError>(() => port.sendPort.send(client));
    port.close();
    client.close();
  });
}

Future<void> _work(Config config) async {
  final client = Client.open(config);
  for (var n = 0; n < _events; n++) client.track('tracked');
  await client.flush();
  client.close();
}

/// Kills an isolate of which flushes are open, and lets them end only then. What was captured is delivered, and the
/// process and its other isolates work.
Future<void> _killed() async {
  final server = await Server.start()..hold();
  final directory = Directory.systemTemp.createTempSync('trailmark');
  final config = server.config(directory: directory.path, join: true);
  final (waiting, exit) = (ReceivePort(), ReceivePort());
  final isolate = await Isolate.spawn(_waitForEver, (config, waiting.sendPort), onExit: exit.sendPort);
  await waiting.first;
  await server.asked;
  isolate.kill(priority: Isolate.immediate);
  await exit.first;
  server.release();
  final client = Client.open(config);
  same((await client.flush()).pending, 0, 'pending');
  same(client.stats().delivered, _pending, 'delivered');
  await Isolate.run(() => _work(config));
  same(client.stats().delivered, _pending + _events, 'delivered with the next isolate');
  same(server.ids.length, _pending + _events, 'events at the server');
  client.close();
  await server.stop();
  directory.deleteSync(recursive: true);
}

void _waitForEver((Config, SendPort) given) {
  final (config, waiting) = given;
  final client = Client.open(config);
  for (var n = 0; n < _pending; n++) (client..track('tracked')).flush().ignore();
  waiting.send('waiting');
}

/// What an isolate tells, and then `ended`.
Future<List<Object?>> _spawned(void Function((Config, SendPort)) body, Config config) async {
  final told = ReceivePort();
  await Isolate.spawn(body, (config, told.sendPort));
  return told.take(2).toList();
}

Future<void> _leaveOpen((Config, SendPort) given) async {
  final (config, told) = given;
  Isolate.current.addOnExitListener(told, response: 'ended');
  told.send((await (Client.open(config)..track('tracked')).flush()).pending);
}

void _leaveWaiting((Config, SendPort) given) {
  final (config, told) = given;
  Isolate.current.addOnExitListener(told, response: 'ended');
  (Client.open(config)..track('tracked')).flush().then((report) => told.send(report.pending)).ignore();
}
