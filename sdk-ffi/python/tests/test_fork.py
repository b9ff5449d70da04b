"""Forks: the child never touches what it inherited, and has a client of its own."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import traceback
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from support import DEAD, DEADLINE_SECONDS, KEY, Case, native_threads
from trailmark import Trailmark, _ffi
from trailmark._process import PROCESS

#: Threads that are in the middle of everything when the process is forked.
HAMMERING = 8


class Forks(Case):
    def test_children_deliver_while_eight_threads_of_the_parent_go_on(self) -> None:
        """The locks of the inherited client are held by threads that no child has."""
        peer = self.peer()
        with tempfile.TemporaryDirectory() as directory:
            client = self.client(peer.url, directory=directory, before_send=lambda event: event, flush_at=100)

            def work(n: int) -> None:
                client.track("of a child", {"n": n})
                assert client.flush_blocking(DEADLINE_SECONDS).pending == 0
                assert client.stats().storage == "memory"

            with hammered(client) as hammered_events:
                for n in range(20):
                    in_a_fork(functools.partial(work, n))
            self.assertEqual(client.flush_blocking(DEADLINE_SECONDS).pending, 0)
            client.shutdown(DEADLINE_SECONDS)
        self.assertEqual(sorted(event["properties"]["n"] for event in peer.named("of a child")), list(range(20)))
        stats = client.stats()
        self.assertEqual((stats.dropped, stats.delivered), ({}, len(hammered_events)))
        self.assertEqual(len(peer.named("of the parent")), len(hammered_events))
        self.assertEqual(len({event["id"] for event in peer.events}), len(peer.events))

    def test_a_child_is_another_install_and_nobody_yet(self) -> None:
        peer = self.peer()
        client = self.client(peer.url, install_id="install-9", context={"app": "Shop"})
        client.identify("u_7")
        parents = client.install_id

        def work() -> None:
            assert client.install_id != parents
            assert client.user_id is None
            client.capture("of a child", user_id="u_9")
            client.flush_blocking(DEADLINE_SECONDS)

        in_a_fork(work)
        self.assertEqual((client.user_id, client.install_id), ("u_7", parents))
        self.assertEqual(peer.named("of a child")[0]["context"], {"app": "Shop"})

    def test_the_log_of_a_child_says_what_it_has(self) -> None:
        client = self.client()

        def work() -> None:
            with self.assertLogs("trailmark", "WARNING") as logged:
                client.track("one")
                client.track("two")
            assert len(logged.output) == 1 and "in memory" in logged.output[0], logged.output

        in_a_fork(work)

    def test_who_has_opted_out_stays_so_in_a_child(self) -> None:
        client = self.client()
        client.opt_out()

        def work() -> None:
            assert client.is_opted_out
            client.track("ignored")
            assert client.stats().ignored == 1

        in_a_fork(work)

    def test_a_client_that_was_shut_down_stays_so_in_a_child(self) -> None:
        client = self.client()
        client.shutdown(0)

        def work() -> None:
            client.track("late")
            assert client.stats().dropped == {"shut_down": 1}
            assert native_threads() == []

        in_a_fork(work)

    def test_a_child_of_a_child_has_its_own_client_too(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)

        def grandchild() -> None:
            client.track("of a grandchild")
            client.flush_blocking(DEADLINE_SECONDS)

        def child() -> None:
            client.track("of a child")
            in_a_fork(grandchild)
            client.flush_blocking(DEADLINE_SECONDS)

        in_a_fork(child)
        self.assertEqual((len(peer.named("of a child")), len(peer.named("of a grandchild"))), (1, 1))

    def test_a_child_that_drops_what_it_inherited_does_not_free_it(self) -> None:
        freed: list[int] = []
        library, free = _ffi._UniffiLib, _ffi._UniffiLib.uniffi_trailmark_ffi_fn_free_client
        clients = [Trailmark(KEY, DEAD)]
        self.addCleanup(setattr, library, free.__name__, free)
        setattr(library, free.__name__, lambda handle, status: freed.append(handle) or free(handle, status))

        def drop() -> None:
            PROCESS._opened.clear()
            clients.clear()

        def work() -> None:
            drop()
            assert freed == []

        in_a_fork(work)
        clients[0].shutdown(0)
        drop()
        self.assertEqual(len(freed), 1)

    def test_a_child_that_ends_as_a_program_does_delivers_its_own_events_alone(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        client.track("of the parent")

        def work() -> None:
            client.track("of a child")
            PROCESS.end()

        in_a_fork(work)
        self.assertEqual(len(peer.named("of a child")), 1)
        client.flush_blocking(DEADLINE_SECONDS)
        self.assertEqual((client.stats().delivered, len(peer.named("of the parent"))), (1, 1))

    def test_locks_of_the_generated_layer_that_a_thread_held_are_new_in_a_child(self) -> None:
        client = self.client()
        locks = [
            _ffi._UniffiFfiConverterTypeBeforeSend._handle_map._lock,
            _ffi._UniffiFfiConverterTypeOnNotice._handle_map._lock,
            PROCESS.opening,
        ]
        held, ended = threading.Event(), threading.Event()

        def hold() -> None:
            with locks[0], locks[1], locks[2]:
                held.set()
                ended.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        try:
            in_a_fork(lambda: client.track("not stuck"))
        finally:
            ended.set()
            holder.join()

    def test_children_of_multiprocessing_deliver_with_the_inherited_client_as_well(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        children = [
            multiprocessing.get_context("fork").Process(target=lambda n=n: client.track("of a pool", {"n": n}))
            for n in range(4)
        ]
        with hammered(client):
            for child in children:
                child.start()
            for child in children:
                child.join(DEADLINE_SECONDS)
        self.assertEqual([child.exitcode for child in children], [0] * 4)
        self.assertEqual(sorted(event["properties"]["n"] for event in peer.named("of a pool")), [0, 1, 2, 3])


@contextmanager
def hammered(client: Trailmark) -> Iterator[list[None]]:
    """Eight threads capture all the time; what they captured is counted."""
    ended, captured = threading.Event(), list[None]()

    def hammer() -> None:
        while not ended.is_set():
            client.track("of the parent")
            captured.append(None)

    threads = [threading.Thread(target=hammer) for _ in range(HAMMERING)]
    for thread in threads:
        thread.start()
    try:
        yield captured
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def in_a_fork(work: Callable[[], None]) -> None:
    """Runs it in a child, which has to end well and in time."""
    child = os.fork()
    if child == 0:
        status = 1
        logging.getLogger("trailmark").addHandler(logging.NullHandler())
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the child is stuck")
        time.sleep(0.001)
    if status != 0:
        raise AssertionError(f"the child failed: {status}")


if __name__ == "__main__":
    unittest.main()
