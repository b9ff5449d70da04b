"""The process around the client: its signals, and its end."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import DEAD, DEADLINE_SECONDS, KEY, Case
from trailmark import Trailmark

#: How often an end with threads in the middle of everything is tried.
ENDS = 30


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program with the installed package."""
    source = textwrap.dedent(PRELUDE) + textwrap.dedent(program)
    command = [sys.executable, "-X", "faulthandler", "-c", source, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE_SECONDS * 3, cwd=Path(__file__).parent
    )


PRELUDE = """
    import asyncio, os, signal, sys, threading, time
    # A shell that runs the tests in the background ignores Ctrl-C, and so would they.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from trailmark import Trailmark
    url = sys.argv[1]
"""


class Signals(Case):
    def test_no_signal_handler_is_touched(self) -> None:
        program = """
            def caught():
                return [line for line in open("/proc/self/status") if line.startswith(("SigCgt", "SigIgn", "SigBlk"))]
            # With its first thread, whoever starts it, the C library catches a signal of its own.
            threading.Thread(target=int).start()
            before = caught()
            client = Trailmark("tm_pk_x", url, on_notice=lambda notice: None)
            client.track("event")
            client.flush_blocking(1)
            assert caught() == before, (before, caught())
            client.shutdown(0)
            assert caught() == before
        """
        # `-X faulthandler` installs handlers of its own: they must stay as well.
        self.assertEqual(ended(run(program, DEAD)), (0, ""))

    def test_ctrl_c_is_still_a_keyboard_interrupt_also_while_a_flush_blocks(self) -> None:
        program = """
            client = Trailmark("tm_pk_x", url)
            client.track("stuck")
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                client.flush_blocking(0.3)
                time.sleep(60)
            except KeyboardInterrupt:
                client.shutdown(0)
                print("interrupted")
        """
        peer = self.peer()
        peer.gate.clear()
        self.assertEqual(run(program, peer.url).stdout, "interrupted\n")

    def test_ctrl_c_ends_a_capturing_loop(self) -> None:
        program = """
            client = Trailmark("tm_pk_x", url, before_send=lambda event: event, on_notice=lambda notice: None)
            try:
                threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
                while True:
                    client.track("")
            except KeyboardInterrupt:
                print("interrupted")
        """
        for _ in range(10):
            done = run(program, DEAD)
            self.assertEqual(done.stdout, "interrupted\n", done.stderr)


class Ends(Case):
    def test_what_is_queued_when_the_interpreter_ends_is_delivered(self) -> None:
        program = """
            client = Trailmark("tm_pk_x", url)
            for n in range(1_000):
                client.track("at the end", {"n": n})
        """
        peer = self.peer()
        self.assertEqual(ended(run(program, peer.url)), (0, ""))
        self.assertEqual([event["properties"]["n"] for event in peer.named("at the end")], list(range(1_000)))

    def test_what_is_queued_is_delivered_after_an_error_and_after_sys_exit_as_well(self) -> None:
        peer = self.peer()
        for end, status in (("raise ValueError('on purpose')", 1), ("sys.exit(3)", 3)):
            program = f"""
                Trailmark("tm_pk_x", url).track("before the end")
                {end}
            """
            self.assertEqual(run(program, peer.url).returncode, status)
        self.assertEqual(len(peer.named("before the end")), 2)

    def test_what_is_lost_at_the_end_is_told(self) -> None:
        program = """
            client = Trailmark("tm_pk_x", url)
            client.track("lost")
        """
        told = "the process ends before 1 events could be delivered: they are lost\n"
        self.assertEqual(ended(run(program, DEAD)), (0, told))

    def test_the_end_waits_for_a_peer_that_does_not_answer_no_longer_than_two_seconds(self) -> None:
        program = """
            client = Trailmark("tm_pk_x", url)
            client.track("stuck")
            begun = time.monotonic()
            from trailmark._process import PROCESS
            PROCESS.end()
            print(time.monotonic() - begun)
        """
        peer = self.peer()
        peer.gate.clear()
        self.assertTrue(1.9 < float(run(program, peer.url).stdout) < 5.0)

    def test_a_client_whose_server_is_gone_leaves_time_for_the_others(self) -> None:
        program = """
            Trailmark("tm_pk_x", url, on_notice=len).track("delivered")
            stuck = Trailmark("tm_pk_x", sys.argv[2])
            stuck.track("stuck")
        """
        peer, gone = self.peer(), self.peer()
        gone.gate.clear()
        self.assertEqual(run(program, peer.url, gone.url).returncode, 0)
        self.assertEqual(len(peer.named("delivered")), 1)

    def test_threads_in_the_middle_of_everything_do_not_crash_the_end(self) -> None:
        """Thirty times: daemon threads that capture, are asked, are told, and flush, while the interpreter ends."""
        program = """
            import random
            def ask(event):
                event.properties["asked"] = True
                return event
            client = Trailmark("tm_pk_x", url, before_send=ask, on_notice=lambda notice: len(notice.text))
            def capture():
                while True:
                    client.track("until the end", {"thread": threading.get_ident()})
                    client.track("")
            def flush():
                while True:
                    client.flush_blocking(1)
            async def flushes():
                while True:
                    await asyncio.gather(*(client.flush() for _ in range(10)))
            for work in [capture] * 6 + [flush] + [lambda: asyncio.run(flushes())]:
                threading.Thread(target=work, daemon=True).start()
            time.sleep(random.random() / 5)
        """
        peer = self.peer()
        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(lambda _: ended(run(program, peer.url)), range(ENDS)))
        self.assertEqual(ends, [(0, "")] * ENDS)

    def test_threads_that_go_on_after_a_shutdown_do_not_crash_the_end(self) -> None:
        program = """
            client = Trailmark("tm_pk_x", url, on_notice=lambda notice: len(notice.text))
            def capture():
                while True:
                    client.track("too late")
            for _ in range(4):
                threading.Thread(target=capture, daemon=True).start()
            client.shutdown(1)
        """
        peer = self.peer()
        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(lambda _: ended(run(program, peer.url)), range(ENDS)))
        self.assertEqual(ends, [(0, "")] * ENDS)

    def test_clients_that_nobody_holds_any_more_still_deliver(self) -> None:
        program = """
            def forget(n):
                Trailmark("tm_pk_x", url).track("forgotten", {"n": n})
            for n in range(5):
                forget(n)
        """
        peer = self.peer()
        self.assertEqual(ended(run(program, peer.url)), (0, ""))
        self.assertEqual(sorted(event["properties"]["n"] for event in peer.events), [0, 1, 2, 3, 4])

    def test_what_a_multiprocessing_child_has_queued_is_delivered_when_it_ends(self) -> None:
        peer = self.peer()
        for way in ("fork", "forkserver", "spawn"):
            child = multiprocessing.get_context(way).Process(target=capture_in_a_child, args=(peer.url,))
            child.start()
            child.join(DEADLINE_SECONDS)
            self.assertEqual(child.exitcode, 0)
        self.assertEqual(len(peer.named("of a child")), 3)


def capture_in_a_child(url: str) -> None:
    Trailmark(KEY, url).track("of a child")


def ended(process: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return process.returncode, process.stderr
