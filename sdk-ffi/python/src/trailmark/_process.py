"""The process around the clients: its forks and its end."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from typing import Protocol

from . import _ffi

#: What all clients of a process together may take at its end, to deliver what is queued: 2 s.
EXIT_SECONDS = 2.0

#: How long the end of a process waits for other threads to leave the library: 1 s. Whoever is still in there is in a
#: callback of the app that does not end.
LEAVE_SECONDS = 1.0

#: How often it looks: every 1 ms.
_LOOK_SECONDS = 0.001


class Opened(Protocol):
    """A client as far as the process is concerned."""

    def before_fork(self) -> None:
        """The process is about to be forked."""

    def at_exit(self, seconds: float) -> None:
        """The process ends: delivers what is queued."""


class Process:
    """What there is one of in each process."""

    def __init__(self) -> None:
        #: How often it is a fork of a fork. What was opened in another generation belongs to another process.
        self.generation = 0
        #: The interpreter is about to end: nobody may enter the library any more.
        self.ended = False
        #: Held by whoever opens a client.
        self.opening = threading.RLock()
        self._opened: dict[int, Opened] = {}
        self._inside: list[None] = []

    def opened(self, client: Opened) -> None:
        """A client is to be ended with the process."""
        self._opened[id(client)] = client
        self._end_with_multiprocessing()

    def ended_one(self, client: Opened) -> None:
        """A client has ended."""
        self._opened.pop(id(client), None)

    def enter(self) -> bool:
        """Whether the calling thread may enter the library. It has to :meth:`leave` in either case.

        A list, because `append` and `pop` are atomic, and `+= 1` is not.
        """
        self._inside.append(None)
        return not self.ended

    def leave(self) -> None:
        """The calling thread is back."""
        if self._inside:
            self._inside.pop()

    def before_fork(self) -> None:
        for client in list(self._opened.values()):
            client.before_fork()

    def after_in_child(self) -> None:
        """The other threads are gone, in whatever they were doing: their locks stay locked for ever."""
        self.generation += 1
        self.opening = threading.RLock()
        self._inside.clear()
        for handles in _HANDLE_MAPS:
            handles._lock = threading.Lock()

    def end(self) -> None:
        """Ends all clients, and waits until no thread is in the library any more.

        A thread that gets from the library into Python after the interpreter has ended is ended by the interpreter, and
        with it the frames of the library that it has: that would abort the process.
        """
        self.ended = True
        deadline = time.monotonic() + EXIT_SECONDS
        while self._opened:
            # Each its share: one whose server is gone leaves time for the others.
            share = (deadline - time.monotonic()) / len(self._opened)
            self._opened.popitem()[1].at_exit(max(0.0, share))
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._inside and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)

    def _end_with_multiprocessing(self) -> None:
        """A child of multiprocessing ends without `atexit`, but with finalizers of its own."""
        util = sys.modules.get("multiprocessing.util")
        process = sys.modules.get("multiprocessing.process")
        if util is not None and process is not None and process.parent_process() is not None:
            util.Finalize(None, self.end, exitpriority=0)


#: The locks of the generated layer.
_HANDLE_MAPS = (
    _ffi._UniffiFfiConverterTypeBeforeSend._handle_map,
    _ffi._UniffiFfiConverterTypeOnNotice._handle_map,
    _ffi._UniffiContinuationHandleMap,
)

PROCESS = Process()

atexit.register(PROCESS.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=PROCESS.before_fork, after_in_child=PROCESS.after_in_child)
