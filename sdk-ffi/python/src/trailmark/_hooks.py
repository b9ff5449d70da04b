"""Calls from the library into the app, on whatever thread it happens to be."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Optional

from . import _ffi
from ._json import encode_object
from ._log import log
from ._reports import Notice, notice
from ._text import string_form, text


class _Properties:
    """Properties of an event, read when somebody looks at them. The others go back as they came, to the byte."""

    def __set_name__(self, owner: type[Event], name: str) -> None:
        self._name = name

    def __get__(self, event: Event, owner: type[Event]) -> dict[str, Any]:
        if self._name not in event._read:
            event._read[self._name] = json.loads(getattr(event._draft, self._name))
        properties: dict[str, Any] = event._read[self._name]
        return properties

    def __set__(self, event: Event, properties: Mapping[str, object]) -> None:
        event._read[self._name] = properties


class Event:
    """An event on its way to being captured. All of it may be changed, or replaced."""

    properties = _Properties()
    #: Person properties of which the last writer wins.
    set = _Properties()
    #: Person properties of which the first writer wins.
    set_once = _Properties()

    def __init__(self, draft: _ffi.Draft) -> None:
        #: Its name. That of a reserved event (`$…`) stays, whatever is written here.
        self.name: str = draft.name
        self._draft = draft
        self._read: dict[str, Any] = {}

    def _changed(self) -> _ffi.Draft:
        for name, properties in self._read.items():
            setattr(self._draft, name, encode_object(properties))
        self._draft.name = text(self.name)
        return self._draft


#: May change an event before it is captured; drops it with `None`.
BeforeSend = Callable[[Event], Optional[Event]]

#: Is told what somebody should know.
OnNotice = Callable[[Notice], object]

#: Generated in a way that type checkers do not follow.
_ERRORS: Any = _ffi.CallbackError

#: What a hook ended with that is not for the library to swallow: Ctrl-C, `sys.exit()`.
_interrupt = threading.local()


def reraise_interrupt() -> None:
    """Goes on with what ended a callback on this thread, now that the library has returned."""
    error = _interrupt.__dict__.pop("error", None)
    if error is not None:
        raise error


def _keep_interrupt(unraisable: sys.UnraisableHookArgs, previous: Any = sys.unraisablehook) -> None:
    """Ctrl-C in the first or last line of a callback, where nobody can catch it, and ctypes only prints it.

    That is no rare place: a signal that came while the library was at work is handled there.
    """
    interrupted = not isinstance(unraisable.exc_value, (Exception, type(None)))
    traceback = unraisable.exc_traceback
    if interrupted and traceback is not None and traceback.tb_frame.f_code.co_filename == _ffi.__file__:
        _interrupt.error = unraisable.exc_value
    else:
        previous(unraisable)


sys.unraisablehook = _keep_interrupt


def _failed(error: BaseException, hook: str) -> None:
    if not isinstance(error, Exception):
        _interrupt.error = error
    log.debug("%s failed", hook, exc_info=error)


class CallBeforeSend(_ffi.BeforeSend):
    """The app's `before_send`, as the library calls it."""

    def __init__(self, hook: BeforeSend) -> None:
        self._hook = hook

    def before_send(self, event: _ffi.Draft) -> Optional[_ffi.Draft]:
        try:
            left = self._hook(Event(event))
            return None if left is None else left._changed()
        except BaseException as error:
            _failed(error, "before_send")
            raise _ERRORS.Failed(string_form(error)) from None


class CallOnNotice(_ffi.OnNotice):
    """The app's `on_notice`, as the library calls it."""

    def __init__(self, told: OnNotice) -> None:
        self._told = told

    def on_notice(self, notice_: _ffi.Notice) -> None:
        try:
            self._told(notice(notice_))
        except BaseException as error:
            _failed(error, "on_notice")


def warn(notice: Notice) -> None:
    """Tells it to the log, if nobody else is told."""
    log.warning("%s", notice)
