"""Collecting the pieces that nobody needs, and looking for damaged ones.

A collection goes through four steps, each of which may be stopped anywhere and done again:

1. *release*: a stream lets go of pieces that no version of it needs and whose lease is over.
   Deleted versions, and those of deleted models, need theirs for a grace period, for a deletion can
   be taken back. Where the list of a version's files has not come yet, its stream lets go of
   nothing;
2. *condemn*: what no stream has any more is condemned in the database. From then on it is not
   there for anybody, and who uploads it makes a new generation;
3. *delete*: what was condemned a while ago goes from the store, under its generation's key, which
   no upload ever uses again; then its row goes;
4. *sweep*: uploads that nobody went on with go.

Whoever promises that a piece is there holds its row's lock; the steps take the same locks and then
look again, so no promise is broken. Pages are small, so that others get their turn.
"""

import errno
from collections.abc import Callable, Iterator
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.documents import Document, decode_document
from regtui.core.errors import Damaged
from sync_server import schema
from sync_server.artifacts import Absent, ArtifactStore, digest_of
from sync_server.complete import manifest_text
from sync_server.database import Database, chunks
from sync_server.file_lists import files_of
from sync_server.pieces import Place, key_of
from sync_server.uploads import Uploads

GRACE = 14 * 86_400_000_000
"""Microseconds for which what was deleted keeps its files."""

ARRIVAL = 86_400_000_000
"""Microseconds that storing an upload may take."""

DELAY = 3_600_000_000
"""Microseconds between condemning and deleting: whoever began to read before may finish."""

_PAGE = 500

_piece, _ref, _lease = schema.piece.c, schema.piece_ref.c, schema.lease.c


class Collected(Struct, frozen=True):
    """What a collection did, or would do.

    Attributes:
        released: Pieces that streams let go of.
        condemned: Pieces that are not there for anybody any more.
        deleted: Pieces whose bytes went.
        size: Bytes of these.
        uploads: Uploads that nobody went on with.
        upload_size: Bytes of these.
    """

    released: int = 0
    condemned: int = 0
    deleted: int = 0
    size: int = 0
    uploads: int = 0
    upload_size: int = 0


class Damage(Struct, frozen=True):
    """A piece that is not what the database says: its digest, and what is wrong with it."""

    digest: str
    problem: Literal["missing", "damaged"]


def collect(  # noqa: PLR0913 -- everything that a collection depends on
    database: Database,
    store: ArtifactStore,
    uploads: Uploads,
    clock: Callable[[], int],
    *,
    grace: int = GRACE,
    delay: int = DELAY,
) -> Collected:
    """Collect what nobody needs.

    Args:
        database: The server's.
        store: Of the bytes.
        uploads: Those under way.
        clock: Returns microseconds.
        grace: Microseconds for which what was deleted keeps its files.
        delay: Microseconds between condemning and deleting.
    """
    released = _release(database, clock, grace)
    condemned = _condemn(database, clock)
    deleted, size = _delete(database, store, clock() - delay)
    files, upload_size = uploads.sweep()
    return Collected(released, condemned, deleted, size, files, upload_size)


def verify(
    database: Database, store: ArtifactStore, clock: Callable[[], int], *, mend: bool = False
) -> Iterator[Damage]:
    """Read every piece again, and yield those that are damaged or missing.

    Args:
        database: The server's.
        store: Of the bytes.
        clock: Returns microseconds.
        mend: Whether to condemn them, so that replicas that have the bytes upload them anew.
    """
    after = ""
    while True:
        with database.reading() as connection:
            rows = connection.execute(
                sa.select(_piece.digest, _piece.generation)
                .where(_piece.state == "present", _piece.digest > after)
                .order_by(_piece.digest)
                .limit(_PAGE)
            ).all()
        if not rows:
            return
        for digest, generation in rows:
            problem = _problem(store, digest, generation)
            if problem is None or not _is_present(database, digest, generation):
                continue
            if mend:
                _give_up(database, digest, generation, clock())
            yield Damage(digest, problem)
        after = rows[-1].digest


def _release(database: Database, clock: Callable[[], int], grace: int) -> int:
    with database.reading() as connection:
        streams = connection.execute(
            sa.select(_ref.registry, _ref.stream).distinct().order_by(_ref.registry, _ref.stream)
        ).all()
    count = 0
    for registry, stream in streams:
        place = Place(registry, stream)
        with database.reading() as connection:
            needed = _needed(connection, place, clock() - grace)
            if needed is None:
                continue
            kept = _leased(place, clock())
            found = connection.execute(
                sa.select(_ref.digest).where(_of(place), sa.not_(kept))
            ).scalars()
            unneeded = [digest for digest in found if digest not in needed]
        for some in chunks(unneeded):
            count += _let_go(database, place, sorted(some), clock())
    return count


def _let_go(database: Database, place: Place, digests: list[str], now: int) -> int:
    mine = sa.and_(_of(place), _ref.digest.in_(digests))
    with database.writing() as connection:
        connection.execute(
            sa.select(_ref.digest).where(mine).order_by(_ref.digest).with_for_update()
        ).all()
        gone = connection.execute(
            sa.delete(schema.piece_ref).where(mine, sa.not_(_leased(place, now)))
        )
        connection.execute(
            sa.delete(schema.lease).where(
                _lease.registry == place.registry,
                _lease.stream == place.stream,
                _lease.digest.in_(digests),
                _lease.until < now,
            )
        )
    return gone.rowcount


def _condemn(database: Database, clock: Callable[[], int]) -> int:
    referenced = sa.exists().where(_ref.digest == _piece.digest)
    leased = sa.exists().where(_lease.digest == _piece.digest, _lease.until >= clock())
    unused = sa.and_(_piece.state == "present", sa.not_(referenced), sa.not_(leased))
    stuck = sa.and_(_piece.state == "arriving", _piece.since < clock() - ARRIVAL)
    count = 0
    while True:
        with database.writing() as connection:
            found = connection.execute(
                sa.select(_piece.digest, _piece.generation)
                .where(sa.or_(unused, stuck))
                .order_by(_piece.digest)
                .limit(_PAGE)
                .with_for_update(skip_locked=True)  # what somebody holds is in use
            ).all()
            if not found:
                return count
            generations = [row.generation for row in found]
            done = connection.execute(
                sa.update(schema.piece)
                .where(
                    _piece.digest.in_([row.digest for row in found]),
                    _piece.generation.in_(generations),
                    sa.or_(unused, stuck),
                )
                .values(state="condemned", since=clock())
            )
        count += done.rowcount


def _delete(database: Database, store: ArtifactStore, before: int) -> tuple[int, int]:
    count = size = 0
    while True:
        with database.reading() as connection:
            rows = connection.execute(
                sa.select(_piece.digest, _piece.generation, _piece.size)
                .where(_piece.state == "condemned", _piece.since <= before)
                .order_by(_piece.digest, _piece.generation)
                .limit(_PAGE)
            ).all()
        if not rows:
            return count, size
        for row in rows:
            store.delete(key_of(row.digest, row.generation))
            count, size = count + 1, size + row.size
        with database.writing() as connection:
            for row in rows:
                connection.execute(
                    sa.delete(schema.piece).where(
                        _piece.digest == row.digest, _piece.generation == row.generation
                    )
                )


def _needed(connection: Connection, place: Place, limit: int) -> set[str] | None:
    """Return the pieces that a stream's versions need; None where that can't be told."""
    e = schema.entity.c
    bodies = connection.execute(
        sa.select(e.body).where(
            e.registry == place.registry,
            e.stream == place.stream,
            e.kind.in_(["model", "version"]),
        )
    ).scalars()
    documents = [decode_document(bytes(body)) for body in bodies]
    if any(one.kind == "model" and _is_gone(one, limit) for one in documents):
        return set()
    needed: set[str] = set()
    for content in {
        str(one.facts["digest"])
        for one in documents
        if one.kind == "version" and not _is_gone(one, limit)
    }:
        text = manifest_text(connection, content)
        if text is None:
            return None
        try:
            needed.update(entry.digest for entry in files_of(text))
        except Damaged:
            continue  # it names nothing that anybody could ask for
    return needed


def _is_gone(document: Document, limit: int) -> bool:
    """Tell whether something was deleted, and so long ago that its files may go."""
    register = document.fields.get("state")
    return register is not None and register.v == "deleted" and register.at < limit


def _of(place: Place) -> sa.ColumnElement[bool]:
    return sa.and_(_ref.registry == place.registry, _ref.stream == place.stream)


def _leased(place: Place, now: int) -> Any:
    return sa.exists().where(
        _lease.registry == place.registry,
        _lease.stream == place.stream,
        _lease.digest == _ref.digest,
        _lease.until >= now,
    )


def _problem(
    store: ArtifactStore, digest: str, generation: str
) -> Literal["missing", "damaged"] | None:
    try:
        found = digest_of(store.blocks(key_of(digest, generation)))
    except Absent:
        return "missing"
    except OSError as error:
        if error.errno != errno.EIO:  # the store can't be reached: that says nothing of the piece
            raise
        return "damaged"
    return None if found == digest else "damaged"


def _is_present(database: Database, digest: str, generation: str) -> bool:
    with database.reading() as connection:
        state = connection.execute(
            sa.select(_piece.state).where(_piece.digest == digest, _piece.generation == generation)
        ).scalar()
    return state == "present"


def _give_up(database: Database, digest: str, generation: str, now: int) -> None:
    with database.writing() as connection:
        connection.execute(
            sa.update(schema.piece)
            .where(
                _piece.digest == digest,
                _piece.generation == generation,
                _piece.state == "present",
            )
            .values(state="condemned", since=now)
        )
