"""Answers: what the registry's verbs return, in the shapes that scripts rely on.

The field names are the contract of `--json` (`docs/scripting.md`): fields may be added, none may
change its meaning. Times are ISO 8601 in UTC with milliseconds. Metrics that JSON has no
number for are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from regtui.core.documents import Document, source_of
from regtui.core.identity import short_id
from regtui.registry.answers_checks import CheckRunAnswer


class VersionAnswer(Struct, frozen=True, kw_only=True):
    """One version.

    Attributes:
        model: Name of its model.
        number: 1, 2, 3 …; None until an authority has given one.
        id: UUID.
        short_id: `:` and the leading hex digits of the id.
        aliases: Names that point to it.
        contested: Those of them whose conflict is open.
        metrics: Value by name.
        steps: Step by name, for the metrics that have one.
        params: Value by name.
        tags: Value by name.
        state: `captured`, `archived` or `deleted`.
        pending: Whether an authority has still to accept something of it.
        digest: Content digest.
        size: Bytes.
        files: Number of files.
        created: When it was captured first.
        author: Who captured it first.
        description: One line or more; None without one.
        source: Folder and name where it was found first.
        parents: Ids of versions that it was made from.
        inputs: Datasets by name.
    """

    model: str
    number: int | None
    id: str
    short_id: str
    aliases: list[str]
    contested: list[str]
    metrics: dict[str, float | str]
    steps: dict[str, int]
    params: dict[str, Any]
    tags: dict[str, str]
    state: str
    pending: bool
    digest: str
    size: int
    files: int
    created: str
    author: str
    description: str | None
    source: str | None
    parents: list[str]
    inputs: dict[str, Any]

    @property
    def reference(self) -> str:
        """The shortest name that means this version for ever."""
        return self.short_id if self.number is None else f"{self.model}@{self.number}"


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """One model.

    Attributes:
        model: Its name, as it is used in references.
        display_name: The name as it was written.
        id: UUID.
        versions: How many versions it has, deleted ones not counted.
        archived: How many of these are archived.
        latest: Number of the newest version.
        aliases: Version number by alias.
        description: One line or more; None without one.
        tags: Value by name.
        owners: Names.
        primary_metric: The metric that decides which version is best.
        direction: `max` or `min`.
        state: `active`, `archived` or `deleted`.
        created: When it was made.
        author: Who made it.
    """

    model: str
    display_name: str
    id: str
    versions: int
    archived: int
    latest: int | None
    aliases: dict[str, int | None]
    description: str | None
    tags: dict[str, str]
    owners: list[str]
    primary_metric: str | None
    direction: str | None
    state: str
    created: str
    author: str


class AliasAnswer(Struct, frozen=True, kw_only=True):
    """One alias.

    Attributes:
        model: Name of its model.
        alias: Its name.
        number: Of the version that it points to.
        version_id: UUID of that version.
        short_id: `:` and the leading hex digits of that id.
        moved: Since when it points there.
        conflict: Id of the open conflict about where it points; None without one.
        protected: Whether a policy protects it.
        requested: Where it was asked to point, which the server has still to decide; None where
            nothing is.
    """

    model: str
    alias: str
    number: int | None
    version_id: str
    short_id: str
    moved: str
    conflict: str | None = None
    protected: bool = False
    requested: str | None = None


class FileAnswer(Struct, frozen=True, kw_only=True):
    """One file of a version.

    Attributes:
        path: Relative, with `/` between its parts.
        size: Bytes.
        digest: blake3 of its bytes.
        executable: Whether its owner may run it.
        format: Such as `safetensors`; `unknown` where it is none that is known.
        safety: What loading it could do: `no-code`, `tensors-only`, `needs-classes`, `dangerous` or
            `unread` (docs/files.md).
        globals: What loading it would import.
        tensors: How many it has.
        complete: Whether it ends where its format ends; None where that can't be told.
        metadata: What the file says of itself.
        problem: Why it could not be read, or not to its end.
        cut: Whether tensors, globals or metadata were too many to list all.
    """

    path: str
    size: int
    digest: str
    executable: bool
    format: str
    safety: str
    globals: list[str]
    tensors: int
    complete: bool | None
    metadata: dict[str, Any]
    problem: str | None
    cut: bool


class TensorAnswer(Struct, frozen=True, kw_only=True):
    """One tensor of a version.

    Attributes:
        path: Of its file.
        tensor: Its name in the file.
        dtype: Such as `float32`.
        shape: Of the array.
        size: Bytes of its values; 0 where the file doesn't say.
        digest: blake3 of its values; None where they don't lie in the file in one piece.
    """

    path: str
    tensor: str
    dtype: str
    shape: list[int]
    size: int
    digest: str | None


class Captured(Struct, frozen=True, kw_only=True):
    """What a capture gave.

    Attributes:
        version: The version.
        created: Whether it is new.
        changed: Whether anything changed.
        restored: Whether it has its files again, which retention had released.
        warnings: One sentence for each file that is dangerous to load.
        checks: How the checks ended that `regtui capture` ran of it.
    """

    version: VersionAnswer
    created: bool
    changed: bool
    restored: bool
    warnings: list[str]
    checks: list[CheckRunAnswer] = []


class VersionPage(Struct, frozen=True, kw_only=True):
    """Some versions and the cursor of the page after them; None at the end."""

    versions: list[VersionAnswer]
    next: str | None


class DamagedFile(Struct, frozen=True, kw_only=True):
    """A stored file that is not what it was, with every place that needs it."""

    digest: str
    problem: str
    used_by: list[str]


class Verified(Struct, frozen=True, kw_only=True):
    """What `verify` found: how much was read, and what is damaged."""

    versions: int
    files: int
    bytes: int
    damaged: list[DamagedFile]


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_FIRST, _LAST = -62_135_596_800 * 10**6, 253_402_300_800 * 10**6 - 1


def iso(microseconds: int) -> str:
    """Return a time as text; one outside of the years 1 to 9999 is the first or last of these.

    What another program once wrote has to be shown, whatever it says.
    """
    moment = _EPOCH + datetime.timedelta(microseconds=min(max(microseconds, _FIRST), _LAST))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def version_answer(
    document: Document, *, model: str, author: str, aliases: Mapping[str, bool]
) -> VersionAnswer:
    """Return the answer for a version's document.

    Args:
        document: Of the version.
        model: Name of its model.
        author: Name of who captured it.
        aliases: Whether a conflict about it is open, by the name of each that points to it.
    """
    facts = document.facts
    metrics = document.entries("metrics")
    return VersionAnswer(
        model=model,
        number=facts["number"],
        id=document.id,
        short_id=short_id(document.id),
        aliases=sorted(aliases),
        contested=sorted(name for name, is_contested in aliases.items() if is_contested),
        metrics={name: metric["value"] for name, metric in metrics.items()},
        steps={n: m["step"] for n, m in metrics.items() if m.get("step") is not None},
        params=document.entries("params"),
        tags=document.entries("tags"),
        state=document.value("state"),
        pending=document.seq == 0,
        digest=facts["digest"],
        size=facts["size"],
        files=facts["files"],
        created=iso(facts["created"]),
        author=author,
        description=document.value("description"),
        source=source_of(document),
        parents=sorted(document.entries("parents")),
        inputs=document.entries("inputs"),
    )
