"""The conformance vectors, through the functions that apps call."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import vectors
from support import DEAD
from trailmark import Trailmark, _ffi
from trailmark._json import Raw, encode
from trailmark._time import Micros
from vectors import Step, compact

#: Files that cannot be run from Python: none.
SKIPPED: list[str] = []

#: Files with a number that Python writes in another form (1e21 is 1e+21): its properties are handed in as text.
AS_TEXT = ["numbers"]

#: How datetime.min is counted from 1970: what comes before has no datetime.
YEAR_0 = "0000-01-01T00:00:00Z"
YEAR_0_MICROS = -62_167_219_200_000_000

OBJECTS = ["properties", "set", "set_once", "context"]


class Conformance(unittest.TestCase):
    def test_every_file_has_the_outcomes_that_it_says(self) -> None:
        steps = 0
        for file in vectors.files():
            with self.subTest(file.name):
                device = _ffi.VectorDevice(file.text)
                client = Trailmark._over(device.client())
                for step in file.steps:
                    self.take(device, client, step, as_text=file.name in AS_TEXT)
                    steps += 1
        self.assertGreater(steps, 500)
        print(f"{len(vectors.files())} files, {steps} steps, skipped: {SKIPPED or 'none'}")

    def take(self, device: Any, client: Trailmark, step: Step, as_text: bool) -> None:
        call = CALLS.get(step.verb)
        if call is None:
            outcome = device.step(step.text)
            self.assertEqual(outcome and compact(outcome), step.expect and compact(step.expect), step.text[:200])
            self.compare(client, step)
            return
        if step.at is not None:
            device.set_clock(step.at)
        call(client, arguments(step, as_text))

    def compare(self, client: Trailmark, step: Step) -> None:
        """What the client says itself."""
        if step.verb == "stats":
            expected = json.loads(step.expect or "")
            stats = client.stats()
            self.assertEqual({name: getattr(stats, name) for name in expected}, expected)
        if step.verb == "identity":
            expected = json.loads(step.expect or "")
            expected.pop("session_seq")
            self.assertEqual({name: getattr(client, name) for name in expected}, expected)


def arguments(step: Step, as_text: bool) -> dict[str, Any]:
    """The arguments as an app has them. Properties that are no object, or that Python writes otherwise, as text."""
    given = dict(step.arguments)
    for name in OBJECTS:
        if name in given and given[name] is not None and (as_text or not isinstance(given[name], dict)):
            given[name] = Raw(compact(step.written[name]))
    return given


def capture(client: Trailmark, given: dict[str, Any]) -> None:
    if "timestamp" in given:
        given["timestamp"] = moment(given["timestamp"])
    if "id" in given:
        given["id"] = UUID(given["id"])
    client.capture(given.pop("name", "$alias"), **given)


def moment(text: str) -> Any:
    if text == YEAR_0:
        return Micros(YEAR_0_MICROS)
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def capture_exception(client: Trailmark, given: dict[str, Any]) -> None:
    """The errors of other languages are not to be had in Python: they are handed to what hands on those of Python."""
    thrown = [thrown_of(one) for one in given.get("thrown", [])]
    exception = _ffi.CapturedException(
        thrown=thrown,
        handled=given.get("handled", False),
        level=_ffi.Level[given.get("level", "error").upper()],
        fingerprint=given.get("fingerprint"),
    )
    client._do(lambda native: native.capture_exception(exception, encode(given.get("properties"))))


def thrown_of(given: dict[str, Any]) -> Any:
    frames = [_ffi.Frame(**frame) for frame in given.get("frames", [])]
    return _ffi.Thrown(kind=given.get("kind", ""), text=given.get("message", ""), frames=frames)


def capture_request(client: Trailmark, given: dict[str, Any]) -> None:
    client.capture_request(given.pop("method", ""), given.pop("url", ""), **given)


#: The calls of an app, and how they are made.
CALLS: dict[str, Callable[[Trailmark, dict[str, Any]], None]] = {
    "track": lambda client, given: client.track(**given),
    "screen": lambda client, given: client.screen(**given),
    "capture": capture,
    "capture_exception": capture_exception,
    "capture_request": capture_request,
    "app_opened": lambda client, given: client.app_opened(given.pop("name"), **given),
    "app_backgrounded": lambda client, given: client.app_backgrounded(**given),
    "identify": lambda client, given: client.identify(**given),
    "set": lambda client, given: client.set_person_properties(**given),
    "alias": lambda client, given: client.alias(**given),
    "group": lambda client, given: client.group(**given),
    "register": lambda client, given: client.register(**given),
    "register_once": lambda client, given: client.register_once(**given),
    "unregister": lambda client, given: client.unregister(**given),
    "set_context": lambda client, given: client.set_context(**given),
    "reset": lambda client, given: client.reset(),
    "opt_out": lambda client, given: client.opt_out(),
    "opt_in": lambda client, given: client.opt_in(),
    "delete_my_data": lambda client, given: client.delete_my_data(),
}


class Border(unittest.TestCase):
    def test_a_panic_is_counted_and_the_process_and_the_client_live_on(self) -> None:
        device = _ffi.VectorDevice(next(file.text for file in vectors.files() if file.name == "track"))
        client = Trailmark._over(device.client())
        device.panic_inside()
        client.track("after")
        self.assertEqual((client.stats().panics, client.stats().captured), (1, 1))

    def test_a_key_that_is_none_is_a_typed_error_of_the_native_layer(self) -> None:
        with self.assertRaises(_ffi.ConfigError.Setting):
            _ffi.Client.open(_ffi.Config(url=DEAD, write_key="nonsense"))

    def test_the_library_is_the_one_that_the_generated_layer_was_made_from(self) -> None:
        _ffi._uniffi_check_api_checksums(_ffi._UniffiLib)
