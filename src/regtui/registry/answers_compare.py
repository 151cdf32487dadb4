"""Answers of the verbs that compare and relate versions: diff, lineage, places and plots.

As in `answers.py`, the field names are the contract of `--json`.
"""

from typing import Any

from msgspec import Struct

from regtui.core.documents import Document
from regtui.core.identity import short_id


class VersionName(Struct, frozen=True, kw_only=True):
    """A version by its names: model, number, UUID, short id, and its state."""

    model: str
    number: int | None
    id: str
    short_id: str
    state: str

    @property
    def reference(self) -> str:
        """The shortest name that means this version for ever."""
        return self.short_id if self.number is None else f"{self.model}@{self.number}"


class Difference(Struct, frozen=True, kw_only=True):
    """How one group of values differs.

    Attributes:
        changed: `before` and `after` by name, and what follows from them.
        added: Value by name, of what only the second version has.
        removed: Value by name, of what only the first version has.
        same: How many are equal.
    """

    changed: dict[str, dict[str, Any]] = {}
    added: dict[str, Any] = {}
    removed: dict[str, Any] = {}
    same: int = 0

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        return not (self.changed or self.added or self.removed)


class FileDifference(Difference, frozen=True, kw_only=True):
    """How the files differ.

    Attributes:
        moved: By new path: `before` and `after` path, `size`, `digest`. They are not in `added`
            and `removed`.
    """

    moved: dict[str, dict[str, Any]] = {}

    @property
    def none(self) -> bool:
        """Whether nothing differs."""
        return super().none and not self.moved


class TensorDifference(Difference, frozen=True, kw_only=True):
    """How the tensors differ.

    Attributes:
        unknown: `before` and `after` by name, of tensors with equal type and shape whose bytes
            could not be compared.
        partial: Whether the table of some file is not known whole.
    """

    unknown: dict[str, dict[str, Any]] = {}
    partial: bool = False

    @property
    def none(self) -> bool:
        """Whether nothing is known to differ."""
        return super().none and not self.unknown


class DiffAnswer(Struct, frozen=True, kw_only=True):
    """How two versions differ.

    Attributes:
        before: The first version.
        after: The second version.
        equal: Whether nothing differs.
    """

    before: VersionName
    after: VersionName
    equal: bool
    metrics: Difference
    params: Difference
    tags: Difference
    inputs: Difference
    context: Difference
    packages: Difference
    files: FileDifference
    tensors: TensorDifference


class PlaceAnswer(Struct, frozen=True, kw_only=True):
    """One place where the content of a version was found, and what was known there."""

    host: str
    folder: str
    name: str
    run: str | None
    at: str
    author: str
    context: dict[str, Any]


class LineageNode(Struct, frozen=True, kw_only=True):
    """One version of a lineage.

    Attributes:
        id: UUID.
        known: False for a parent of which this replica knows the id alone.
        model: Name of its model; None where it is not known, as the following two.
        number: 1, 2, 3 …
        short_id: `:` and the leading hex digits of the id.
        state: `captured`, `archived` or `deleted`.
        depth: Steps from the version asked for: negative for ancestors, positive for descendants.
        inputs: Datasets by name, each with `uri` and `digest`.
    """

    id: str
    known: bool
    model: str | None
    number: int | None
    short_id: str
    state: str | None
    depth: int
    inputs: dict[str, Any]

    @property
    def reference(self) -> str:
        """The shortest name that means this version for ever."""
        return self.short_id if self.number is None else f"{self.model}@{self.number}"


class LineageEdge(Struct, frozen=True, kw_only=True):
    """One step of a lineage: `child` was made from `parent`; both are ids."""

    parent: str
    child: str


class LineageAnswer(Struct, frozen=True, kw_only=True):
    """The lineage of a version.

    Attributes:
        id: Id of the version that was asked for.
        nodes: Versions, nearest first; the one asked for stands at the head.
        edges: Steps between them.
        cut: Whether there are more beyond the depth asked for.
    """

    id: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    cut: bool


class Curve(Struct, frozen=True, kw_only=True):
    """One line of a plot.

    Attributes:
        name: What a legend calls it.
        model: Name of the model.
        version: Reference of the version; None for a line over several versions.
        run: Training run of a series; None where there is none.
        x: Steps, version numbers or positions, never decreasing.
        y: Values; NaN and infinities as tagged strings.
        versions: For a line over versions, the reference behind each point.
    """

    name: str
    model: str
    version: str | None
    run: str | None
    x: list[int]
    y: list[float | str]
    versions: list[str] | None


class PlotAnswer(Struct, frozen=True, kw_only=True):
    """A metric to be drawn.

    Attributes:
        metric: Its name.
        x: What stands on the horizontal axis: `step`, `number` (of the versions of a model), or
            `version` (position in the order in which they were named).
        lines: The lines.
        missing: References of versions that have nothing of the metric to draw.
    """

    metric: str
    x: str
    lines: list[Curve]
    missing: list[str]


def version_name(document: Document, model: str) -> VersionName:
    """Return the names of a version's document."""
    return VersionName(
        model=model,
        number=document.facts["number"],
        id=document.id,
        short_id=short_id(document.id),
        state=document.value("state"),
    )
