import 'package:trailmark_flutter/src/flutter/context.dart';
import 'package:trailmark_flutter/src/flutter/lifecycle.dart';

import '../check.dart';
import 'support.dart';

Future<void> flutterPure() async {
  await test('lifecycle: to the background once, and back once, whatever lies between', () {
    final tracker = LifecycleTracker();
    const states = [
      'resumed',
      'inactive', 'resumed', // a call
      'inactive', 'hidden', 'paused', // away
      'hidden', 'inactive', 'resumed', // and back
      'inactive', 'hidden', 'paused', 'detached',
    ];
    expect(
      [for (final state in states) tracker.changedTo(state)].nonNulls.map((move) => move.name).toList(),
      ['backgrounded', 'opened', 'backgrounded'],
    );
  });

  await test('device: what is known has the names that the server knows', () {
    expect(
      deviceContextOf(
        appName: 'Shop',
        appVersion: '1.4.2',
        os: 'android',
        osVersion: '14',
        locale: 'de-DE',
        width: 1080,
        height: 2400,
        scale: 2.75,
      ),
      {
        'app': {'name': 'Shop', 'version': '1.4.2'},
        'os': {'name': 'android', 'version': '14'},
        'device': {'type': 'phone'},
        'screen': {'width': 1080, 'height': 2400, 'scale': 2.75},
        'locale': 'de-DE',
      },
    );
  });

  await test('device: what is not known is left out, and a screen of no size is not known', () {
    expect(deviceContextOf(), <String, Object?>{});
    expect(deviceContextOf(os: 'ios', width: 0, height: 0, scale: 0), {'os': {'name': 'ios'}});
  });

  await test('device: a tablet is a touch device of 600 logical pixels, whichever way it is held', () {
    String kind(String os, double width, double height, double scale) =>
        '${deviceContextOf(os: os, width: width, height: height, scale: scale)['device']}';
    expect(kind('ios', 1668, 2388, 2), '{type: tablet}');
    expect(kind('android', 2400, 1199, 2), '{type: phone}');
    expect(kind('android', 2400, 1200, 2), '{type: tablet}');
    expect(kind('macos', 800, 600, 2), '{type: desktop}');
  });
}
