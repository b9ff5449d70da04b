"""A peer that takes events, and clients that send to it."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import threading
import time
import unittest
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trailmark import Trailmark

#: No test waits longer for anything: 20 s.
DEADLINE_SECONDS = 20.0

#: Nobody listens there.
DEAD = "http://127.0.0.1:9"

KEY = "tm_pk_test"


class Peer:
    """A server that keeps what it is sent. While `gate` is closed it does not answer."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.sdks: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        #: Set whenever a request has come, before the gate.
        self.asked = threading.Event()
        self.status = 202
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in list(self.events) if event["event"] == name]

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(peer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = DEADLINE_SECONDS

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers["content-encoding"] == "gzip":
                    body = gzip.decompress(body)
                peer.asked.set()
                peer.gate.wait(DEADLINE_SECONDS)
                batch = json.loads(body)["batch"]
                if peer.status == 202:
                    peer.events.extend(batch)
                    peer.sdks.add(self.headers["trailmark-sdk"])
                answer = b'{"accepted":%d,"results":[],"next_send_after_ms":0}' % len(batch)
                self.send_response(peer.status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

            def handle(self) -> None:
                # Whoever asked may have been killed.
                with contextlib.suppress(OSError):
                    super().handle()

        return Handler


class Case(unittest.TestCase):
    """A test with clients that are shut down after it."""

    def client(self, url: str = DEAD, **options: Any) -> Trailmark:
        options.setdefault("on_notice", lambda notice: None)
        client = Trailmark(options.pop("write_key", KEY), url, **options)
        self.addCleanup(client.shutdown, 0)
        return client

    def peer(self) -> Peer:
        peer = Peer()
        self.addCleanup(peer.close)
        return peer

    def wait_for(self, what: Callable[[], Any]) -> None:
        wait_for(what)


def wait_for(what: Callable[[], Any]) -> None:
    """Waits for what a thread or a process of another language does, which tells nobody here."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.001)


def native_threads() -> list[str]:
    """The library's threads in this process. They name themselves when they begin, and the system lists them until a
    little after they were joined: wait for what you expect."""
    names = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/comm") as comm:
                names.append(comm.read().strip())
        except FileNotFoundError:
            pass
    return [name for name in names if name.startswith("trailmark")]
