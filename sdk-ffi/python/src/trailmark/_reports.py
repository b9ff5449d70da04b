"""What a client tells about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from . import _ffi


@dataclass(frozen=True)
class FlushReport:
    """What a flush achieved."""

    #: Events that the server has on stable storage.
    delivered: int = 0
    #: Events lost meanwhile, by reason.
    dropped: Mapping[str, int] = field(default_factory=dict)
    #: Events still queued.
    pending: int = 0


@dataclass(frozen=True)
class Stats:
    """The truth, now: captured = delivered + dropped + queued."""

    #: Events ever handed in.
    captured: int = 0
    #: Events that the server has on stable storage.
    delivered: int = 0
    #: Events lost, by reason.
    dropped: Mapping[str, int] = field(default_factory=dict)
    #: Events waiting or on their way.
    queued: int = 0
    #: Their size.
    queued_bytes: int = 0
    #: Requests sent by this process.
    attempts: int = 0
    #: How the latest attempt failed, for people; nothing after a success.
    last_error: Optional[str] = None
    #: Whether the server refuses the key: events are kept, and it is asked again now and then.
    paused: bool = False
    #: Where the events are: `memory`, `saved`, or `failing: …` and why.
    storage: str = "memory"
    #: Whether the person has opted out.
    opted_out: bool = False
    #: Calls that captured nothing because of it.
    ignored: int = 0
    #: Strings that were too long and were cut.
    truncated: int = 0
    #: Calls of `before_send` that failed; the event went on as it was.
    hook_panics: int = 0
    #: Panics that were caught at the border of the library. None is known; each is a bug worth reporting.
    panics: int = 0


@dataclass(frozen=True)
class Notice:
    """What somebody should know. Its `str` is for people."""

    #: `dropped`, `refused`, `truncated`, `hook_panicked`, `storage_failing`, `storage_works` or `key_refused`. Later
    #: versions may know others.
    kind: str
    #: The reason of what was dropped or refused, how many strings were cut, or what the storage or the server said.
    detail: Optional[str]
    #: For people.
    text: str

    def __str__(self) -> str:
        return self.text


def flush_report(report: _ffi.FlushReport) -> FlushReport:
    """The native report, for users."""
    return FlushReport(report.delivered, report.dropped, report.pending)


def stats(stats: _ffi.Stats) -> Stats:
    """The native stats, for users."""
    named = {name: getattr(stats, name) for name in Stats.__dataclass_fields__}
    named["storage"] = _storage(stats.storage)
    return Stats(**named)


def notice(notice: _ffi.Notice) -> Notice:
    """The native notice, for users."""
    return Notice(notice.kind, notice.detail, notice.text)


def _storage(health: Any) -> str:
    if health.is_failing():
        return f"failing: {health.detail}"
    return "saved" if health.is_saved() else "memory"
