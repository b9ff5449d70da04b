/// What a platform does: the native library, or the web's script. Nothing is decided here.
library;

import '../capture.dart';
import '../exception.dart';
import '../report.dart';

/// One client of a platform. Properties are texts of JSON objects.
abstract interface class Backend {
  /// See `TrailmarkClient`, where every call has the same name.
  void track(String name, String? properties);

  /// A screen was shown.
  void screen(String name, String? properties);

  /// Who uses the device.
  void identify(String userId, String? set, String? setOnce);

  /// What is known about the person.
  void setPersonProperties(String? set, String? setOnce);

  /// Another id of the same person.
  void alias(String otherUserId);

  /// A group of the person.
  void group(String type, String id, String? properties);

  /// Properties of every event.
  void register(String properties);

  /// Properties of every event, unless they are registered.
  void registerOnce(String properties);

  /// Takes a registered property out.
  void unregister(String key);

  /// The circumstances of every event.
  void setContext(String context);

  /// Forgets who uses the device.
  void reset();

  /// No observation.
  void optOut();

  /// Observation again.
  void optIn();

  /// Whether the person has opted out.
  bool get isOptedOut;

  /// Deletes the person's data.
  void deleteMyData();

  /// An error.
  void captureException(CapturedError error, String? properties);

  /// An HTTP request.
  void captureRequest(CapturedRequest request, String? properties);

  /// An event that says itself who and when.
  void capture(CapturedEvent event);

  /// The app was opened.
  void appOpened(String version, bool fromBackground);

  /// The app went to the background.
  void appBackgrounded();

  /// The install's id.
  String? get installId;

  /// The device's id, until a reset.
  String? get anonymousId;

  /// The user's id.
  String? get userId;

  /// The id of the session of the latest event.
  String? get sessionId;

  /// Sends what is queued.
  Future<TrailmarkFlushReport> flush();

  /// Ends the client, and waits for nothing but its end.
  TrailmarkFlushReport shutdown();

  /// The truth, now.
  Future<TrailmarkStats> stats();

  /// What somebody should know, since the last time.
  List<TrailmarkNotice> takeNotices();
}
