"""Which pieces a stream has: presence, uploads that arrived, copies.

A digest alone gives nothing: a stream has a piece only since somebody uploaded all of its bytes
into it, or copied it from a stream that he may read. The bytes are stored once for all streams.
What only other streams have is missing here, and nothing tells that it is stored already.

Rows are locked before they are trusted, that of `piece` before that of `piece_ref`, and
`artifact_gc` looks again after it has locked them, so that nothing is let go of or condemned that
was just promised to be there.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from regtui.core.access import Role, role_of
from sync_server import schema
from sync_server.artifacts import ArtifactStore
from sync_server.authority import Refused, registry_row
from sync_server.database import Database, chunks, insert, upsert
from sync_server.sync import Caller, SyncService

LEASE = 7 * 86_400_000_000
"""Microseconds for which a stream keeps a piece that no version names."""

_RENEW = LEASE - 3_600_000_000

_piece, _ref, _lease = schema.piece.c, schema.piece_ref.c, schema.lease.c


class Place(Struct, frozen=True):
    """A stream of a registry, by the registry's number."""

    registry: int
    stream: str


class Stored(Struct, frozen=True):
    """Where the bytes of a piece lie, and how many there are."""

    key: str
    size: int


class Pieces:
    """The pieces of all streams.

    Args:
        database: The server's.
        service: Knows rights.
        store: Of the bytes.
        clock: Returns microseconds.
        seed: Returns 16 random bytes.
    """

    def __init__(
        self,
        database: Database,
        service: SyncService,
        store: ArtifactStore,
        clock: Callable[[], int],
        seed: Callable[[], bytes],
    ) -> None:
        self.database = database
        self.store = store
        self.clock = clock
        self._service = service
        self._seed = seed

    def place(self, registry: str, stream: str, caller: Caller, role: Role) -> Place:
        """Return the stream, for who has a role in its model now.

        Raises:
            Refused: There is none, or he may not know of it: both alike; or he has a lower role.
        """
        with self.database.reading() as connection:
            row = registry_row(connection, registry, lock=False)
            if row is None:
                raise absent()
            rights = self._service.rights_of(connection, row.key, caller)
            e = schema.entity.c
            name = connection.execute(
                sa.select(e.name).where(
                    e.registry == row.key, e.id == stream, e.stream == stream, e.kind == "model"
                )
            ).scalar()
        if name is None or rights.since(name) is None:
            raise absent()
        if (role_of(rights.actor, name) or Role.REPORTER) < role:
            raise Refused(403, "denied", f"that needs the role of a {role.name.lower()}")
        return Place(row.key, stream)

    def missing(self, place: Place, digests: Sequence[str]) -> list[str]:
        """Return those that the stream lacks, and keep the others for another week."""
        now = self.clock()
        with self.database.reading() as connection:
            there = held(connection, place, digests)
            until = _leases(connection, place, there)
        short = [one for one in there if until.get(one, 0) < now + _RENEW]
        if short:
            with self.database.writing() as connection:
                kept = held(connection, place, short, lock=True)
                _renew(connection, place, kept, now)
            there -= set(short) - kept
        return [one for one in dict.fromkeys(digests) if one not in there]

    def find(self, place: Place, digest: str) -> Stored | None:
        """Return where a piece of the stream lies; None where the stream has none."""
        with self.database.reading() as connection:
            row = connection.execute(
                _held_query(place, [digest], _piece.generation, _piece.size)
            ).first()
        return None if row is None else Stored(key_of(digest, row.generation), row.size)

    def accept(self, place: Place, digest: str, path: Path) -> None:
        """Take in a file whose bytes were found to have the digest; it may be moved.

        Raises:
            Refused: Storing took so long that it was given up.
            Exception: The bytes can't be stored; nothing is known of them then.
        """
        generation = self._seed().hex()[:16]
        row = {
            "digest": digest,
            "generation": generation,
            "size": path.stat().st_size,
            "state": "arriving",
            "since": self.clock(),
        }
        with self.database.writing() as connection:
            if self._attach(connection, place, digest) is not None:
                return
            insert(connection, schema.piece, [row])
        key = key_of(digest, generation)
        self.store.adopt(path, key)
        try:
            is_known = self._arrive(place, digest, generation)
        except IntegrityError:  # another upload of the same bytes was first by a moment
            is_known = self._arrive(place, digest, generation)
        if not is_known:
            self.store.delete(key)
            raise Refused(503, "again", "the upload took too long to be stored; send it again")

    def copy(self, source: Place, place: Place, digest: str) -> int | None:
        """Let a stream have a piece of another one; return its size, None where that has none."""
        with self.database.writing() as connection:
            if not held(connection, source, [digest]):
                return None
            return self._attach(connection, place, digest)

    def _arrive(self, place: Place, digest: str, generation: str) -> bool:
        """Let a piece be there whose bytes are stored; False where it was given up meanwhile."""
        mine = sa.and_(
            _piece.digest == digest,
            _piece.generation == generation,
            _piece.state == "arriving",
        )
        with self.database.writing() as connection:
            is_there = self._attach(connection, place, digest) is not None
            done = connection.execute(
                sa.update(schema.piece)
                .where(mine)
                .values(state="condemned" if is_there else "present", since=self.clock())
            )
            if not is_there and done.rowcount:
                self._attach(connection, place, digest)
        return bool(done.rowcount)

    def _attach(self, connection: Connection, place: Place, digest: str) -> int | None:
        """Give the stream a piece that is present; return its size, None where it is not."""
        size: int | None = connection.execute(
            sa.select(_piece.size)
            .where(_piece.digest == digest, _piece.state == "present")
            .with_for_update()
        ).scalar()
        if size is not None:
            now = self.clock()
            row = {**_row(place, digest), "since": now}
            upsert(connection, schema.piece_ref, [row], replace=False)
            while not held(connection, place, [digest], lock=True):  # it was just let go of
                upsert(connection, schema.piece_ref, [row], replace=False)
            _renew(connection, place, {digest}, now)
        return size


def held(
    connection: Connection, place: Place, digests: Sequence[str], *, lock: bool = False
) -> set[str]:
    """Return those that a stream has; with `lock`, it keeps them during this transaction."""
    found: set[str] = set()
    for some in chunks(digests):
        query = _held_query(place, sorted(some), _ref.digest)
        if lock:
            query = query.order_by(_ref.digest).with_for_update(of=schema.piece_ref)
        found.update(connection.execute(query).scalars())
    return found


def key_of(digest: str, generation: str) -> str:
    """Return the key under which a generation of a piece lies."""
    return f"pieces/{digest[:2]}/{digest}.{generation}"


def absent() -> Refused:
    """Return the one answer to whoever asks for what is not there, or not for him."""
    return Refused(404, "not_found", "there is no such stream or file")


def _held_query(place: Place, digests: Sequence[str], *columns: Any) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .join_from(schema.piece_ref, schema.piece, _piece.digest == _ref.digest)
        .where(
            _ref.registry == place.registry,
            _ref.stream == place.stream,
            _ref.digest.in_(digests),
            _piece.state == "present",
        )
    )


def _leases(connection: Connection, place: Place, digests: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in chunks(digests):
        rows = connection.execute(
            sa.select(_lease.digest, _lease.until).where(
                _lease.registry == place.registry,
                _lease.stream == place.stream,
                _lease.digest.in_(some),
            )
        )
        found.update((row.digest, row.until) for row in rows)
    return found


def _renew(connection: Connection, place: Place, digests: set[str], now: int) -> None:
    rows = [{**_row(place, one), "until": now + LEASE} for one in sorted(digests)]
    upsert(connection, schema.lease, rows)


def _row(place: Place, digest: str) -> dict[str, Any]:
    return {"registry": place.registry, "stream": place.stream, "digest": digest}
