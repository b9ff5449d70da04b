/// The client, as statics.
library;

import 'client.dart';
import 'exception.dart';
import 'options.dart';
import 'platform.dart';
import 'report.dart';

/// The app's client: a thin face of one [TrailmarkClient], where each call is documented.
///
/// ```dart
/// await Trailmark.init('tm_pk_…', apiHost: 'https://analytics.example.com', platform: TrailmarkFlutter());
/// Trailmark.track('checkout', properties: {'total': 12.5});
/// ```
abstract final class Trailmark {
  /// The client behind these calls.
  static final TrailmarkClient instance = TrailmarkClient();

  /// Starts the client. In a Flutter app [platform] is a `TrailmarkFlutter`. See [TrailmarkClient.init].
  static Future<bool> init(
    String writeKey, {
    required String apiHost,
    TrailmarkOptions options = const TrailmarkOptions(),
    TrailmarkPlatform? platform,
  }) => instance.init(writeKey, apiHost: apiHost, options: options, platform: platform);

  /// Whether the client runs. See [TrailmarkClient.isRunning].
  static bool get isRunning => instance.isRunning;

  /// Why the latest [init] did not start a client.
  static TrailmarkError? get error => instance.error;

  /// Captures an event. See [TrailmarkClient.track].
  static void track(String name, {Map<String, Object?>? properties}) => instance.track(name, properties: properties);

  /// Says that a screen is shown. See [TrailmarkClient.screen].
  static void screen(String name, {Map<String, Object?>? properties}) => instance.screen(name, properties: properties);

  /// Says who uses the device. See [TrailmarkClient.identify].
  static void identify(String userId, {Map<String, Object?>? set, Map<String, Object?>? setOnce}) =>
      instance.identify(userId, set: set, setOnce: setOnce);

  /// Sets person properties. See [TrailmarkClient.setPersonProperties].
  static void setPersonProperties({Map<String, Object?>? set, Map<String, Object?>? setOnce}) =>
      instance.setPersonProperties(set: set, setOnce: setOnce);

  /// Says that the current user and the other are one person. See [TrailmarkClient.alias].
  static void alias(String otherUserId) => instance.alias(otherUserId);

  /// Puts the current user into a group. See [TrailmarkClient.group].
  static void group(String groupType, String groupId, {Map<String, Object?>? properties}) =>
      instance.group(groupType, groupId, properties: properties);

  /// Writes these properties into every event from now on. See [TrailmarkClient.register].
  static void register(Map<String, Object?> properties) => instance.register(properties);

  /// [register], for those that are not registered yet. See [TrailmarkClient.registerOnce].
  static void registerOnce(Map<String, Object?> properties) => instance.registerOnce(properties);

  /// Takes a registered property out. See [TrailmarkClient.unregister].
  static void unregister(String key) => instance.unregister(key);

  /// Replaces the circumstances of every event from now on. See [TrailmarkClient.setContext].
  static void setContext(Map<String, Object?> context) => instance.setContext(context);

  /// Forgets who uses the device. See [TrailmarkClient.reset].
  static void reset() => instance.reset();

  /// The person does not want to be observed. See [TrailmarkClient.optOut].
  static void optOut() => instance.optOut();

  /// The person agrees again. See [TrailmarkClient.optIn].
  static void optIn() => instance.optIn();

  /// Whether the person has opted out. See [TrailmarkClient.isOptedOut].
  static bool get isOptedOut => instance.isOptedOut;

  /// The person wants their data deleted. See [TrailmarkClient.deleteMyData].
  static void deleteMyData() => instance.deleteMyData();

  /// Captures an error. See [TrailmarkClient.captureException].
  static void captureException(
    Object error,
    StackTrace? stackTrace, {
    bool handled = true,
    TrailmarkLevel level = TrailmarkLevel.error,
    String? fingerprint,
    Map<String, Object?>? properties,
  }) => instance.captureException(
    error,
    stackTrace,
    handled: handled,
    level: level,
    fingerprint: fingerprint,
    properties: properties,
  );

  /// Captures an HTTP request. See [TrailmarkClient.captureRequest].
  static void captureRequest(
    String method,
    Uri url, {
    int? status,
    Duration? duration,
    Object? error,
    Map<String, Object?>? properties,
  }) => instance.captureRequest(
    method,
    url,
    status: status,
    duration: duration,
    error: error,
    properties: properties,
  );

  /// Captures an event that says itself who and when. See [TrailmarkClient.capture].
  static void capture(
    String name, {
    String? id,
    String? anonymousId,
    String? userId,
    String? otherUserId,
    String? sessionId,
    DateTime? timestamp,
    Map<String, Object?>? properties,
    Map<String, Object?>? context,
    Map<String, Object?>? set,
    Map<String, Object?>? setOnce,
  }) => instance.capture(
    name,
    id: id,
    anonymousId: anonymousId,
    userId: userId,
    otherUserId: otherUserId,
    sessionId: sessionId,
    timestamp: timestamp,
    properties: properties,
    context: context,
    set: set,
    setOnce: setOnce,
  );

  /// The app was opened. See [TrailmarkClient.appOpened].
  static void appOpened(String version, {bool fromBackground = false}) =>
      instance.appOpened(version, fromBackground: fromBackground);

  /// The app went to the background. See [TrailmarkClient.appBackgrounded].
  static void appBackgrounded() => instance.appBackgrounded();

  /// Runs [body] in a zone whose uncaught errors are captured. See [TrailmarkClient.runGuarded].
  static R? runGuarded<R>(R Function() body, {void Function(Object error, StackTrace stackTrace)? onError}) =>
      instance.runGuarded(body, onError: onError);

  /// The install's id. See [TrailmarkClient.installId].
  static String? get installId => instance.installId;

  /// The device's id. See [TrailmarkClient.anonymousId].
  static String? get anonymousId => instance.anonymousId;

  /// The user's id. See [TrailmarkClient.userId].
  static String? get userId => instance.userId;

  /// The session's id. See [TrailmarkClient.sessionId].
  static String? get sessionId => instance.sessionId;

  /// Sends what is queued. See [TrailmarkClient.flush].
  static Future<TrailmarkFlushReport> flush() => instance.flush();

  /// The truth, now. See [TrailmarkClient.stats].
  static Future<TrailmarkStats> stats() => instance.stats();

  /// What somebody should know. See [TrailmarkClient.takeNotices].
  static List<TrailmarkNotice> takeNotices() => instance.takeNotices();

  /// What somebody should know, as it comes. See [TrailmarkClient.notices].
  static Stream<TrailmarkNotice> get notices => instance.notices;

  /// Sends what is queued and ends the client. See [TrailmarkClient.shutdown].
  static Future<TrailmarkFlushReport> shutdown({Duration? timeout}) => instance.shutdown(timeout: timeout);
}
