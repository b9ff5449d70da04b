// Waiting for Rust.
import 'dart:async';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'library.dart';
import 'server.dart';

const _flushes = 500;

/// Turns of the event loop, each a timer's, that must come while a flush waits.
const _turns = 50;

Future<void> futures() async {
  await test('$_flushes flushes at once all end, and each event arrives once', () async {
    final server = await Server.start();
    final client = Client.open(server.config());
    final reports = await Future.wait([
      for (var n = 0; n < _flushes; n++) (client..track('tracked', properties: '{"n":$n}')).flush(),
    ]);
    check(reports.every((report) => report.pending == 0 && report.dropped.isEmpty), 'every report is whole');
    same(client.stats().delivered, _flushes, 'delivered');
    same(server.ids.length, _flushes, 'events at the server');
    client.close();
    await server.stop();
  });

  await test('the event loop turns while the server thinks', () async {
    final server = await Server.start()..hold();
    final client = Client.open(server.config())..track('tracked');
    var ended = false;
    final report = client.flush().whenComplete(() => ended = true);
    await server.asked;
    for (var turn = 0; turn < _turns; turn++) {
      await Future<void>.delayed(const Duration(milliseconds: 1));
      check(!ended, 'nothing was answered yet');
      same(client.stats().delivered, 0, 'delivered');
    }
    server.release();
    same((await report).delivered, 1, 'delivered');
    client.close();
    await server.stop();
  });

  await test('a flush ends, although its client was closed meanwhile', () async {
    final server = await Server.start()..hold();
    final client = Client.open(server.config())..track('tracked');
    final report = client.flush();
    await server.asked;
    client.close();
    server.release();
    same((await report).delivered, 1, 'delivered');
    await server.stop();
  });

  await test('room is waited for', () async {
    final server = await Server.start()..hold();
    final client = Client.open(server.config());
    for (var n = 0; n < 10; n++) client.track('tracked');
    var ready = false;
    final room = client.ready(5).whenComplete(() => ready = true);
    final report = client.flush();
    await server.asked;
    check(!ready, 'ten are queued');
    server.release();
    await room;
    same((await report).pending, 0, 'pending');
    client.close();
    await server.stop();
  });

  await test('a closed object throws, a future of it ends in that, and closing it again does nothing', () async {
    final client = Client.open(const Config(url: 'http://127.0.0.1:9', writeKey: 'tm_pk_example'))..close();
    check(client.isClosed, 'it says so');
    client.close();
    same((await thrown<StateError>(() => client.track('tracked'))).message, 'Client is closed');
    same((await thrown<StateError>(client.stats)).message, 'Client is closed');
    final future = client.flush();
    same((await thrown<StateError>(() => future)).message, 'Client is closed');
    final device = newDevice();
    final its = device.client();
    device.close();
    same((await thrown<StateError>(() => device.setClock(0))).message, 'VectorDevice is closed');
    its.track('tracked');
    same(its.stats().captured, 1, 'captured by the client that is still open');
    its.close();
  });
}
