"""Not run: what an app writes, for mypy to check against the installed package's types."""

from datetime import datetime, timedelta
from typing import Optional
from uuid import UUID

from trailmark import Event, FlushReport, Notice, Trailmark


def before_send(event: Event) -> Optional[Event]:
    event.properties["build"] = "nightly"
    event.set = {"plan": "pro"}
    return event


def on_notice(notice: Notice) -> None:
    print(notice.kind, notice)


client = Trailmark(
    "tm_pk_x",
    "https://analytics.example.com",
    flush_interval=timedelta(seconds=5),
    before_send=before_send,
    on_notice=on_notice,
)
prices: dict[str, float] = {"total": 12.5}
client.track("checkout", prices)
client.capture("paid", user_id=UUID(int=7), timestamp=datetime.now(), properties={"items": ["tea"]})
dropped: int = client.stats().dropped.get("queue_full", 0)


async def flush() -> FlushReport:
    return await client.flush()
