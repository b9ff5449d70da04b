"""What the functions of the client do, seen by a peer."""

from __future__ import annotations

import copy
import pickle
import tempfile
import uuid
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from pathlib import Path

from support import DEAD, DEADLINE_SECONDS, KEY, Case
from trailmark import (
    ConfigError,
    DirectoryInUseError,
    FlushReport,
    SettingError,
    Stats,
    Trailmark,
    TransportError,
    UrlError,
)


class Settings(Case):
    def test_each_wrong_setting_is_its_own_error_and_says_what_is_wrong(self) -> None:
        wrong = [
            (UrlError, {"url": "nonsense"}, "address"),
            (SettingError, {"write_key": "tm_sk_secret"}, "whoever has the app can read it"),
            (SettingError, {"write_key": None}, "tm_pk_"),
            (SettingError, {"anonymous_id": "null"}, "junk"),
            (SettingError, {"flush_at": "many"}, "str"),
            (SettingError, {"flush_at": -1}, "-1|requires"),
            (SettingError, {"flush_interval": "soon"}, "soon"),
            (SettingError, {"durability": "sometimes"}, "sometimes"),
            (SettingError, {"backoff": 1}, "int"),
            (SettingError, {"directory": 7}, "int"),
            (SettingError, {"directory": "\ud800"}, "surrogate"),
            (TransportError, {"url": "https://127.0.0.1:9", "extra_root_pem": "no certificate"}, "certificates"),
        ]
        for kind, settings, said in wrong:
            with self.subTest(settings), self.assertRaisesRegex(kind, said):
                self.client(**{"url": DEAD, **settings})
            self.assertTrue(issubclass(kind, ConfigError))

    def test_every_setting_arrives(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            client = self.client(
                directory=Path(directory) / "analytics",
                durability=timedelta(seconds=2),
                join=True,
                context={"app": {"name": "Shop"}},
                anonymous_id="device-9",
                install_id="install-9",
                flush_at=50,
                flush_interval=5,
                max_batch_events=100,
                max_queue_events=10,
                max_queue_bytes=1_000_000,
                max_age=timedelta(days=1),
                session_idle=600,
                session_max=3_600.0,
                backoff=(0.5, timedelta(minutes=1)),
                request_timeout=3,
                proxy="http://127.0.0.1:9",
            )
            for _ in range(11):
                client.track("counted")
            self.assertEqual((client.anonymous_id, client.install_id), ("device-9", "install-9"))
            self.assertEqual(client.stats().dropped, {"queue_full": 1})
            self.assertEqual(client.stats().storage, "saved")
            client.shutdown(0)

    def test_a_directory_belongs_to_one_client_unless_it_is_joined(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            first = self.client(directory=directory, join=True)
            with self.assertRaises(DirectoryInUseError):
                Trailmark(KEY, DEAD, directory=directory)
            self.assertEqual(self.client(directory=directory, join=True).install_id, first.install_id)
            first.shutdown(0)

    def test_what_was_captured_waits_in_the_directory_for_the_next_client(self) -> None:
        peer = self.peer()
        with tempfile.TemporaryDirectory() as directory:
            first = self.client(directory=directory, durability="every_event")
            first.identify("u_7")
            first.track("kept")
            self.assertEqual(first.shutdown(0).pending, 2)
            second = self.client(peer.url, directory=directory, durability="process")
            self.assertEqual(second.user_id, "u_7")
            self.assertEqual(second.flush_blocking(DEADLINE_SECONDS).delivered, 2)
            second.shutdown(0)

    def test_a_directory_that_cannot_be_written_is_told_and_no_error(self) -> None:
        client = self.client(directory="/proc/nowhere")
        client.track("in memory")
        self.assertRegex(client.stats().storage, "^failing: .+")


class Calls(Case):
    def test_every_call_of_a_device_arrives(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        client.app_opened("1.4.2")
        client.register({"theme": "dark"})
        client.register_once({"theme": "light", "campaign": "spring"})
        client.unregister("campaign")
        client.set_context({"locale": "de-DE"})
        client.screen("Cart", {"items": 2})
        client.track("checkout", {"total": 12.5})
        client.identify("u_7", {"plan": "pro"}, {"source": "ad"})
        client.set_person_properties({"seats": 5}, {"first": True})
        client.alias("ada@example.com")
        client.group("company", "acme", {"seats": 5})
        client.capture_request("GET", "https://example.com/cart?token=1", status=HTTPStatus.OK, duration_ms=12.5)
        client.app_backgrounded()
        self.assertEqual(client.user_id, "u_7")
        client.reset()
        self.assertIsNone(client.user_id)
        self.assertEqual(client.flush_blocking(DEADLINE_SECONDS).pending, 0)
        by_name = {event["event"]: event for event in peer.events}
        self.assertEqual(by_name["checkout"]["properties"], {"theme": "dark", "total": 12.5})
        self.assertEqual(by_name["checkout"]["context"]["locale"], "de-DE")
        self.assertEqual(by_name["$screen"]["properties"]["$screen_name"], "Cart")
        self.assertEqual(
            (by_name["$identify"]["set"], by_name["$identify"]["set_once"]), ({"plan": "pro"}, {"source": "ad"})
        )
        self.assertEqual(by_name["$set"]["set"], {"seats": 5})
        self.assertEqual(by_name["$alias"]["alias"], "ada@example.com")
        self.assertEqual(by_name["$request"]["properties"]["status"], 200)
        self.assertIn("$app_installed", by_name)
        self.assertIn("$app_backgrounded", by_name)

    def test_an_event_of_a_server_says_itself_who_and_when(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        own = uuid.uuid4()
        client.capture(
            "order_paid",
            user_id=7,
            id=own,
            timestamp=datetime(2026, 11, 20, 13, 0, 0, 500, timezone(timedelta(hours=1))),
            properties={"total": 12.5},
            context={"ip": "192.0.2.1"},
            set={"plan": "pro"},
            set_once={"first": 1},
            session_id="s1",
        )
        client.capture("now", anonymous_id=own)
        client.flush_blocking(DEADLINE_SECONDS)
        paid, now = peer.events
        self.assertEqual(
            (paid["id"], paid["user_id"], paid["timestamp"]), (str(own), "7", "2026-11-20T12:00:00.000500Z")
        )
        self.assertEqual((paid["session_id"], paid["context"]["ip"]), ("s1", "192.0.2.1"))
        self.assertNotIn("anonymous_id", paid)
        self.assertEqual(now["anonymous_id"], str(own))

    def test_a_timestamp_that_is_none_costs_its_event_and_is_counted(self) -> None:
        client = self.client()
        for junk in ("yesterday", 1_763_600_000, datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))):
            client.capture("junk", user_id="u_1", timestamp=junk)  # type: ignore[arg-type]
        self.assertEqual(client.stats().dropped, {"invalid_timestamp": 3})

    def test_opting_out_and_deleting_are_obeyed(self) -> None:
        client = self.client()
        client.track("before")
        client.opt_out()
        client.track("ignored")
        self.assertTrue(client.is_opted_out)
        self.assertEqual((client.stats().ignored, client.stats().dropped), (1, {"opted_out": 1}))
        client.opt_in()
        self.assertFalse(client.is_opted_out)
        client.delete_my_data()
        self.assertEqual(client.stats().queued, 1)

    def test_the_session_is_known_after_an_event(self) -> None:
        client = self.client()
        self.assertIsNone(client.session_id)
        client.track("first")
        self.assertIsNotNone(client.session_id)

    def test_a_copy_is_the_same_client_and_there_is_no_pickle_of_it(self) -> None:
        client = self.client()
        self.assertIs(copy.deepcopy({"analytics": [client]})["analytics"][0], client)
        self.assertIs(copy.copy(client), client)
        for part in (client, client._native, client._native.client()):
            with self.assertRaises((TypeError, pickle.PicklingError, AttributeError)):
                pickle.dumps(part)
        with self.assertRaises(TypeError):
            copy.copy(client._native.client())

    def test_reports_compare_and_print(self) -> None:
        self.assertEqual(FlushReport(), FlushReport(0, {}, 0))
        self.assertIn("captured=0", str(Stats()))
