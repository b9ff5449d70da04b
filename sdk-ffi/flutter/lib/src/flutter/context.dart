/// What is known of a device. Free of Flutter, so that it is tested without it.
library;

/// The shortest side from which a touch device is a tablet, in logical pixels: Android's `sw600dp`.
const double tabletSide = 600;

/// The circumstances under the names that the server and the dashboard know. What is not known is left out.
Map<String, Object?> deviceContextOf({
  String? appName,
  String? appVersion,
  String? os,
  String? osVersion,
  String? locale,
  double? width,
  double? height,
  double? scale,
}) => {
  if (_named(appName, appVersion) case final app?) 'app': app,
  if (_named(os, osVersion) case final os?) 'os': os,
  if (_kind(os, width, height, scale) case final kind?) 'device': {'type': kind},
  if (width != null && height != null && scale != null && width > 0 && height > 0)
    'screen': {'width': width.round(), 'height': height.round(), 'scale': scale},
  if (locale != null) 'locale': locale,
};

Map<String, Object?>? _named(String? name, String? version) => name == null && version == null
    ? null
    : {
        if (name != null) 'name': name,
        if (version != null) 'version': version,
      };

String? _kind(String? os, double? width, double? height, double? scale) => switch (os) {
  'android' || 'ios' when width != null && height != null && scale != null && width > 0 && height > 0 && scale > 0 =>
    (width < height ? width : height) / scale < tabletSide ? 'phone' : 'tablet',
  'linux' || 'macos' || 'windows' || 'fuchsia' => 'desktop',
  _ => null,
};
