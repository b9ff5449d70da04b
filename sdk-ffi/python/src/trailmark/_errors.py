"""Why there is no client."""

from __future__ import annotations

from typing import Any

from . import _ffi
from ._text import string_form


class ConfigError(Exception):
    """Why there is no client. Only the constructor of :class:`~trailmark.Trailmark` raises it."""


class UrlError(ConfigError):
    """The server's address is wrong."""


class SettingError(ConfigError):
    """The key or another setting is wrong."""


class TransportError(ConfigError):
    """The certificates to trust, the proxy, or TLS."""


class DirectoryInUseError(ConfigError):
    """Another client has the directory, in this process or another one. Each client needs its own."""


class ThreadError(ConfigError):
    """The system refused a thread."""


#: Generated in a way that type checkers do not follow.
_NATIVE: Any = _ffi.ConfigError

_PUBLIC: dict[type, type[ConfigError]] = {
    _NATIVE.Url: UrlError,
    _NATIVE.Setting: SettingError,
    _NATIVE.Transport: TransportError,
    _NATIVE.DirectoryInUse: DirectoryInUseError,
    _NATIVE.Thread: ThreadError,
}


def public(error: Exception) -> ConfigError:
    """The error that users see. A value of a wrong type, or out of its range, is a wrong setting."""
    kind = _PUBLIC.get(type(error), SettingError)
    return kind(getattr(error, "detail", None) or string_form(error))
