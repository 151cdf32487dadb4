"""Disk usage: how many bytes models and versions need, and what the home holds beside.

Objects are stored once however many versions name them, so three figures are told: the bytes of
all files that versions name (what checking all of them out would write), the bytes that nothing
else needs (what deleting would free), and the bytes that are shared. Deleted versions, and
archived ones under a rule of retention, count for nothing; what is still stored of them stands in
the totals of the store.

Everything is read in pages, one unit of work each: what changes meanwhile may count in part.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.garbage import damaged_copies, stored
from regtui.artifacts.layout import temporary_folder
from regtui.registry.context import Context
from regtui.registry.gc import Amount, last_needed
from regtui.registry.needed import expendable
from regtui.registry.needs import Need, needs_of_models, needs_of_versions
from regtui.registry.references import find_model, find_version, parse
from regtui.replica.database import Connection

_MODELS = """
select m.key, m.name, m.state, coalesce(v.versions, 0)
  from base.model m
  left join (
       select model, count(*) as versions from base.version where state <> 'deleted' group by model
       ) v on v.model = m.key
"""

_VERSIONS = """
select v.key, m.name, v.number, v.id::varchar, v.state
  from base.version v join base.model m on m.key = v.model
 where (v.model = ? and v.state <> 'deleted') or v.key = ?
"""


class ModelUsage(Struct, frozen=True, kw_only=True):
    """What a model needs, in bytes.

    Attributes:
        model: Its name.
        versions: Versions that are not deleted.
        files: Files that they name.
        total: Bytes of these files.
        unique: Stored bytes that no other model needs.
        shared: Stored bytes that another model needs too.
    """

    model: str
    versions: int
    files: int
    total: int
    unique: int
    shared: int


class VersionUsage(Struct, frozen=True, kw_only=True):
    """What a version needs, in bytes; `unique` and `shared` look at all other versions."""

    model: str
    number: int | None
    id: str
    state: str
    files: int
    total: int
    unique: int
    shared: int


class StoreUsage(Struct, frozen=True, kw_only=True):
    """What lies in the home.

    Attributes:
        objects: All stored objects.
        needed: Those of captured and archived versions.
        archived: Those that only archived versions under a rule of retention, and deleted ones,
            need.
        deleted: Those that deleted versions alone need.
        orphaned: Those that no version names.
        damaged: Copies that were set aside.
        unfinished: Files in `tmp/`.
        database: The database and its log.
        backups: Copies of the database.
    """

    objects: Amount
    needed: Amount
    archived: Amount
    deleted: Amount
    orphaned: Amount
    damaged: Amount
    unfinished: Amount
    database: Amount
    backups: Amount


class Usage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bytes of all models and of the home, or of the versions that were asked for."""

    models: list[ModelUsage] | None = None
    versions: list[VersionUsage] | None = None
    store: StoreUsage | None = None


def du(context: Context, reference: str | None = None) -> Usage:
    """Tell how many bytes are needed by what, largest first.

    Args:
        context: The registry.
        reference: A model, for its versions, or one version; None for all models and the home.

    Raises:
        NotFound: There is no such model or version.
        BadInput: The reference is malformed.
    """
    if reference is not None:
        return Usage(versions=_versions(context, reference))
    return Usage(models=_models(context), store=_store(context))


def _models(context: Context) -> list[ModelUsage]:
    with context.reading() as connection:
        rows = connection.execute(_MODELS).fetchall()
    needs = needs_of_models(context, [row[0] for row in rows])
    usages = [
        ModelUsage(
            model=name, versions=versions, files=need.files, total=need.total,
            unique=need.unique, shared=need.stored - need.unique,
        )
        for key, name, state, versions in rows
        if (need := needs.get(key, Need())).files or state != "deleted"
    ]  # fmt: skip
    return sorted(usages, key=lambda one: (-one.unique, -one.total, one.model))


def _versions(context: Context, reference: str) -> list[VersionUsage]:
    with context.reading() as connection:
        model, version = _keys(connection, reference)
        rows = connection.execute(_VERSIONS, [model, version]).fetchall()
    needs = needs_of_versions(context, [row[0] for row in rows], model, version)
    usages = [
        VersionUsage(
            model=name, number=number, id=identity, state=state, files=need.files,
            total=need.total, unique=need.unique, shared=need.stored - need.unique,
        )
        for key, name, number, identity, state in rows
        for need in (needs.get(key, Need()),)
    ]  # fmt: skip
    return sorted(usages, key=lambda one: (-one.unique, -one.total, one.number or 2**62))


def _keys(connection: Connection, reference: str) -> tuple[int, int]:
    if parse(reference).kind == "model":
        return find_model(connection, reference)[0], -1
    return -1, find_version(connection, reference)[0]


def _store(context: Context) -> StoreUsage:
    needed, archived, deleted, orphaned = Amount(), Amount(), Amount(), Amount()
    unneeding = expendable(context)
    for page in stored(context.home):
        with context.reading() as connection:
            found = last_needed(connection, [one.digest for one in page], unneeding)
        for one in page:
            last = found.get(one.digest)
            if last is None:
                orphaned = orphaned.plus(one.size)
            elif last.is_needed:
                needed = needed.plus(one.size)
            elif last.state == "archived":
                archived = archived.plus(one.size)
            else:
                deleted = deleted.plus(one.size)
    parts = (needed, archived, deleted, orphaned)
    damaged = Amount()
    for _, size, _ in damaged_copies(context.home):
        damaged = damaged.plus(size)
    home = context.replica.home
    log = home.database.with_name(home.database.name + ".wal")
    return StoreUsage(
        objects=Amount(sum(part.files for part in parts), sum(part.bytes for part in parts)),
        needed=needed,
        archived=archived,
        deleted=deleted,
        orphaned=orphaned,
        damaged=damaged,
        unfinished=_files_in(temporary_folder(context.home), skip="lock"),
        database=_files(home.database, log),
        backups=_files_in(home.backups),
    )


def _files_in(folder: Path, *, skip: str = "") -> Amount:
    """Return the files below a folder, except those of one name."""
    return _files(
        *(
            Path(parent, name)
            for parent, _, names in os.walk(folder)
            for name in names
            if name != skip
        )
    )


def _files(*paths: Path) -> Amount:
    found = Amount()
    for path in paths:
        with disk_errors(f"reading {path}"), suppress(FileNotFoundError):  # it is done meanwhile
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                found = found.plus(status.st_size)
    return found
