"""Answers of `export` and `import`, in the shapes that scripts rely on."""

from msgspec import Struct

from regtui.registry.answers import VersionAnswer


class Exported(Struct, frozen=True, kw_only=True):
    """A bundle that was written.

    Attributes:
        kind: `version` or `registry`.
        file: Where it is; `-` for standard output.
        bytes: Of the bundle.
        objects: Stored files in it.
        version: The version; None for a registry.
        operations: Operations in it; None for a version.
        missing: Digests of files that versions need and the store has lost.
    """

    kind: str
    file: str
    bytes: int
    objects: int
    version: VersionAnswer | None
    operations: int | None
    missing: list[str]


class ImportedVersion(Struct, frozen=True, kw_only=True):
    """What the import of a version did, or would do.

    Attributes:
        kind: `version`.
        version: The version as it is now.
        created: Whether it is new.
        changed: Whether anything changed.
        objects: Stored files that were new.
        bytes: Of these.
        missing: Digests of its files that neither the bundle nor the store has.
        ignored: Fields that this program does not know.
        dry_run: Whether nothing was done.
    """

    kind: str = "version"
    version: VersionAnswer
    created: bool
    changed: bool
    objects: int
    bytes: int
    missing: list[str]
    ignored: list[str]
    dry_run: bool


class Refused(Struct, frozen=True, kw_only=True):
    """An operation that was not taken in: what it is, whose it is, and why."""

    operation: str
    kind: str
    actor: str
    code: str
    message: str
    hint: str


class ImportedRegistry(Struct, frozen=True, kw_only=True):
    """What the import of a registry did, or would do.

    Attributes:
        kind: `registry`.
        registry: Its id.
        merged: Whether it met what was there; False where the home was empty.
        operations: How many were taken in.
        known: How many were known already.
        versions: New versions.
        conflicts: Ids of conflicts that were opened or gained a candidate.
        refused: What was not taken in.
        objects: Stored files that were new.
        bytes: Of these.
        missing: Digests of files that versions need and that neither bundle nor store has.
        dry_run: Whether nothing was done.
    """

    kind: str = "registry"
    registry: str
    merged: bool
    operations: int
    known: int
    versions: int
    conflicts: list[str]
    refused: list[Refused]
    objects: int
    bytes: int
    missing: list[str]
    dry_run: bool
