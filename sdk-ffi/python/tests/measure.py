"""What a call costs. Printed, not judged: a machine that others use as well is no bench."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from support import DEAD, KEY
from trailmark import Trailmark, _ffi

CALLS, STARTS = 200_000, 20

#: What the package imports of the standard library, most of which a server has loaded before.
STANDARD = "import asyncio, dataclasses, json, logging, platform, sysconfig, typing"

START = f"""
import time
begun = time.perf_counter()
from trailmark import Trailmark
client = Trailmark("{KEY}", "{DEAD}", on_notice=lambda notice: None)
client.track("first")
print(time.perf_counter() - begun)
import logging
logging.disable()
"""


def microseconds(call: Callable[[], None], calls: int = CALLS) -> float:
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begun) / calls * 1e6


def start_milliseconds(before: str) -> float:
    """The median of many fresh processes."""
    command = [sys.executable, "-c", before + START]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(STARTS)]
    return statistics.median(map(float, runs)) * 1e3


def main() -> None:
    # Room for all of them: a full queue would tell of each event that goes.
    client = Trailmark(KEY, DEAD, max_queue_events=10 * CALLS, max_queue_bytes=2**32)
    native = client._native.client()
    cart = {"total": 12.5, "currency": "EUR", "items": ["tea", "milk"]}
    text = '{"total":12.5,"currency":"EUR","items":["tea","milk"]}'
    generated = _ffi.Client.track
    for name, call in {
        "track of the package": lambda: client.track("checkout", cart),
        "track of the generated layer, with JSON text": lambda: generated(native, "checkout", text),
        "capture of the package": lambda: client.capture("checkout", user_id="u_7", properties=cart),
    }.items():
        print(f"{name}: {microseconds(call):.1f} µs")
    print(f"import to the first track returned: {start_milliseconds(''):.1f} ms")
    print(f"the same, the standard library's modules loaded before: {start_milliseconds(STANDARD):.1f} ms")
    client.shutdown(0)


if __name__ == "__main__":
    main()
