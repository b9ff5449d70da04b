// Nothing is left behind; and how long a call takes.
import 'dart:async';
import 'dart:io';

import 'package:trailmark_flutter/src/generated/trailmark.g.dart';

import 'check.dart';
import 'library.dart';

const _roundTrips = 300000;

/// A leak of 32 bytes a round would be 9 MiB. The VM's own heap moves by less.
const _allowed = 8 * 1024 * 1024;

Future<void> memory() async {
  await test('$_roundTrips round trips of a kilobyte leave nothing behind', () async {
    final device = newDevice();
    final client = device.client()..optOut();
    final properties = '{"text":"${'x' * 1000}"}';
    await _steady(_roundTrips, () {
      client
        ..track('checkout', properties: properties)
        ..installId();
    });
    same(client.stats().ignored > _roundTrips, true, 'ignored');
    client.close();
    device.close();
  });

  await test('records, lists and maps that come back leave nothing behind', () async {
    final device = newDevice();
    final client = device.client();
    for (var n = 0; n < 3; n++) client.track('');
    await _steady(_roundTrips ~/ 5, () {
      client
        ..stats()
        ..takeNotices();
    });
    client.close();
    device.close();
  });

  await test('futures leave nothing behind', () async {
    final client = Client.open(const Config(url: 'http://127.0.0.1:9', writeKey: 'tm_pk_example'));
    await _steady(_roundTrips, () => client.ready(1));
    client.close();
  });

  await test('errors leave nothing behind', () async {
    final device = newDevice();
    await _steady(_roundTrips ~/ 5, () {
      try {
        device.step('{"do":"${'x' * 1000}"}');
      } on VectorError {
        // As it should.
      }
    });
    device.close();
  });

  await test('objects that are closed leave nothing behind', () async {
    await _steady(_roundTrips ~/ 10, () {
      final device = newDevice();
      device.client().close();
      device.close();
    });
  });

  await test('forgotten objects are freed by the garbage collector', () async {
    final before = ProcessInfo.currentRss;
    for (var n = 0; n < 200; n++) await _forget();
    final grown = ProcessInfo.currentRss - before;
    check(grown < _allowed, 'grown by ${grown ~/ 1024} KiB');
  });

  await test('how long a call takes', () {
    final device = newDevice();
    final client = device.client();
    const calls = 20000;
    final began = Stopwatch()..start();
    for (var n = 0; n < calls; n++) client.track('checkout', properties: '{"total":12.5,"currency":"EUR"}');
    print('        ${(began.elapsedMicroseconds / calls).toStringAsFixed(1)} µs for a track');
    client.close();
    device.close();
  });
}

/// Objects that nothing holds, garbage until they are collected, and a turn of the event loop, in which they are freed.
Future<void> _forget() async {
  for (var n = 0; n < 100; n++) newDevice().client();
  for (var n = 0; n < 100; n++) List.filled(10000, n);
  await Future<void>.delayed(Duration.zero);
}

/// Does it often, and fails if the process is then larger than it was after the first tenth.
Future<void> _steady(int times, FutureOr<void> Function() round) async {
  for (var n = 0; n < times ~/ 10; n++) await round();
  final before = ProcessInfo.currentRss;
  for (var n = 0; n < times; n++) await round();
  final grown = ProcessInfo.currentRss - before;
  print('        $times rounds: grown by ${grown ~/ 1024} KiB to ${ProcessInfo.currentRss ~/ (1024 * 1024)} MiB');
  check(grown < _allowed, 'grown by ${grown ~/ 1024} KiB');
}
