"""Trailmark, product analytics that you host yourself: the client for Python.

>>> from trailmark import Trailmark
>>> client = Trailmark("tm_pk_example", "http://127.0.0.1:9")
>>> client.capture("order_paid", user_id="u_7", properties={"total": 12.5})
>>> client.stats().captured
1
>>> client.shutdown(timeout=1).pending  # there is no server at this address
1
"""

from ._errors import ConfigError, DirectoryInUseError, SettingError, ThreadError, TransportError, UrlError
from ._hooks import Event
from ._reports import FlushReport, Notice, Stats
from .client import Trailmark

__all__ = [
    "ConfigError",
    "DirectoryInUseError",
    "Event",
    "FlushReport",
    "Notice",
    "SettingError",
    "Stats",
    "ThreadError",
    "Trailmark",
    "TransportError",
    "UrlError",
]
