"""Runs of checks as lines for people."""

from typing import TYPE_CHECKING

from regtui.cli.output import table
from regtui.registry.figures import age_text, number_text

if TYPE_CHECKING:
    from regtui.registry.answers_checks import CheckRunAnswer

_FIGURES = 4


def run_line(run: "CheckRunAnswer") -> str:
    """Return how a check of a version ended."""
    notes = [f"{run.outcome:<7}", run.reference, run.check, seconds_text(run.seconds)]
    return "  ".join([*notes, *([figures_text(run)] if run.figures else [])])


def runs_table(runs: "list[CheckRunAnswer]") -> str:
    """Return runs as a table."""
    rows = [
        [
            one.check,
            one.outcome,
            _standing(one),
            figures_text(one),
            seconds_text(one.seconds),
            one.runner,
            one.author,
            age_text(one.told),
        ]
        for one in runs
    ]
    headings = ("CHECK", "OUTCOME", "", "FIGURES", "TOOK", "RUNNER", "BY", "AGE")
    return table(headings, rows, right="TOOK AGE")


def figures_text(run: "CheckRunAnswer") -> str:
    """Return the first figures of a run in one line."""
    shown = [f"{name} = {number_text(value)}" for name, value in run.figures.items()]
    more = len(shown) - _FIGURES
    return ", ".join(shown[:_FIGURES]) + (f", and {more} more" if more > 0 else "")


def seconds_text(seconds: float) -> str:
    """Return how long something took, in few characters."""
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"  # noqa: PLR2004


def _standing(run: "CheckRunAnswer") -> str:
    notes = [*(["stale"] if run.stale else []), *([] if run.counts else ["does not count"])]
    return ", ".join(notes)
