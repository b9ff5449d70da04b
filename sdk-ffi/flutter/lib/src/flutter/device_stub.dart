/// The web, whose script knows the browser itself.
library;

/// Nothing.
({String name, String version})? operatingSystem() => null;
