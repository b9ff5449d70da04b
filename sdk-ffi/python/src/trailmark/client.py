"""What an app holds."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Optional, TypeVar, Union
from uuid import UUID

from . import _exceptions, _ffi, _hooks, _reports
from ._errors import public
from ._json import encode, encode_object
from ._log import log
from ._native import Native
from ._numbers import real, truth, whole_number
from ._options import Durability, config
from ._reports import FlushReport, Notice, Stats
from ._text import optional_text, text
from ._time import Duration, micros, wait

#: What is known about an event, a person, a group: anything that JSON can say, and what the README tells of the rest.
Properties = Mapping[str, object]

#: The id of a user or a device, as the app has it.
Id = Union[str, int, UUID]

#: What the end of a `with` takes at most, to deliver what is queued: 10 s.
WITH_SECONDS = 10.0

T = TypeVar("T")


class Trailmark:
    """A client of one Trailmark server. It may be used from any thread.

    Only the constructor raises. All calls return at once, but those that say so, and none of them fails: what went
    wrong is in :meth:`stats`, in the report of :meth:`flush`, and told to `on_notice`, or else to the logger
    `trailmark`.

    A client lives until :meth:`shutdown`, or the end of the process. Without a `directory` its events live no longer.
    """

    def __init__(
        self,
        write_key: str,
        api_host: str,
        *,
        directory: Union[str, os.PathLike[str], None] = None,
        durability: Optional[Durability] = None,
        join: bool = False,
        context: Optional[Properties] = None,
        anonymous_id: Optional[str] = None,
        install_id: Optional[str] = None,
        flush_at: Optional[int] = None,
        flush_interval: Optional[Duration] = None,
        max_batch_events: Optional[int] = None,
        max_queue_events: Optional[int] = None,
        max_queue_bytes: Optional[int] = None,
        max_age: Optional[Duration] = None,
        session_idle: Optional[Duration] = None,
        session_max: Optional[Duration] = None,
        backoff: Optional[tuple[Duration, Duration]] = None,
        request_timeout: Optional[Duration] = None,
        extra_root_pem: Optional[str] = None,
        proxy: Optional[str] = None,
        before_send: Optional[_hooks.BeforeSend] = None,
        on_notice: Optional[_hooks.OnNotice] = None,
    ) -> None:
        """Starts a client. The network is not touched. What is not said has a default that fits most; durations are
        seconds or timedeltas.

        :param write_key: A write key: `tm_pk_…`.
        :param api_host: The server: `https://analytics.example.com`; a path in front is fine.
        :param directory: Where events and identity survive restarts; nothing does without one. One for each client.
        :param durability: What an event in the directory survives besides the death of the process: `"process"`,
            `"every_event"`, or the loss of power once the event is so old.
        :param join: Whether a client that this process has on the directory may be joined.
        :param context: The circumstances, written into every event.
        :param anonymous_id: The device's id at the first start.
        :param install_id: The install's id at the first start.
        :param flush_at: Events that make a batch worth sending at once.
        :param flush_interval: How long an event waits for company.
        :param max_batch_events: Most events in one request.
        :param max_queue_events: Most events waiting; at the bound the oldest goes.
        :param max_queue_bytes: Most bytes of waiting events.
        :param max_age: How long an event waits at most.
        :param session_idle: The pause that ends a session.
        :param session_max: The longest session.
        :param backoff: The first wait after a failure, and the longest.
        :param request_timeout: How long an attempt may take as a whole.
        :param extra_root_pem: Certificates to trust besides Mozilla's roots. Those of the system are not looked at.
        :param proxy: A proxy for all requests. Environment variables are not looked at.
        :param before_send: May change an event before it is captured, on the thread that captures it; drops it with
            `None`. If it raises, the event stays as it was.
        :param on_notice: Is told what somebody should know, on any thread.
        :raises ConfigError: A setting is wrong, another client has the directory, or the system refuses a thread.
        """
        try:
            settings = config(
                write_key=write_key,
                api_host=api_host,
                directory=directory,
                durability=durability,
                join=bool(join),
                context=context,
                anonymous_id=anonymous_id,
                install_id=install_id,
                flush_at=flush_at,
                flush_interval=flush_interval,
                max_batch_events=max_batch_events,
                max_queue_events=max_queue_events,
                max_queue_bytes=max_queue_bytes,
                max_age=max_age,
                session_idle=session_idle,
                session_max=session_max,
                backoff=backoff,
                request_timeout=request_timeout,
                extra_root_pem=extra_root_pem,
                proxy=proxy,
            )
        except Exception as error:
            raise public(error) from None
        asked = None if before_send is None else _hooks.CallBeforeSend(before_send)
        self._native = Native(settings, asked, _hooks.CallOnNotice(on_notice or _hooks.warn))

    @classmethod
    def _over(cls, client: _ffi.Client) -> Trailmark:
        """Over a native client that is there already. Only for tests."""
        trailmark = cls.__new__(cls)
        trailmark._native = Native.over(client)
        return trailmark

    # What happened

    def track(self, name: str, properties: Optional[Properties] = None) -> None:
        """Captures an event of the current user of this device. When this returns it is saved, if there is a directory.

        A server speaks for many users: see :meth:`capture`.
        """
        self._do(lambda native: native.track(text(name), encode(properties)))

    def screen(self, name: str, properties: Optional[Properties] = None) -> None:
        """A screen was shown."""
        self._do(lambda native: native.screen(text(name), encode(properties)))

    def capture(
        self,
        name: str,
        *,
        user_id: Optional[Id] = None,
        anonymous_id: Optional[Id] = None,
        other_user_id: Optional[Id] = None,
        session_id: Optional[str] = None,
        id: Union[str, UUID, None] = None,
        timestamp: Optional[datetime] = None,
        properties: Optional[Properties] = None,
        context: Optional[Properties] = None,
        set: Optional[Properties] = None,
        set_once: Optional[Properties] = None,
    ) -> None:
        """Captures an event that says itself who and when: for servers and imports.

        :param user_id: Who it happened to.
        :param anonymous_id: The device it happened on. One of both is needed.
        :param other_user_id: For `$alias`: the other id of the same person.
        :param session_id: The session it belongs to.
        :param id: A UUID; made if it is not said. The same id is stored once.
        :param timestamp: When; now, if it is not said. Without a time zone it is local time.
        :param properties: What is known about the event.
        :param context: The circumstances; the client's, if they are not said.
        :param set: Person properties of which the last writer wins.
        :param set_once: Person properties of which the first writer wins.
        """
        self._do(
            lambda native: native.capture(
                _ffi.Capture(
                    name=text(name),
                    id=optional_text(id),
                    anonymous_id=optional_text(anonymous_id),
                    user_id=optional_text(user_id),
                    other_user_id=optional_text(other_user_id),
                    session_id=optional_text(session_id),
                    timestamp_us=micros(timestamp),
                    properties=encode(properties),
                    context=encode(context),
                    set=encode(set),
                    set_once=encode(set_once),
                )
            )
        )

    def capture_exception(
        self,
        error: Optional[BaseException] = None,
        *,
        handled: bool = True,
        level: str = "error",
        fingerprint: Optional[str] = None,
        properties: Optional[Properties] = None,
    ) -> None:
        """The app met an error: the one that is being handled, if none is given. Values of variables are not captured.

        :param handled: Whether the app has caught it.
        :param level: `fatal`, `error` or `warning`.
        :param fingerprint: Errors with the same one are one issue.
        """
        met = _exceptions.current() if error is None else error
        if met is None:
            log.warning("capture_exception was called where no exception is being handled")
            return
        self._do(
            lambda native: native.capture_exception(
                _exceptions.captured(met, handled=handled, level=level, fingerprint=fingerprint), encode(properties)
            )
        )

    def capture_request(
        self,
        method: str,
        url: str,
        *,
        status: Optional[int] = None,
        duration_ms: Optional[float] = None,
        error: Union[str, BaseException, None] = None,
        properties: Optional[Properties] = None,
    ) -> None:
        """The app made, or served, an HTTP request. What may be secret in its address is not captured.

        :param status: The answer's status; nothing if there was none.
        :param duration_ms: From the first byte sent to the answer's head.
        :param error: Why there was no answer.
        """
        self._do(
            lambda native: native.capture_request(
                _ffi.HttpRequest(
                    method=text(method),
                    url=text(url),
                    status=whole_number(status, bits=16),
                    duration_ms=real(duration_ms),
                    error=optional_text(error),
                ),
                encode(properties),
            )
        )

    def app_opened(self, version: str, from_background: bool = False) -> None:
        """The app was started in this version, or came back from the background."""
        self._do(lambda native: native.app_opened(text(version), truth(from_background)))

    def app_backgrounded(self) -> None:
        """The app went to the background; what is queued is sent."""
        self._do(lambda native: native.app_backgrounded())

    # Who it happened to

    def identify(self, user_id: Id, set: Optional[Properties] = None, set_once: Optional[Properties] = None) -> None:
        """Says who uses this device, and what is known about them: `set` of which the last writer wins, `set_once` of
        which the first does."""
        self._do(lambda native: native.identify(text(user_id), encode(set), encode(set_once)))

    def set_person_properties(self, set: Optional[Properties] = None, set_once: Optional[Properties] = None) -> None:
        """Says what is known about the current user."""
        self._do(lambda native: native.set(encode(set), encode(set_once)))

    def alias(self, other_user_id: Id) -> None:
        """Says that the current user and the other are one person."""
        self._do(lambda native: native.alias(text(other_user_id)))

    def group(self, group_type: str, group_id: Id, properties: Optional[Properties] = None) -> None:
        """Puts the current user into a group: `group("company", "acme", {"seats": 5})`."""
        self._do(lambda native: native.group(text(group_type), text(group_id), encode(properties)))

    def reset(self) -> None:
        """Forgets who uses the device: after a logout."""
        self._do(lambda native: native.reset())

    # What is in every event

    def register(self, properties: Properties) -> None:
        """Writes these properties into every event of this device from now on."""
        self._do(lambda native: native.register(encode_object(properties)))

    def register_once(self, properties: Properties) -> None:
        """:meth:`register`, for those that are not registered yet."""
        self._do(lambda native: native.register_once(encode_object(properties)))

    def unregister(self, key: str) -> None:
        """Takes a registered property out."""
        self._do(lambda native: native.unregister(text(key)))

    def set_context(self, context: Properties) -> None:
        """Replaces the circumstances that are written into events from now on."""
        self._do(lambda native: native.set_context(encode_object(context)))

    # What the person wants

    def opt_out(self) -> None:
        """The person does not want to be observed: nothing is captured, stored or sent until :meth:`opt_in`."""
        self._do(lambda native: native.opt_out())

    def opt_in(self) -> None:
        """The person agrees again."""
        self._do(lambda native: native.opt_in())

    @property
    def is_opted_out(self) -> bool:
        """Whether the person has opted out."""
        return self._native.call(lambda native: bool(native.is_opted_out()), False)

    def delete_my_data(self) -> None:
        """The person wants their data deleted: the device is emptied and the server is asked to erase."""
        self._do(lambda native: native.delete_my_data())

    # What is known

    @property
    def install_id(self) -> str:
        """The install's id: the same over restarts, if there is a directory."""
        return self._native.call(lambda native: str(native.install_id()), "")

    @property
    def anonymous_id(self) -> str:
        """The device's id, until a reset."""
        return self._native.call(lambda native: str(native.anonymous_id()), "")

    @property
    def user_id(self) -> Optional[str]:
        """The user of this device, if one is known."""
        return self._native.call(lambda native: native.user_id(), None)

    @property
    def session_id(self) -> Optional[str]:
        """The session of the latest event."""
        return self._native.call(lambda native: native.session_id(), None)

    def stats(self) -> Stats:
        """What was captured, and what became of it."""
        return self._native.call(lambda native: _reports.stats(native.stats()), Stats())

    def take_notices(self) -> list[Notice]:
        """What somebody should know since the last time, and has not been told to `on_notice` or the log."""
        return self._native.call(lambda native: [_reports.notice(one) for one in native.take_notices()], [])

    # Delivery

    async def flush(self) -> FlushReport:
        """Sends what is queued; when each of those events was tried once, says what became of them.

        The event loop goes on meanwhile. A flush that is cancelled is only not waited for.
        """
        return _flushed(await self._wait(lambda native: native.flush()))

    async def ready(self, max_queued: int) -> None:
        """Waits until fewer than so many events are queued. For imports, which are faster than any network."""
        await self._wait(lambda native: native.ready(whole_number(max_queued, bits=32) or 0))

    def flush_blocking(self, timeout: Duration) -> FlushReport:
        """:meth:`flush` that blocks the calling thread, at most so long. Ctrl-C counts when it returns."""
        return _flushed(self._native.call(lambda native: native.flush_blocking(wait(timeout)), None))

    def shutdown(self, timeout: Duration) -> FlushReport:
        """Captures nothing more, sends what is queued, and ends the client's thread. Blocks, at most so long."""
        return _flushed(self._native.shutdown(wait(timeout)))

    def __enter__(self) -> Trailmark:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """:meth:`shutdown`, within :data:`WITH_SECONDS`."""
        self.shutdown(WITH_SECONDS)

    def __copy__(self) -> Trailmark:
        """There is one of each client: a copy of an app's settings has the same."""
        return self

    def __deepcopy__(self, memo: object) -> Trailmark:
        return self

    def _do(self, work: Callable[[_ffi.Client], None]) -> None:
        self._native.call(work, None)

    async def _wait(self, begin: Callable[[_ffi.Client], Awaitable[T]]) -> Optional[T]:
        """What comes of it; nothing if it cannot begin, or the library fails."""
        waiting = self._native.call(begin, None)
        try:
            return None if waiting is None else await waiting
        except Exception:
            log.warning("a call failed", exc_info=True)
            return None
        finally:
            _hooks.reraise_interrupt()


def _flushed(report: Optional[_ffi.FlushReport]) -> FlushReport:
    return FlushReport() if report is None else _reports.flush_report(report)
