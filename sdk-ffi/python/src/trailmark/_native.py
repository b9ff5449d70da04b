"""The native client of this process: the one door to the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Optional, TypeVar

from . import _buffers, _ffi
from ._errors import public
from ._hooks import CallBeforeSend, CallOnNotice, reraise_interrupt
from ._log import log
from ._options import in_memory
from ._process import PROCESS, Process

T = TypeVar("T")

_buffers.install()


class OwnClient(_ffi.Client):
    """A native client that belongs to the process that opened it."""

    def __init__(self, client: _ffi.Client) -> None:
        self._handle = client._uniffi_clone_handle()  # type: ignore[no-untyped-call]  # it is generated
        self.generation = PROCESS.generation

    def __reduce__(self) -> NoReturn:
        """Another process, or a copy, would use and free what is not its own."""
        raise TypeError("a client cannot be pickled: make one in each process")

    # The argument, because globals may be gone when the interpreter ends.
    def __del__(self, process: Process = PROCESS) -> None:
        """Frees it, but not the copy of it that a fork has: its locks may be held by threads that are not there, and
        its files and its sockets are the parent's."""
        if not process.ended and self.generation == process.generation:
            super().__del__()  # type: ignore[no-untyped-call]  # it is generated


class Native:
    """Opens the native client, opens another one after a fork, and lets nothing out that a call raises."""

    def __init__(
        self, config: _ffi.Config, before_send: Optional[CallBeforeSend], on_notice: Optional[CallOnNotice]
    ) -> None:
        self._config = config
        self._hooks = (before_send, on_notice)
        self._opted_out = False
        self._shut_down = False
        self._client = self._open(config)
        PROCESS.opened(self)

    @classmethod
    def over(cls, client: _ffi.Client) -> Native:
        """Over a client that is there already, and is not shut down at the end of the process. Only for tests."""
        native = cls.__new__(cls)
        native._client = OwnClient(client)
        native._opted_out = native._shut_down = False
        return native

    def call(self, work: Callable[[_ffi.Client], T], nothing: T) -> T:
        """What `work` returns, or nothing if it raises, or if the process ends."""
        try:
            return work(self.client()) if PROCESS.enter() else nothing
        except Exception:
            log.warning("a call failed", exc_info=True)
            return nothing
        finally:
            PROCESS.leave()
            reraise_interrupt()

    def client(self) -> _ffi.Client:
        """The client of this process."""
        if self._client.generation != PROCESS.generation:
            self._open_in_fork()
        return self._client

    def shutdown(self, timeout_ms: int) -> Optional[_ffi.FlushReport]:
        """Ends the client. Nothing is reported if the process ends."""
        report: Optional[_ffi.FlushReport] = self.call(lambda client: client.shutdown(timeout_ms), None)
        self._shut_down = True
        PROCESS.ended_one(self)
        return report

    def before_fork(self) -> None:
        """What a person who has opted out said counts in the child, too."""
        self._opted_out = self.call(lambda client: client.is_opted_out(), self._opted_out)

    def at_exit(self, seconds: float) -> None:
        """Delivers what is queued, within so many seconds, unless it belongs to the parent."""
        if self._client.generation != PROCESS.generation:
            return
        try:
            report = self._client.shutdown(int(seconds * 1000))
        except Exception:
            log.warning("the client could not be shut down", exc_info=True)
            return
        if report.pending and self._config.directory is None:
            log.warning("the process ends before %d events could be delivered: they are lost", report.pending)

    def _open(self, config: _ffi.Config) -> OwnClient:
        """Raises :class:`~trailmark.ConfigError`."""
        try:
            return OwnClient(_ffi.Client.open_with(config, *self._hooks))
        except Exception as error:
            raise public(error) from None

    def _open_in_fork(self) -> None:
        """The parent's client stays the parent's; it is not even freed here. The directory is the parent's, too."""
        with PROCESS.opening:
            if self._client.generation == PROCESS.generation:
                return
            log.warning("this process is a fork: its client is another one, in memory only, and has no user yet")
            self._config = in_memory(self._config)
            client = self._open(self._config)
            if self._opted_out:
                client.opt_out()
            if self._shut_down:
                client.shutdown(0)
            else:
                PROCESS.opened(self)
            self._client = client
