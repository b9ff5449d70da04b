"""The settings as the library takes them. What is not said has the core's default; no number is repeated here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from typing import Any, Optional, Union

from . import _ffi
from ._json import encode
from ._text import optional_text, text
from ._time import Duration, milliseconds, optional_milliseconds
from ._version import VERSION

#: What an event in the directory survives besides the death of the process: `process` nothing else, `every_event` the
#: loss of power at once, a duration the loss of power once it is so old.
Durability = Union[str, Duration]


def config(
    *,
    write_key: str,
    api_host: str,
    directory: Union[str, os.PathLike[str], None],
    durability: Optional[Durability],
    context: Optional[Mapping[str, object]],
    backoff: Optional[tuple[Duration, Duration]],
    flush_interval: Optional[Duration],
    max_age: Optional[Duration],
    session_idle: Optional[Duration],
    session_max: Optional[Duration],
    request_timeout: Optional[Duration],
    anonymous_id: Optional[str],
    install_id: Optional[str],
    **same: Any,
) -> _ffi.Config:
    """The native settings; those in `same` are handed on as they are.

    Raises TypeError, ValueError or KeyError for what is none.
    """
    return _ffi.Config(
        url=text(api_host),
        write_key=text(write_key),
        directory=None if directory is None else os.fspath(directory),
        durability=_durability(durability),
        sdk_name=f"trailmark-python/{VERSION}",
        context=encode(context),
        backoff=_backoff(backoff),
        flush_interval_ms=optional_milliseconds(flush_interval),
        max_age_ms=optional_milliseconds(max_age),
        session_idle_ms=optional_milliseconds(session_idle),
        session_max_ms=optional_milliseconds(session_max),
        request_timeout_ms=optional_milliseconds(request_timeout),
        anonymous_id=optional_text(anonymous_id),
        install_id=optional_text(install_id),
        **same,
    )


def in_memory(config: _ffi.Config) -> _ffi.Config:
    """The same settings for a client that shares nothing with the one that has these."""
    alone: _ffi.Config = copy(config)
    alone.directory, alone.join, alone.install_id = None, False, None
    return alone


def _durability(durability: Optional[Durability]) -> Any:
    if durability is None:
        return None
    if isinstance(durability, str):
        return _WORDS[durability]()
    return _DURABILITY.WITHIN(ms=milliseconds(durability))


#: Generated in a way that type checkers do not follow.
_DURABILITY: Any = _ffi.Durability

#: A word that is not among them is a KeyError, and so a wrong setting.
_WORDS = {"process": _DURABILITY.PROCESS, "every_event": _DURABILITY.EVERY_EVENT}


def _backoff(backoff: Optional[tuple[Duration, Duration]]) -> Optional[_ffi.Backoff]:
    if backoff is None:
        return None
    base, cap = backoff
    return _ffi.Backoff(base_ms=milliseconds(base), cap_ms=milliseconds(cap))
