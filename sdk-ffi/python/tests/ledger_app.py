"""The app of the ledger test, which is started and killed at random moments: captures until it has captured everything,
in this life or an earlier one, and delivers until nothing is queued."""

from __future__ import annotations

import os

from trailmark import Trailmark

#: Events between two words, after any of which it may be killed.
STRIDE = 20


def say(word: str) -> None:
    print(word, flush=True)


def main() -> None:
    client = Trailmark(
        os.environ["DEVICE_KEY"],
        os.environ["DEVICE_URL"],
        directory=os.environ["DEVICE_DIRECTORY"],
        flush_at=200,
        backoff=(0.01, 0.1),
    )
    # What was captured is what the client remembers: the app has no memory of its own.
    for n in range(client.stats().captured, int(os.environ.get("DEVICE_EVENTS", "10000"))):
        client.track("tracked", {"n": n})
        if n % STRIDE == 0:
            say("captured")
    while client.flush_blocking(0.05).pending > 0:
        say("delivering")
    say("finished")


if __name__ == "__main__":
    main()
