"""The table: rows as groups make them, and how they are printed."""

from collections.abc import Iterable

from msgspec import Struct

from benchmarks.measuring import Series

HEADINGS = ("what", "median", "baseline", "ratio", "reach")


class Row(Struct, frozen=True):
    """One line.

    Attributes:
        what: What was measured, against what.
        median: The figure.
        baseline: Its baseline in the same run; empty without one.
        ratio: The one over the other, or the difference.
        reach: What is wanted, such as `≤ 1.25 x`; empty where nothing is.
        reached: Whether it is so; None where nothing is wanted or could be measured.
    """

    what: str
    median: str = ""
    baseline: str = ""
    ratio: str = ""
    reach: str = ""
    reached: bool | None = None


def compared(what: str, subject: Series, baseline: Series, most: float | None = None) -> Row:
    """Return the row of a subject and its baseline, both in seconds.

    Args:
        what: What was measured.
        subject: Its rounds.
        baseline: The rounds of the baseline.
        most: The largest ratio wanted; None where none is.
    """
    ratio = subject.over(baseline)
    return Row(
        what,
        time_text(subject.median),
        time_text(baseline.median),
        f"{ratio:.2f} x",
        "" if most is None else f"≤ {most:g} x",
        None if most is None else ratio <= most,
    )


def limited(what: str, value: float, most: float, unit: str) -> Row:
    """Return the row of a figure that should stay below a fixed one."""
    return Row(what, f"{value:.0f} {unit}", reach=f"≤ {most:g} {unit}", reached=value <= most)


def absent(what: str, program: str) -> Row:
    """Return the row of what can't be measured, because a program is not there."""
    return Row(what, f"{program}: not installed")


def time_text(seconds: float) -> str:
    """Return a time in the unit that keeps it short."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1_000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2f} ms"


def text(rows: Iterable[Row]) -> str:
    """Return the rows as aligned lines."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    shown = [
        " | ".join(
            cell.ljust(width) if column in {0, len(widths) - 1} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    shown.insert(1, "-+-".join("-" * width for width in widths))
    return "\n".join(shown)


def _cells(row: Row) -> tuple[str, ...]:
    mark = {True: " ✓", False: " ✗", None: ""}[row.reached]
    return row.what, row.median, row.baseline, row.ratio, row.reach + mark
