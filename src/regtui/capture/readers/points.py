"""Points of curves while files are read, within a bound of memory.

A run writes a step twice when it starts again from a checkpoint: the later value counts.

Once there are more points than fit, every other point of the longest curve is dropped, but never
its last: a long run loses resolution, not its end.
"""

from typing import Final

from regtui.capture.findings import CURVES_LIMIT, Curve

_POINTS: Final = 250_000
"""Of all curves together: about 50 MB."""

_Point = tuple[float, int | None]


class Points:
    """Collects curves.

    Attributes:
        refused: Whether there were more curves than are kept.
    """

    def __init__(self, limit: int = _POINTS) -> None:
        self._limit = limit
        self._count = 0
        self._curves: dict[str, dict[int, _Point]] = {}
        self.refused = False

    def add(self, name: str, step: int, value: float, time: int | None = None) -> None:
        """Add a point.

        Args:
            name: Of the curve.
            step: Any integer; points may come in any order.
            value: NaN and infinities are values too.
            time: Microseconds since the epoch.
        """
        curve = self._curves.get(name)
        if curve is None:
            if len(self._curves) >= CURVES_LIMIT:
                self.refused = True
                return
            curve = self._curves[name] = {}
        before = len(curve)
        curve[step] = (value, time)
        self._count += len(curve) - before
        if self._count > self._limit:
            self._thin()

    def curves(self, until: int | None = None, before: int | None = None) -> dict[str, Curve]:
        """Return the curves that have a point, by name.

        Args:
            until: The last step to tell of; None for all.
            before: The last moment to tell of, in microseconds; points without a time count as
                earlier. None for all.
        """
        found = {name: _curve(points, until, before) for name, points in self._curves.items()}
        return {name: curve for name, curve in found.items() if curve.steps}

    def _thin(self) -> None:
        name = max(self._curves, key=lambda one: len(self._curves[one]))
        steps = sorted(self._curves[name])
        kept = steps[(len(steps) - 1) % 2 :: 2]
        self._count -= len(steps) - len(kept)
        self._curves[name] = {step: self._curves[name][step] for step in kept}


def _curve(points: dict[int, _Point], until: int | None, before: int | None) -> Curve:
    steps = tuple(
        sorted(
            step
            for step, (_, time) in points.items()
            if (until is None or step <= until)
            and (before is None or time is None or time <= before)
        )
    )
    times = tuple(time for step in steps if (time := points[step][1]) is not None)
    return Curve(
        steps,
        tuple(points[step][0] for step in steps),
        times if times and len(times) == len(steps) else None,
    )
