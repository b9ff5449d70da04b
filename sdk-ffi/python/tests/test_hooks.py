"""Calls from the library into the app."""

from __future__ import annotations

import threading
from typing import Any, Optional

from support import DEADLINE_SECONDS, Case
from trailmark import Event, Notice


class BeforeSend(Case):
    def test_it_may_change_everything_and_what_it_leaves_alone_goes_on_to_the_byte(self) -> None:
        def change(event: Event) -> Event:
            if event.name == "changed":
                event.name = "renamed"
                event.properties["added"] = True
                event.set = {"plan": "pro"}
                event.set_once = {"first": 1}
            return event

        peer = self.peer()
        client = self.client(peer.url, before_send=change)
        client.track("changed", {"kept": 1.0})
        client.track("untouched", {"kept": 1.0})
        client.capture("changed", user_id="u_1")
        client.flush_blocking(DEADLINE_SECONDS)
        changed, untouched, captured = peer.events
        self.assertEqual((changed["event"], changed["properties"]), ("renamed", {"kept": 1.0, "added": True}))
        self.assertEqual(untouched["properties"], {"kept": 1.0})
        self.assertEqual((captured["set"], captured["set_once"]), ({"plan": "pro"}, {"first": 1}))

    def test_none_drops_the_event_which_is_counted(self) -> None:
        client = self.client(before_send=lambda event: None)
        client.track("dropped")
        self.assertEqual(client.stats().dropped, {"before_send": 1})

    def test_if_it_raises_or_returns_nonsense_the_event_stays_as_it_was_which_is_counted(self) -> None:
        def fail(event: Event) -> Any:
            event.properties["half"] = "done"
            if event.name == "raised":
                raise ValueError("on purpose")
            return True

        peer = self.peer()
        client = self.client(peer.url, before_send=fail)
        client.track("raised", {"whole": 1})
        client.track("nonsense", {"whole": 1})
        client.flush_blocking(DEADLINE_SECONDS)
        self.assertEqual([event["properties"] for event in peer.events], [{"whole": 1}] * 2)
        self.assertEqual(client.stats().hook_panics, 2)

    def test_properties_that_it_makes_unwritable_cost_the_event(self) -> None:
        def spoil(event: Event) -> Event:
            event.properties = [1]  # type: ignore[assignment]
            return event

        client = self.client(before_send=spoil)
        client.track("spoiled")
        self.assertEqual(client.stats().dropped, {"invalid_event": 1})

    def test_ctrl_c_and_exit_within_it_go_on_in_the_thread_that_captured(self) -> None:
        def end(event: Event) -> Event:
            raise KeyboardInterrupt if event.name == "ctrl-c" else SystemExit

        for name, interrupt in (("ctrl-c", KeyboardInterrupt), ("exit", SystemExit)):
            client = self.client(before_send=end)
            with self.assertRaises(interrupt):
                client.track(name)
            self.assertEqual((client.stats().captured, client.stats().hook_panics), (1, 1))

    def test_it_may_capture_itself(self) -> None:
        def more(event: Event) -> Event:
            if event.name == "one":
                client.track("two")
            return event

        client = self.client(before_send=more)
        client.track("one")
        self.assertEqual(client.stats().captured, 2)

    def test_sixteen_threads_call_it_at_once(self) -> None:
        def mark(event: Event) -> Event:
            event.properties["thread"] = threading.get_ident()
            return event

        client = self.client(before_send=mark)
        threads = [threading.Thread(target=lambda: [client.track("marked") for _ in range(100)]) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((client.stats().captured, client.stats().hook_panics), (1_600, 0))


class OnNotice(Case):
    def test_it_is_told_what_was_dropped(self) -> None:
        told: list[Notice] = []
        client = self.client(on_notice=told.append)
        client.track("")
        self.assertEqual([(notice.kind, notice.detail) for notice in told], [("dropped", "missing_name")])
        self.assertEqual(str(told[0]), "an event was dropped: missing_name")
        self.assertEqual(client.take_notices(), [])

    def test_without_it_the_log_is_told(self) -> None:
        client = self.client(on_notice=None)
        with self.assertLogs("trailmark", "WARNING") as logged:
            client.track("")
        self.assertEqual(logged.output, ["WARNING:trailmark:an event was dropped: missing_name"])

    def test_one_that_raises_harms_nobody(self) -> None:
        def fail(notice: Notice) -> None:
            raise ValueError("on purpose")

        client = self.client(on_notice=fail)
        client.track("")
        client.track("after")
        self.assertEqual((client.stats().captured, client.stats().queued), (2, 1))

    def test_ctrl_c_within_it_goes_on(self) -> None:
        def interrupt(notice: Notice) -> None:
            raise KeyboardInterrupt

        client = self.client(on_notice=interrupt)
        with self.assertRaises(KeyboardInterrupt):
            client.track("")

    def test_one_that_causes_what_it_is_told_of_comes_to_an_end(self) -> None:
        client = self.client(on_notice=lambda notice: client.track(""))
        client.track("")
        self.assertEqual(client.stats().captured, 2)

    def test_it_is_told_by_the_librarys_own_thread(self) -> None:
        told = threading.Event()
        threads: list[Optional[int]] = []

        def tell(notice: Notice) -> None:
            if notice.kind == "key_refused":
                threads.append(threading.get_ident())
                told.set()

        peer = self.peer()
        peer.status = 401
        client = self.client(peer.url, on_notice=tell, flush_at=1)
        client.track("refused")
        self.assertTrue(told.wait(DEADLINE_SECONDS))
        self.assertNotEqual(threads, [threading.get_ident()])
        self.assertTrue(client.stats().paused)
