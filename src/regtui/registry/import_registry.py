"""Import of a whole registry: into a home that has none, or into one of the same registry.

The bundle is built into a database of its own first and verified there (`replica.carried`). Then,

- where the home has no operation yet, that database takes the place of the empty one: the same
  documents, numbers, history and verdicts, to be continued by a replica of its own;
- where the home is of the same registry, the operations that it does not know are judged in their
  order, as if they had just arrived: what two people changed meanwhile becomes conflicts, what can
  not be is refused, with the reason, and stays in the file. Each page of operations is one unit of
  work together with the files of its new versions, so a kill loses nothing and the next import
  goes on; an intent is not cut in two. What an audit would hold against an operation (that another
  one has its place in its replica's chain) is asked before it is judged. A dry run does all of it
  on a copy of the database;
- a home of another registry refuses: two histories don't become one.

The stored files have their names before anything that needs them is registered.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from msgspec import Struct

from regtui.artifacts.bundle_file import BundleReader
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.leases import lease
from regtui.artifacts.receiving import Receiver
from regtui.core.access import Actor, Grant, Role
from regtui.core.bundle import RECORDS, RegistryBundle, decode_records
from regtui.core.errors import BadInput
from regtui.core.operations import Operation, decode_operation
from regtui.core.verdicts import Accepted, Conflicted, Rejected
from regtui.registry.answers_bundle import ImportedRegistry, Refused
from regtui.registry.carried_texts import carry_texts
from regtui.registry.context import Context
from regtui.registry.import_objects import NamedObjects
from regtui.registry.needed import unexpected_elsewhere
from regtui.registry.rehearsal import Rehearsal
from regtui.registry.stored import named_objects
from regtui.replica.adoption import adopt
from regtui.replica.authority import SoloAuthority
from regtui.replica.carried import CarriedRegistry
from regtui.replica.database import Connection, connected
from regtui.replica.file_lists import file_lists
from regtui.replica.known_chains import KnownChains
from regtui.replica.migrate import apply_all
from regtui.replica.remote import read_remote
from regtui.replica.tables import insert

PAGE = 500
"""Operations of one unit of work, more or less: it ends where an intent ends."""

_LONGEST = 5_000
"""Operations after which a unit of work ends within an intent; retention makes such long ones."""

_FORKED = (
    "another operation stands in its place: two histories were made under one replica's id",
    "an old copy of that registry was put back over it; export single versions of what is new",
)


_Row = tuple[int, str, str]
"""Sequence number, id and bytes of an operation."""


class _Taken(Struct):
    """What became of the operations so far."""

    operations: int = 0
    known: int = 0
    versions: int = 0
    conflicts: dict[str, None] = {}
    refused: list[Refused] = []


def import_registry(
    context: Context, reader: BundleReader, bundle: RegistryBundle, *, dry_run: bool
) -> ImportedRegistry:
    """Take in a registry.

    Args:
        context: The registry to take it into.
        reader: Stands after the description.
        bundle: The description.
        dry_run: Whether to tell only.

    Raises:
        BadInput: The home belongs to another registry.
        Damaged: The bundle is not what it was.
        RegtuiError: The disk is full.
    """
    merged = _is_merge(context, reader, bundle)
    now = context.replica.clock() // 1000
    writing = f"writing to the store {context.home}"
    with lease(context.home) as folder, Receiver(context.home, folder, dry_run=dry_run) as receiver:
        database = folder / "carried.duckdb"
        with connected(database, read_only=False) as carried:
            missing = _build(reader, bundle, carried, receiver, now)
            if not dry_run:
                receiver.name_all()
            if merged:
                units = Rehearsal(context, folder) if dry_run else context
                taken = _Merge(units, carried).run()
            else:
                taken = _all(carried)
            carried.execute("checkpoint")
        if not merged and not dry_run:
            with disk_errors(writing):
                adopt(context.replica.home, database, now)
    return ImportedRegistry(
        registry=bundle.registry,
        merged=merged,
        operations=taken.operations,
        known=taken.known,
        versions=taken.versions,
        conflicts=list(taken.conflicts),
        refused=taken.refused,
        objects=receiver.files,
        bytes=receiver.size,
        missing=missing,
        dry_run=dry_run,
    )


def _is_merge(context: Context, reader: BundleReader, bundle: RegistryBundle) -> bool:
    """Tell whether the home has a history of this registry already.

    Raises:
        BadInput: It has one of another registry, or a server decides for it.
    """
    with context.reading() as connection:
        if read_remote(connection) is not None:
            raise BadInput(
                f"{reader.shown} holds a registry, and a server decides for {context.home}",
                "import it into a home of its own with --home DIR, or export single versions",
            )
        row = connection.execute("select registry::varchar, seq from base.replica").fetchone()
    registry, seq = row or ("", 0)
    if seq and registry != bundle.registry:
        raise BadInput(
            f"{reader.shown} holds another registry than {context.home}",
            "import it into a home of its own with --home DIR, or export single versions",
        )
    return bool(seq)


def _build(
    reader: BundleReader,
    bundle: RegistryBundle,
    connection: Connection,
    receiver: Receiver,
    now: int,
) -> list[str]:
    """Read the bundle to its end; return the digests of files that are neither in it nor here."""
    apply_all(connection, now)
    carried = CarriedRegistry(connection, bundle, reader.shown)
    objects: NamedObjects | None = None
    for entry in reader.entries():
        if entry.section in RECORDS:
            page = decode_records(RECORDS[entry.section], reader.content(), reader.shown)
            carried.add(entry.section, page)
        elif entry.section == "object" and bundle.artifacts:
            objects = objects or _objects(carried, connection, receiver)
            objects.take(reader, entry)
        else:
            raise reader.damaged(f"{entry.name} does not belong to a registry")
    reader.finish()
    objects = objects or _objects(carried, connection, receiver)
    objects.finish()
    return objects.missing


def _objects(carried: CarriedRegistry, connection: Connection, receiver: Receiver) -> NamedObjects:
    """Return what the versions name, when all records are there and fit."""
    carried.finish()
    return NamedObjects(named_objects(connection, unexpected_elsewhere()), receiver)


def _all(carried: Connection) -> _Taken:
    row = carried.execute(
        "select (select count(*) from base.operation), (select count(*) from base.version), "
        "(select list(d.id::varchar order by d.key) from base.document d "
        " join base.conflict c on c.key = d.key where c.open)"
    ).fetchone()
    operations, versions, conflicts = row or (0, 0, None)
    return _Taken(operations, 0, versions, dict.fromkeys(conflicts or []))


class _Merge:
    """Hands the operations of a carried registry to the one that is here, page by page.

    Args:
        units: Opens units of work on the registry, or on a copy of it.
        carried: The registry whose operations are handed over.
    """

    def __init__(self, units: Context | Rehearsal, carried: Connection) -> None:
        self._units = units
        self._carried = carried
        rows = carried.execute("select id::varchar, name from base.actor").fetchall()
        self._actors = {identity: _admin(identity, name) for identity, name in rows}
        self._chains = KnownChains()
        self._taken = _Taken()
        self._released: dict[str, int] = {}

    def run(self) -> _Taken:
        """Take in what is not known, then the texts and keys that no operation carries."""
        seq = 0
        while page := self._page(seq):
            seq = page[-1][0]
            with self._units.reading() as connection:
                unknown = _unknown(connection, page)
            if unknown:
                unknown = self._receive_all(page)
            self._taken.known += len(page) - len(unknown)
        self._keep_enrolments()
        self._keep_texts()
        self._keep_released()
        return self._taken

    def _page(self, seq: int) -> list[_Row]:
        """Return the operations after one, up to the end of an intent."""
        page = self._operations(seq, PAGE)
        while page and len(page) < _LONGEST and (group := _group(page[-1][2])) is not None:
            further = self._operations(page[-1][0], PAGE)
            page += itertools.takewhile(lambda row: _group(row[2]) == group, further)
            if not further or page[-1][0] != further[-1][0]:
                break
        return page

    def _operations(self, seq: int, count: int) -> list[_Row]:
        return self._carried.execute(
            "select seq, id::varchar, bytes from base.operation where seq > ? and seq <= ? "
            "order by seq",
            [seq, seq + count],
        ).fetchall()

    def _receive_all(self, page: list[_Row]) -> list[str]:
        """Judge the operations of a page that are not known; return them."""
        is_left = True
        while is_left:
            with self._units.reading() as connection:
                is_left = self._chains.read(connection)
        with self._units.writing() as authority:
            while self._chains.read(authority.connection):  # what others did in between
                pass
            unknown = _unknown(authority.connection, page)
            for data in unknown:
                self._receive(authority, data.encode())
        return unknown

    def _receive(self, authority: SoloAuthority, data: bytes) -> None:
        operation = decode_operation(data)
        if not self._chains.admits(operation, data):
            self._refuse(operation, "forked", *_FORKED)
            return
        before = authority.view.document(operation.entity)
        try:
            verdict = authority.receive(data, self._actors[operation.actor])
        except BadInput as error:
            self._refuse(operation, error.code, error.message, error.hint)
            return
        if isinstance(verdict, Rejected):
            self._refuse(operation, verdict.code, verdict.message, verdict.hint)
        if not isinstance(verdict, Accepted):
            return
        self._chains.take(operation, data)
        self._taken.operations += 1
        if isinstance(verdict, Conflicted):
            self._taken.conflicts |= dict.fromkeys(verdict.conflicts)
        if operation.kind == "version.capture" and before is None:
            self._taken.versions += 1
            version = operation.entity
            found = file_lists(self._carried, [version])
            authority.add_files(version, found.get(version, []))
            self._released |= self._released_there(version)

    def _refuse(self, operation: Operation, code: str, message: str, hint: str) -> None:
        refused = Refused(
            operation=operation.id,
            kind=operation.kind,
            actor=self._actors[operation.actor].name,
            code=code,
            message=message,
            hint=hint,
        )
        self._taken.refused.append(refused)

    def _released_there(self, version: str) -> dict[str, int]:
        """Return since when the files of a version are released there; nothing if they are not."""
        rows = self._carried.execute(
            "select d.id::varchar, r.since from base.released r "
            "join base.document d on d.key = r.version where d.id = ?",
            [version],
        ).fetchall()
        return dict(rows)

    def _keep_released(self) -> None:
        """Mark the versions that came without their files, as these were released there."""
        if not self._released:
            return
        with self._units.writing() as authority:
            keys = dict(
                authority.connection.execute(
                    "select id::varchar, key from base.document where id in "
                    "(select unnest(?::uuid[]))",
                    [list(self._released)],
                ).fetchall()
            )
            rows = [(keys[version], since) for version, since in self._released.items()]
            insert(authority.connection, "released", rows)

    def _keep_enrolments(self) -> None:
        """Keep the public keys of the replicas whose operations are here now."""
        rows = self._carried.execute(
            "select replica::varchar, lower(hex(public_key)), created from base.enrolment"
        ).fetchall()
        with self._units.reading() as connection:
            known = connection.execute("select replica::varchar from base.enrolment").fetchall()
        new = [row for row in rows if (row[0],) not in set(known)]
        if new:
            with self._units.writing() as authority:
                insert(authority.connection, "enrolment", new)

    def _keep_texts(self) -> None:
        """Keep the texts that are not here: series and contexts, which no operation holds."""
        carry_texts(lambda: nullcontext(self._carried), self._units.reading, self._changing)

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self._units.writing() as authority:
            yield authority.connection


def _unknown(connection: Connection, page: list[_Row]) -> list[str]:
    rows = connection.execute(
        "select id::varchar from base.operation where id in (select unnest(?::uuid[]))",
        [[identity for _, identity, _ in page]],
    ).fetchall()
    known = {row[0] for row in rows}
    return [data for _, identity, data in page if identity not in known]


def _group(data: str) -> str | None:
    """Return the intent that an operation belongs to."""
    return decode_operation(data.encode()).group


def _admin(identity: str, name: str) -> Actor:
    """Return who acts in a registry without a server: everybody who has it is its admin."""
    return Actor(identity, name, (Grant(Role.ADMIN, "*"),))
