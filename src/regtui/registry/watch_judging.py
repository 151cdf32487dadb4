"""By which metric the states of a run are compared, for keep rules."""

from typing import Final

from msgspec import Struct

from regtui.capture.findings import Findings
from regtui.registry.references import direction_by_name

_LIKELY: Final = ("eval", "val", "test", "loss", "")
"""Parts of names of the metrics by which a person would judge, the likeliest first."""


class Judged(Struct, frozen=True):
    """The figure of a state by which it is compared with others.

    Attributes:
        metric: Its name.
        value: As the state has it.
        highest: Whether more is better.
    """

    metric: str
    value: float
    highest: bool


def judged_by(found: Findings) -> Judged | None:
    """Return the figure by which a state is compared: the trainer's own, else the likeliest one."""
    told = next((name for name in found.directions if name in found.metrics), None)
    if told is not None:
        return Judged(told, found.metrics[told][0], found.directions[told] == "max")
    for part in _LIKELY:
        name = next((name for name in found.metrics if part in name.lower()), None)
        if name is not None:
            return Judged(name, found.metrics[name][0], direction_by_name(name) != "min")
    return None
