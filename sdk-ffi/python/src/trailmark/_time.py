"""Times and durations as they cross the border."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional, Union

#: Seconds, or a timedelta.
Duration = Union[float, timedelta]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

#: No time at all; an event with it is refused as `invalid_timestamp`. The least number of 64 bits.
NO_TIME = -(2**63)

#: The longest duration: 2⁴⁰ ms, 34 years, is as good as for ever and fits everywhere.
_LONGEST_MS = 2**40


class Micros(int):
    """Microseconds since 1970. Only for tests: a datetime knows no year 0."""


def rfc3339(moment: datetime) -> str:
    """`2026-11-20T12:00:00.5Z`. A datetime without a zone is local time, as everywhere in Python."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def micros(moment: object) -> Optional[int]:
    """A datetime in microseconds since 1970; nothing if nothing is said; anything else is no time."""
    if moment is None or isinstance(moment, Micros):
        return moment
    if not isinstance(moment, datetime):
        return NO_TIME
    try:
        return (moment.astimezone(timezone.utc) - _EPOCH) // _MICROSECOND
    except Exception:  # Beyond the years 1 to 9999 after the change of the zone; or a zone of the app that fails.
        return NO_TIME


def milliseconds(duration: Duration) -> int:
    """A duration in whole milliseconds, and no less than none.

    Raises TypeError for what is no duration.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    # A comparison with NaN is false, so NaN is none.
    return int(min(seconds * 1000, _LONGEST_MS)) if seconds > 0 else 0


def optional_milliseconds(duration: Optional[Duration]) -> Optional[int]:
    """:func:`milliseconds`, where `None` means that nothing is said."""
    return None if duration is None else milliseconds(duration)


def wait(timeout: object) -> int:
    """:func:`milliseconds` that one waits; not at all for what is no duration."""
    try:
        return milliseconds(timeout)  # type: ignore[arg-type]  # it is caught
    except Exception:
        return 0
