"""Progress of long work: shown after a second, on a terminal only."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from regtui.cli.settings import SETTINGS

PATIENCE = 1.0
"""Seconds before anything is shown."""


class Progress:
    """Counts bytes and shows them; a context manager whose instance is the callback.

    Args:
        label: What is being done.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._done = 0
        self._shown = sys.stderr.isatty() and not SETTINGS.quiet and not SETTINGS.json
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, size: int) -> None:
        """Count bytes that are done."""
        self._done += size
        if not self._shown or time.monotonic() - self._started < PATIENCE:
            return
        if self._bar is None:
            self._start()
        self._bar.update(self._task, completed=self._done)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import DownloadColumn, SpinnerColumn, TextColumn, TransferSpeedColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True, no_color=not SETTINGS.color)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn())
        self._bar = Bar(*columns, TransferSpeedColumn(), console=console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(self._label, total=None)
