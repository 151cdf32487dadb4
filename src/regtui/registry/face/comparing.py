"""Comparing: how versions differ, and the course of their metrics."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers_compare import DiffAnswer, PlotAnswer


class ComparingVerbs(Verbs):
    """Set versions beside each other."""

    def diff(self, before: str, after: str) -> "DiffAnswer":
        """Return how two versions differ: values, surroundings, files and tensors.

        Raises:
            NotFound: There is no such version.
            BadInput: A reference is malformed or names a model.
        """
        from regtui.registry import diff

        return diff.diff(self.context, before, after)

    def plot(self, references: Iterable[str], metric: str | None = None) -> "PlotAnswer":
        """Return the points of a metric: of versions, or over the versions of models.

        Args:
            references: Versions or models.
            metric: Its name; None for the primary metric of the first one's model.

        Raises:
            NotFound: There is no such model or version, or none of them has the metric.
            BadInput: Models and versions are mixed, or no metric is chosen.
        """
        from regtui.registry import plot

        return plot.plot(self.context, tuple(references), metric)
