"""The plot of a comparison: one metric of all its versions."""

from collections.abc import Sequence

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.answers_compare import PlotAnswer


def metric_plot(
    registry: Registry, references: Sequence[str], metric: str | None, names: Sequence[str]
) -> PlotAnswer:
    """Return the course of a metric; without one, of the primary metric, else of the first."""
    if metric is None:
        try:
            return registry.plot(references)
        except (BadInput, NotFound):  # no primary metric, or none of them has it
            metric = names[0]
    return registry.plot(references, metric)
