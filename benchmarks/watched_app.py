"""The app with a heartbeat that writes down the longest time for which nothing else could run.

Usage: python watched_app.py FILE. FILE then holds seconds, anew whenever they grow. Whatever keeps
the event loop from its next turn keeps a key from being seen; starting is not counted.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from regtui.registry import open_registry
from regtui.tui.app import RegtuiApp

BEAT = 0.005
"""Seconds between two beats."""


class WatchedApp(RegtuiApp):
    """Tells the longest block of its event loop."""

    def on_mount(self) -> None:
        """Begin to beat, beside what every app does."""
        self.run_worker(self._beat(Path(sys.argv[1])), name="heartbeat")

    async def _beat(self, file: Path) -> None:
        await asyncio.sleep(1)
        longest, last = 0.0, time.perf_counter()
        while True:
            await asyncio.sleep(BEAT)
            now = time.perf_counter()
            longest, last, before = max(longest, now - last - BEAT), now, longest
            if longest > before:
                file.write_text(f"{longest}", encoding="ascii")  # noqa: ASYNC240 -- a few bytes


if __name__ == "__main__":
    WatchedApp(open_registry(os.environ["REGTUI_HOME"], via="app")).run()
