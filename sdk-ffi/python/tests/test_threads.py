"""Many threads, many flushes, and the end in the middle of them."""

from __future__ import annotations

import asyncio
import threading
import time
import unittest

from support import DEADLINE_SECONDS, Case, native_threads
from trailmark import FlushReport, Trailmark

THREADS, EACH = 16, 500


class Threads(Case):
    def test_sixteen_threads_capture_into_one_client_and_nothing_is_lost_or_doubled(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)

        def work(thread: int) -> None:
            for n in range(EACH):
                client.track("worked", {"thread": thread, "n": n})

        hammer(work)
        self.assertEqual(client.flush_blocking(DEADLINE_SECONDS).pending, 0)
        got = sorted((event["properties"]["thread"], event["properties"]["n"]) for event in peer.named("worked"))
        self.assertEqual(got, [(thread, n) for thread in range(THREADS) for n in range(EACH)])
        self.assertEqual(peer.sdks, {"trailmark-python/0.1.0"})

    def test_a_shutdown_while_sixteen_threads_capture_accounts_for_every_event(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        begun = threading.Barrier(THREADS + 1)

        def work(thread: int) -> None:
            begun.wait()
            for _ in range(EACH):
                client.track("worked")

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        begun.wait()
        client.shutdown(DEADLINE_SECONDS)
        for thread in threads:
            thread.join()
        stats = client.stats()
        self.assertEqual(stats.captured, THREADS * EACH)
        self.assertEqual(stats.captured, stats.delivered + sum(stats.dropped.values()) + stats.queued)
        self.assertEqual(stats.delivered, len(peer.events))


class Flushes(Case):
    def test_two_hundred_flushes_at_once_all_report(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)

        async def flush(n: int) -> FlushReport:
            client.track("flushed", {"n": n})
            return await client.flush()

        async def all_of_them() -> list[FlushReport]:
            return list(await asyncio.gather(*(flush(n) for n in range(200))))

        reports = asyncio.run(all_of_them())
        self.assertEqual([report.pending for report in reports if report.pending], [])
        self.assertEqual(len(peer.named("flushed")), 200)

    def test_a_flush_that_is_cancelled_harms_nobody_and_the_events_arrive(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        peer.gate.clear()

        async def cancel() -> FlushReport:
            client.track("kept")
            flushes = [asyncio.create_task(client.flush()) for _ in range(50)]
            await asyncio.to_thread(peer.asked.wait, DEADLINE_SECONDS)
            for flush in flushes:
                flush.cancel()
            ended = await asyncio.gather(*flushes, return_exceptions=True)
            self.assertTrue(all(isinstance(end, asyncio.CancelledError) for end in ended))
            peer.gate.set()
            return await client.flush()

        self.assertEqual(asyncio.run(cancel()).pending, 0)
        self.assertEqual(len(peer.named("kept")), 1)

    def test_the_event_loop_goes_on_while_a_slow_peer_is_flushed(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        peer.gate.clear()

        async def ticks_meanwhile() -> tuple[int, float]:
            client.track("slow")
            flush = asyncio.create_task(client.flush())
            ticks, longest, last = 0, 0.0, time.monotonic()
            while not flush.done():
                await asyncio.sleep(0.001)
                now = time.monotonic()
                ticks, longest, last = ticks + 1, max(longest, now - last), now
                if ticks == 200:
                    peer.gate.set()
            self.assertEqual((await flush).delivered, 1)
            return ticks, longest

        ticks, longest = asyncio.run(ticks_meanwhile())
        self.assertGreaterEqual(ticks, 200)
        # A loop that waits for the peer would stand still until the gate opens, which it never would.
        self.assertLess(longest, DEADLINE_SECONDS / 4)

    def test_a_loop_that_ends_with_a_flush_under_way_leaves_no_noise_and_no_waiter(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        peer.gate.clear()

        async def leave() -> None:
            client.track("left")
            asyncio.get_running_loop().create_task(client.flush())
            await asyncio.to_thread(peer.asked.wait, DEADLINE_SECONDS)

        asyncio.run(leave())
        peer.gate.set()
        self.assertEqual(client.flush_blocking(DEADLINE_SECONDS).pending, 0)

    def test_flushes_of_several_loops_in_several_threads_do_not_meet(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        reports: list[FlushReport] = []

        def work(thread: int) -> None:
            client.track("of a loop", {"thread": thread})
            reports.append(asyncio.run(client.flush()))

        hammer(work)
        self.assertEqual([report.pending for report in reports], [0] * THREADS)

    def test_ready_waits_for_room(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)

        async def fill() -> None:
            for n in range(1_000):
                await client.ready(100)
                client.capture("imported", user_id="u_1", properties={"n": n})

        asyncio.run(fill())
        self.assertEqual(client.flush_blocking(DEADLINE_SECONDS).pending, 0)
        self.assertEqual(client.stats().dropped, {})


class Shutdowns(Case):
    def test_a_shutdown_while_flushing_ends_both_and_the_rest_is_pending(self) -> None:
        peer = self.peer()
        client = self.client(peer.url)
        peer.gate.clear()

        async def both() -> tuple[FlushReport, FlushReport]:
            client.track("stuck")
            flush = asyncio.create_task(client.flush())
            await asyncio.to_thread(peer.asked.wait, DEADLINE_SECONDS)
            ended = await asyncio.to_thread(client.shutdown, 0.05)
            return await flush, ended

        flushed, ended = asyncio.run(both())
        self.assertEqual((flushed.pending, ended.pending), (1, 1))

    def test_after_a_shutdown_everything_can_still_be_called_and_is_counted(self) -> None:
        client = self.client()
        client.shutdown(0)
        client.track("late")
        client.capture("late", user_id="u_1")
        client.capture_exception(ValueError("late"))
        client.identify("u_1")
        self.assertEqual(client.stats().dropped, {"shut_down": 4})
        self.assertEqual(asyncio.run(client.flush()), FlushReport())
        self.assertEqual(client.flush_blocking(1), FlushReport())
        self.assertEqual(client.shutdown(1), FlushReport())
        asyncio.run(client.ready(1))

    def test_no_thread_is_left_after_a_shutdown(self) -> None:
        before = len(native_threads())
        clients = [self.client() for _ in range(5)]
        self.wait_for(lambda: len(native_threads()) == before + 5)
        for client in clients:
            client.track("queued")
            client.shutdown(0)
        self.wait_for(lambda: len(native_threads()) == before)

    def test_with_delivers_and_shuts_down(self) -> None:
        peer, before = self.peer(), len(native_threads())
        with Trailmark("tm_pk_test", peer.url) as client:
            client.track("within")
        self.assertEqual(len(peer.named("within")), 1)
        self.wait_for(lambda: len(native_threads()) == before)


def hammer(work) -> None:  # type: ignore[no-untyped-def]
    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    unittest.main()
