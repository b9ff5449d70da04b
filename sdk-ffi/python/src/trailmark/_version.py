"""The version of this package, which it tells the server."""

VERSION = "0.1.0"
