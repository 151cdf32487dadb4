"""Working: how far long work is, and the way to stop it."""

import math
from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import ProgressBar, Static

from regtui.registry.figures import size_text
from regtui.tui.jobs import Job

LOOK = 0.1
"""Seconds between two looks at the job."""


class Working(ModalScreen[None]):
    """Shows a job till it is over.

    Args:
        title: What is being done.
        job: The job, which runs.
    """

    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [("escape", "stop", "Stop")]

    def __init__(self, title: str, job: Job[Any]) -> None:
        super().__init__()
        self._title = title
        self._job = job
        self._is_gone = False

    def compose(self) -> ComposeResult:
        """Compose the bar and the figures."""
        with Vertical(classes="prompt") as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "esc stops it"
            yield ProgressBar(total=self._job.total or None, show_eta=False)
            yield Static("", classes="prompt--hint")

    def on_mount(self) -> None:
        """Look at the job from time to time."""
        self.set_interval(LOOK, self._look)
        self._look()

    def action_stop(self) -> None:
        """Stop the job."""
        self._job.stop()
        self._look()

    def _look(self) -> None:
        job = self._job
        if self._is_gone:
            return
        if job.is_over:
            self._is_gone = True
            self.dismiss(None)
            return
        self.query_one(ProgressBar).update(progress=float(job.done))
        self.query_one(".prompt--hint", Static).update(Text(figures(job)))


def figures(job: Job[Any]) -> str:
    """Return how far a job is, in one line."""
    if job.is_stopped:
        return "stopping …"
    if job.total is None and not job.done:
        return "working …"  # on what has no bytes to count
    parts = [size_text(job.done)]
    if job.total is not None:
        parts[0] += f" of {size_text(job.total)}"
    rate = job.rate
    if rate:
        parts.append(f"{size_text(round(rate))}/s")
        if job.total is not None and job.total > job.done:
            parts.append(f"{math.ceil((job.total - job.done) / rate)} s left")
    return " · ".join(parts)
