"""Points of curves while files are read, within a bound of memory.

A run writes a step twice when it starts again from a checkpoint: the later value counts.

Points are kept in arrays, 24 bytes each, in the order in which they come; only a curve whose steps
go back is put in order. Once there are more points than fit, every other point of the longest curve
is dropped, but never its last: a long run loses resolution, not its end.
"""

from array import array
from typing import Final

from regtui.capture.findings import CURVES_LIMIT, Curve, Findings, last_values

_POINTS: Final = 250_000
"""Of all curves together."""

_UNKNOWN: Final = -(1 << 63)
"""Stands for a time that is not known."""


class Points:
    """Collects curves.

    Args:
        limit: Points of all curves together.

    Attributes:
        problems: What could not be read; whoever reads adds to it and goes on with the rest.
    """

    def __init__(self, limit: int = _POINTS) -> None:
        self._limit = limit
        self._count = 0
        self._curves: dict[str, _Growing] = {}
        self._refused = False
        self.problems: list[str] = []

    def add(self, name: str, step: int, value: float, time: int | None = None) -> None:
        """Add a point.

        Args:
            name: Of the curve.
            step: Of 64 bits; points may come in any order.
            value: NaN and infinities are values too.
            time: Microseconds since the epoch.
        """
        curve = self._curves.get(name)
        if curve is None:
            if len(self._curves) >= CURVES_LIMIT:
                self._refused = True
                return
            curve = self._curves[name] = _Growing()
        curve.add(step, value, _UNKNOWN if time is None else time)
        self._count += 1
        if self._count > self._limit:
            self._thin()

    def curves(self, until: int | None = None, before: int | None = None) -> dict[str, Curve]:
        """Return the curves that have a point, by name.

        Args:
            until: The last step to tell of; None for all.
            before: The last moment to tell of, in microseconds; points without a time count as
                earlier. None for all.
        """
        found = {name: curve.told(until, before) for name, curve in self._curves.items()}
        return {name: curve for name, curve in found.items() if curve.steps}

    def findings(self, until: int | None = None, before: int | None = None) -> Findings:
        """Return the curves, their last values as metrics, and the problems; see `curves`."""
        series = self.curves(until, before)
        problems = list(self.problems)
        if self._refused:
            problems.append(f"it has more than {CURVES_LIMIT:,} curves; the first are kept")
        return Findings(series=series, metrics=last_values(series), problems=tuple(problems))

    def _thin(self) -> None:
        longest = max(self._curves.values(), key=lambda curve: len(curve.steps))
        before = len(longest.steps)
        longest.thin()
        self._count -= before - len(longest.steps)


class _Growing:
    """One curve."""

    __slots__ = ("ordered", "steps", "times", "values")

    def __init__(self) -> None:
        self.steps = array("q")
        self.values = array("d")
        self.times = array("q")
        self.ordered = True

    def add(self, step: int, value: float, time: int) -> None:
        if self.ordered and self.steps and step <= self.steps[-1]:
            self.ordered = False
        self.steps.append(step)
        self.values.append(value)
        self.times.append(time)

    def order(self) -> None:
        """Sort by step; of points with one step, the last that came stays."""
        if not self.ordered:
            latest = {step: at for at, step in enumerate(self.steps)}
            places = [latest[step] for step in sorted(latest)]
            self.steps = array("q", [self.steps[at] for at in places])
            self.values = array("d", [self.values[at] for at in places])
            self.times = array("q", [self.times[at] for at in places])
            self.ordered = True

    def thin(self) -> None:
        """Drop every other point, but not the last."""
        self.order()
        kept = slice((len(self.steps) - 1) % 2, None, 2)
        self.steps, self.values, self.times = self.steps[kept], self.values[kept], self.times[kept]

    def told(self, until: int | None, before: int | None) -> Curve:
        self.order()
        times: list[int] = self.times.tolist()
        places = [
            at
            for at, step in enumerate(self.steps)
            if (until is None or step <= until) and (before is None or times[at] <= before)
        ]
        known = bool(places) and all(times[at] != _UNKNOWN for at in places)
        return Curve(
            tuple(self.steps[at] for at in places),
            tuple(self.values[at] for at in places),
            tuple(times[at] for at in places) if known else None,
        )
