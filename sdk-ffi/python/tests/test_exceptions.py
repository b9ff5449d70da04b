"""Errors of the app, as they arrive."""

from __future__ import annotations

import json
from typing import Any

from support import DEADLINE_SECONDS, Case, Peer
from trailmark import Trailmark


class Cart:
    def checkout(self) -> None:
        try:
            json.loads("no json")
        except ValueError as error:
            raise RuntimeError("no card") from error


class Exceptions(Case):
    def setUp(self) -> None:
        self.server: Peer = self.peer()
        self.trailmark: Trailmark = self.client(self.server.url)

    def captured(self) -> dict[str, Any]:
        self.trailmark.flush_blocking(DEADLINE_SECONDS)
        properties: dict[str, Any] = self.server.named("$exception")[-1]["properties"]
        return properties

    def test_the_error_that_is_being_handled_arrives_with_its_cause_the_innermost_frame_first(self) -> None:
        try:
            Cart().checkout()
        except RuntimeError:
            self.trailmark.capture_exception(level="fatal", handled=False, fingerprint="cards", properties={"order": 7})
        properties = self.captured()
        outer, cause = properties["$exception_list"]
        self.assertEqual((outer["type"], outer["value"]), ("RuntimeError", "no card"))
        self.assertEqual(cause["type"], "json.decoder.JSONDecodeError")
        self.assertEqual(outer["mechanism"], {"handled": False})
        self.assertEqual((properties["$exception_level"], properties["$exception_fingerprint"]), ("fatal", "cards"))
        self.assertEqual(properties["order"], 7)
        checkout, test = outer["stacktrace"]["frames"]
        self.assertRegex(checkout["function"], "checkout$")
        self.assertRegex(test["function"], "test_the_error")
        self.assertEqual((checkout["filename"], checkout["in_app"]), (__file__, True))
        self.assertEqual(checkout["lineno"], Cart.checkout.__code__.co_firstlineno + 4)
        self.assertRegex(cause["stacktrace"]["frames"][0]["function"], "raw_decode$")
        self.assertEqual(cause["stacktrace"]["frames"][0]["in_app"], False)
        self.assertEqual(cause["stacktrace"]["frames"][-1]["in_app"], True)

    def test_what_was_being_handled_is_a_cause_unless_it_is_suppressed(self) -> None:
        for suppress, kinds in ((False, ["KeyError", "ValueError"]), (True, ["KeyError"])):
            try:
                try:
                    raise ValueError("first")
                except ValueError:
                    error = KeyError("second")
                    error.__suppress_context__ = suppress
                    raise error  # noqa: B904 - it is about the context
            except KeyError as met:
                self.trailmark.capture_exception(met)
            self.assertEqual([one["type"] for one in self.captured()["$exception_list"]], kinds)

    def test_causes_that_go_round_and_stacks_that_are_deep_come_to_an_end(self) -> None:
        def deeper() -> None:
            deeper()

        try:
            deeper()
        except RecursionError as error:
            error.__cause__ = ValueError("round")
            error.__cause__.__cause__ = error
            self.trailmark.capture_exception(error)
        first, second = self.captured()["$exception_list"]
        self.assertRegex(first["stacktrace"]["frames"][0]["function"], "deeper$")
        self.assertEqual(second["value"], "round")

    def test_what_is_no_exception_is_captured_as_it_is(self) -> None:
        self.trailmark.capture_exception("broken")  # type: ignore[arg-type]
        (only,) = self.captured()["$exception_list"]
        self.assertEqual((only["type"], only["value"], only["stacktrace"]), ("str", "broken", {"frames": []}))

    def test_without_an_error_nothing_is_captured_and_the_log_says_so(self) -> None:
        with self.assertLogs("trailmark", "WARNING"):
            self.trailmark.capture_exception()
        self.assertEqual(self.trailmark.stats().captured, 0)

    def test_an_error_that_cannot_say_anything_is_captured_by_its_name(self) -> None:
        class Mute(Exception):
            def __str__(self) -> str:
                raise ValueError("on purpose")

        self.trailmark.capture_exception(Mute())
        self.assertEqual(self.captured()["$exception_list"][0]["value"], "<Mute>")
