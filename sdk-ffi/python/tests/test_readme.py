"""What the README says, this runs."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

from support import DEADLINE_SECONDS, Case
from trailmark import Trailmark

README = Path(__file__).parents[1] / "README.md"


class Readme(Case):
    def test_every_block_of_python_runs_and_its_events_arrive(self) -> None:
        peer = self.peer()
        blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
        code = "\n".join(blocks).replace("https://analytics.example.com", peer.url).replace("tm_pk_…", "tm_pk_x")
        known: dict[str, object] = {}
        with tempfile.TemporaryDirectory() as directory:
            before = os.getcwd()
            os.chdir(directory)
            try:
                # The program's `with` comes last, or it would shut down what `main` uses.
                server, program = code.split("with Trailmark(")
                exec(server, known)
                asyncio.run(known["main"]())  # type: ignore[operator]
                exec("from trailmark import Trailmark\nwith Trailmark(" + program, known)
            finally:
                os.chdir(before)
        careful = known["careful"]
        assert isinstance(careful, Trailmark)
        self.addCleanup(careful.shutdown, 0)
        careful.track("debug_noise")
        careful.track("careful", {"token": "secret", "kept": 1})
        careful.flush_blocking(DEADLINE_SECONDS)
        names = [event["event"] for event in peer.events]
        for name in ("order_paid", "$exception", "report_sent", "$screen", "checkout", "$identify", "careful"):
            self.assertIn(name, names)
        self.assertNotIn("debug_noise", names)
        self.assertEqual(peer.named("careful")[0]["properties"], {"kept": 1})
