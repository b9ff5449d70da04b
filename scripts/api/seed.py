#!/usr/bin/env python3
"""Sends a small, always equal history to a server: 40 persons over three weeks, with sessions, links, aliases and a
request to be erased. Ids are u_0 … u_39 (users), d_0 … d_39 (devices), and the events of ALIASES.

    seed.py URL, and the write key in TRAILMARK_WRITE_KEY
"""

import datetime
import json
import os
import random
import sys
import time
import urllib.request
import uuid

PERSONS = 40
DAYS = 21
EVENTS = ["$pageview", "signup", "add_to_cart", "checkout", "Grüße 🎉"]
PATIENCE_S = 60


def v7(at_ms: int, dice: random.Random) -> str:
    return str(uuid.UUID(int=(at_ms << 80) | (7 << 76) | (dice.getrandbits(12) << 64) | (2 << 62) | dice.getrandbits(62)))


def history(now_ms: int) -> list[dict]:
    dice = random.Random(6)
    events = []

    def add(name: str, at_ms: int, **fields) -> None:
        at = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.timezone.utc).isoformat()
        events.append({"event": name, "id": v7(at_ms, dice), "timestamp": at, **fields})

    for person in range(PERSONS):
        device, user = f"d_{person}", f"u_{person}"
        at = now_ms - dice.randrange(DAYS * 86_400_000)
        add("$identify", at, anonymous_id=device, user_id=user, set={"plan": dice.choice(["free", "pro"])})
        for number in range(dice.randrange(5, 40)):
            at = min(at + dice.randrange(4 * 3_600_000), now_ms)
            properties = {"$pathname": dice.choice(["/", "/pricing"]), "total": dice.choice([1, 2.5, "3", None])}
            ids = {"anonymous_id": device, "user_id": user, "session_id": f"s_{person}_{number // 5}"}
            add(dice.choice(EVENTS), at, properties=properties, context={"os": {"name": "Linux"}}, **ids)
    for person in range(0, 10, 2):
        add("$alias", now_ms - 1_000, user_id=f"u_{person}", alias=f"u_{person + 1}")
    add("$erase", now_ms, anonymous_id="d_39", user_id="u_39")
    return events


def ask(url: str, body: bytes | None = None, key: str = "") -> dict:
    request = urllib.request.Request(url, body, {"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main() -> None:
    url, key = sys.argv[1], os.environ["TRAILMARK_WRITE_KEY"]
    events = history(int(time.time() * 1000))
    counters = {"captured": len(events) + 3, "dropped": {"too_large": 1}}
    for start in range(0, len(events), 500):
        batch = {"install_id": "install-1", "batch": events[start : start + 500], "counters": counters}
        receipt = ask(f"{url}/v1/batch", json.dumps(batch).encode(), key)
        assert receipt["results"] == [], receipt
    until = time.monotonic() + PATIENCE_S
    while ask(f"{url}/readyz")["writer"]["stored"] < len(events):
        assert time.monotonic() < until, "the events are not stored"
        time.sleep(0.05)
    aliases = [event["id"] for event in events if event["event"] == "$alias"]
    print(json.dumps({"events": len(events), "aliases": aliases}))


if __name__ == "__main__":
    main()
