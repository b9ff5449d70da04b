"""Errors of the app, as the library takes them. Values of variables are never looked at."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import CodeType, TracebackType
from typing import Optional

from . import _ffi
from ._numbers import truth
from ._text import optional_text, string_form, text, whole

#: Causes and frames that are handed over. The core keeps fewer; this only bounds the work for a RecursionError.
_MOST_CAUSES, _MOST_FRAMES = 10, 100

#: Where libraries are installed, besides those of the standard library.
_INSTALLED = ("site-packages", "dist-packages")

_STANDARD_LIBRARY = tuple(
    os.path.join(path, "") for path in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")} if path
)

_LEVELS = {"fatal": _ffi.Level.FATAL, "error": _ffi.Level.ERROR, "warning": _ffi.Level.WARNING}


def current() -> Optional[BaseException]:
    """The error that is being handled."""
    return sys.exc_info()[1]


def captured(error: object, *, handled: object, level: object, fingerprint: object) -> _ffi.CapturedException:
    """An error with its causes. What is no exception is one without a traceback."""
    return _ffi.CapturedException(
        thrown=[_thrown(one) for one in islice(_chain(error), _MOST_CAUSES)],
        handled=truth(handled),
        level=_LEVELS.get(text(level), _ffi.Level.ERROR),
        fingerprint=optional_text(fingerprint),
    )


def _chain(error: object) -> Iterator[object]:
    """The error, then its cause, then the cause of that; each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = _cause(error) if isinstance(error, BaseException) else None


def _cause(error: BaseException) -> Optional[BaseException]:
    """As Python prints it: `raise … from`, or else what was being handled."""
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _thrown(error: object) -> _ffi.Thrown:
    traceback = error.__traceback__ if isinstance(error, BaseException) else None
    frames = deque(_places(traceback), maxlen=_MOST_FRAMES)
    return _ffi.Thrown(
        kind=_kind(type(error)),
        text=text(error),
        frames=[_frame(code, line) for code, line in reversed(frames)],
    )


def _kind(kind: type) -> str:
    """`ValueError`, `requests.exceptions.Timeout`."""
    module = string_form(kind.__module__)
    name = string_form(kind.__qualname__)
    return whole(name if module in ("builtins", "__main__") else f"{module}.{name}")


def _places(traceback: Optional[TracebackType]) -> Iterator[tuple[CodeType, Optional[int]]]:
    """From where it was caught to where it was thrown."""
    while traceback is not None:
        yield traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next


def _frame(code: CodeType, line: Optional[int]) -> _ffi.Frame:
    return _ffi.Frame(
        # Python 3.11 knows `Cart.checkout`, those before only `checkout`.
        function=whole(getattr(code, "co_qualname", code.co_name)),
        file=whole(code.co_filename),
        line=line or None,
        in_app=_in_app(code.co_filename),
    )


def _in_app(file: str) -> bool:
    """Whether it is neither an installed library nor the standard one."""
    if file.startswith("<frozen "):
        return False
    directories = file.replace("\\", "/").split("/")
    return not (any(name in directories for name in _INSTALLED) or file.startswith(_STANDARD_LIBRARY))
