"""Answers about conflicts, in the shapes that scripts rely on (`docs/scripting.md`)."""

from typing import Any

from msgspec import Struct


class Side(Struct, frozen=True, kw_only=True):
    """One of the values that a conflict is about.

    Attributes:
        id: The operation that asked for it; None where nothing ever stood there.
        value: What it is: a text itself, an alias's version by its id. An edit of something that
            was deleted meanwhile is `{"edit": {path: value}}`.
        version: The reference of an alias's version; None for anything else.
        author: Name of who asked for it; None where nothing ever stood there.
        at: When; None where nothing ever stood there.
    """

    id: str | None
    value: Any
    version: str | None
    author: str | None
    at: str | None


class Resolution(Struct, frozen=True, kw_only=True):
    """How a conflict ended: `accepted`, `value`, or the id of the candidate taken; who, when."""

    choice: str
    author: str
    at: str


class ConflictAnswer(Struct, frozen=True, kw_only=True):
    """A value that people set without seeing each other.

    Attributes:
        id: UUID.
        entity: Id of what it is about.
        kind: Its kind: `model`, `version`, `alias`, `comment` or `dataset`.
        model: Name of the model it belongs to; None for a dataset.
        number: Of the version it is about.
        alias: Name of the alias it is about.
        dataset: Name of the dataset it is about.
        field: Path of the value, such as `description`.
        state: `open` or `resolved`.
        base: What stood when the oldest candidate was asked for; None where nothing did, or
            where it is not known any more.
        accepted: What stands.
        candidates: What else was asked for, oldest first.
        resolution: How it ended; None while it is open.
    """

    id: str
    entity: str
    kind: str
    model: str | None
    number: int | None
    alias: str | None
    dataset: str | None
    field: str
    state: str
    base: Side | None
    accepted: Side
    candidates: list[Side]
    resolution: Resolution | None

    @property
    def about(self) -> str:
        """What it is about, in the words of a reference."""
        if self.kind == "dataset":
            return f"dataset {self.dataset}"
        if self.kind == "alias":
            return f"{self.model}@{self.alias}"
        name = str(self.model) if self.number is None else f"{self.model}@{self.number}"
        return f"a comment on {name}" if self.kind == "comment" else name
