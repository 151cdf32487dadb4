"""Looking at stored files: whether loading one runs code.

A policy may ask that no file of a version does (`safe_files`). The server answers from its own look
at the bytes that it holds, never from what a replica says. Before a push is judged, and before the
registry's row is taken, the versions are found that its operations would bring to a target with
such a policy; their files that nobody looked at are looked at now, and what was found is kept. The
judge then only reads verdicts (`contents`).

Bounds: one look at a time in a process, `WORKERS` files at once, each read through a cache of
`CACHED` blocks and parsed within the limits of `regtui.formats`; `SECONDS` for a push, and for one
file. What is left when they are over is not safe yet: the move is refused with that reason, what
was found until then is kept, and trying again goes on from there.

What a file is depends on what it would be opened as, so a verdict belongs to bytes and the ending
of a name. One by an older reader does not count and is made anew; neither does one of a file that
could not be read, of which only the reason is kept.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.access import REQUIRED, Actor, has_role, reports
from regtui.core.documents import Document
from regtui.core.errors import BadInput, Damaged
from regtui.core.identity import alias_key
from regtui.core.judgement.moving import EDITS
from regtui.core.manifest import FileEntry
from regtui.core.operations import (
    AliasBody,
    DeploymentBody,
    Operation,
    PolicyBody,
    ReportBody,
    RequestBody,
    ResolveBody,
    TransitionBody,
)
from regtui.core.policies import environment_key, meets, protecting, target_of
from regtui.formats import detect
from regtui.formats.layout import suffix_of
from regtui.formats.values import Facts
from sync_server import schema
from sync_server.artifacts import Absent, ArtifactStore
from sync_server.authority import RegistryRow, Sent
from sync_server.complete import manifest_text
from sync_server.database import Database, chunks, upsert
from sync_server.file_lists import files_of
from sync_server.logs import note_failure
from sync_server.pieces import Place, key_of
from sync_server.rights import PeopleCache
from sync_server.view import ServerView

SECONDS = 15.0
"""For how long one push is held up by looking at files, and one file looked at."""

WAITING = 4
"""Pushes that wait for a look at a time; others are judged by what is known."""

VERSIONS = 100
"""Versions that are looked at for one push."""

WORKERS = 2
BLOCK = 256 << 10
"""Bytes that are read at a time."""

CACHED = 64
"""Blocks of a file that are kept."""

UNREAD = 0
"""The reader of a file that could not be read: older than any."""

SAFE = frozenset({"no-code", "tensors-only"})
"""What may be loaded the usual way without code being run that the file chooses."""

_TOLD = {
    "needs-classes": "loading it runs code of the classes that it names",
    "dangerous": "loading it runs code that it chooses",
    "unread": "what it holds is not known",
}
_SAVED_MODEL = "saved_model.pb"
_REASON = 300


class Target(Struct, frozen=True):
    """What an operation would move where: the version, and the alias or environment."""

    stream: str
    kind: str
    name: str
    version: str


class Job(Struct, frozen=True):
    """A file to look at: its digest, a name of it, where it lies and its size."""

    digest: str
    path: str
    key: str
    size: int


class Found(Struct, frozen=True):
    """What a file was found to be."""

    reader: int
    safe: bool
    reason: str


class Scans:
    """Looks at files before operations are judged.

    Args:
        database: The server's.
        store: Of the bytes.
        people: Knows everybody's rights.
        seconds: See `SECONDS`.
    """

    def __init__(
        self,
        database: Database,
        store: ArtifactStore,
        people: PeopleCache,
        seconds: float = SECONDS,
    ) -> None:
        self._database = database
        self._store = store
        self._people = people
        self._seconds = seconds
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(WAITING)

    def look(self, row: RegistryRow, sent: Sequence[Sent], actor: Actor) -> None:
        """Look at the files of the versions that operations would move, as far as it is needed.

        Args:
            row: The registry.
            sent: What was pushed.
            actor: Who pushed it: for who may not do it nothing is looked at.
        """
        operations = [one.operation for one in sent if one.operation is not None]
        if not any(_may_move(one) for one in operations) or not self._jobs(row, operations, actor):
            return
        if not self._waiting.acquire(blocking=False):
            return
        try:
            end = time.monotonic() + self._seconds
            if self._turn.acquire(timeout=self._seconds):
                try:
                    self._work(self._jobs(row, operations, actor), end)
                except sa.exc.DBAPIError as error:
                    # The gate says that nobody looked: who sent it can go on with other things.
                    note_failure(error, registry=row.id)
                finally:
                    self._turn.release()
        finally:
            self._waiting.release()

    def _jobs(self, row: RegistryRow, operations: list[Operation], actor: Actor) -> list[Job]:
        with self._database.reading() as connection:
            view = ServerView(connection, row.key, row.seq + 1, numbers=False, people=self._people)
            found: dict[str, Document] = {}
            for target in wanted(operations, view, actor):
                version = view.document(target.version)
                if version is None or version.kind != "version" or version.stream != target.stream:
                    continue
                found[version.id] = version
            return [job for one in found.values() for job in _unknown(connection, row.key, one)]

    def _work(self, jobs: list[Job], end: float) -> None:
        """Look at files until the time is over; what was found is kept now and then."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for start in range(0, len(jobs), 8 * WORKERS):
                if time.monotonic() >= end:
                    return
                some = jobs[start : start + 8 * WORKERS]
                found = list(pool.map(lambda job: self._found(job, end), some))
                self._keep([pair for pair in zip(some, found, strict=True) if pair[1] is not None])

    def _found(self, job: Job, end: float) -> Found | None:
        """Return what a file is; None where there was no time for it."""
        began = time.monotonic()
        if began >= end:
            return None
        source = StoredSource(self._store, job.key, job.size, began + self._seconds)
        try:
            return _judged(detect.read(source, job.path))
        except OSError as error:
            return Found(UNREAD, False, f"it could not be read: {error}"[:_REASON])

    def _keep(self, found: Sequence[tuple[Job, Found | None]]) -> None:
        rows = [
            {
                "digest": job.digest,
                "suffix": ending(job.path),
                "reader": one.reader,
                "safe": one.safe,
                "reason": one.reason,
            }
            for job, one in found
            if one is not None
        ]
        if rows:
            rows.sort(key=lambda one: (one["digest"], one["suffix"]))  # locks come in one order
            with self._database.writing() as connection:
                upsert(connection, schema.scan, rows)


class StoredSource:
    """The bytes of a stored piece, read in blocks of which some are kept.

    Args:
        store: Where they lie.
        key: Under what.
        size: How many there are.
        end: When to give up, by the monotonic clock.
    """

    def __init__(self, store: ArtifactStore, key: str, size: int, end: float) -> None:
        self._store = store
        self._key = key
        self._size = size
        self._end = end
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, at most `length`.

        Raises:
            OSError: The store failed, or it took too long.
        """
        end = min(offset + length, self._size)
        if offset < 0 or offset >= end:
            return b""
        if end - offset > BLOCK * CACHED // 4:
            return self._range(offset, end)
        first, last = offset // BLOCK, (end - 1) // BLOCK
        got = b"".join(self._block(number) for number in range(first, last + 1))
        return got[offset - first * BLOCK : end - first * BLOCK]

    def _block(self, number: int) -> bytes:
        block = self._blocks.pop(number, None)
        if block is None:
            block = self._range(number * BLOCK, min((number + 1) * BLOCK, self._size))
            while len(self._blocks) >= CACHED:
                self._blocks.popitem(last=False)
        self._blocks[number] = block
        return block

    def _range(self, start: int, end: int) -> bytes:
        if time.monotonic() > self._end:
            raise OSError("looking at it took too long")
        try:
            got = b"".join(self._store.blocks(self._key, start, end))
        except Absent:
            raise OSError("its bytes are missing") from None
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 -- a bucket fails in its own ways
            raise OSError(f"the store failed ({type(error).__name__})") from None
        if len(got) != end - start:
            raise OSError("bytes of it are missing")
        return got


SUFFIX_LIMIT = 40
"""Characters of what a file's name ends with, beyond which nothing opens it for that."""


def ending(path: str) -> str:
    """Return the part of a file's name by which it is told what opens it; none that is no word."""
    if path.lower().endswith(_SAVED_MODEL):
        return _SAVED_MODEL
    suffix = suffix_of(path)
    return suffix if len(suffix) <= SUFFIX_LIMIT and suffix.isprintable() else ""


def named(version: Document, files: Iterable[FileEntry]) -> list[tuple[str, str]]:
    """Return path and digest of a version's files, sorted.

    One that was captured alone has no path: it is given each name that it had where it was found.
    """
    places = version.entries("places").values()
    alone = {str(one.get("name", "")) for one in places if isinstance(one, dict)} or {""}
    return sorted(
        {(path, one.digest) for one in files for path in ([one.path] if one.path else alone)}
    )


def verdicts(connection: Connection, paths: Iterable[tuple[str, str]]) -> dict[Any, Found]:
    """Return what files were found to be, by digest and ending.

    Args:
        connection: Reads one moment.
        paths: Path and digest of files.
    """
    c = schema.scan.c
    found: dict[Any, Found] = {}
    for some in chunks(digest for _, digest in paths):
        for row in connection.execute(sa.select(schema.scan).where(c.digest.in_(some))):
            found[row.digest, row.suffix] = Found(row.reader, row.safe, row.reason)
    return found


def wanted(operations: Sequence[Operation], view: ServerView, actor: Actor) -> list[Target]:
    """Return what operations would move to a target that lets in only what runs no code."""
    policies = view.in_stream("registry", "policy")
    new = [one.body for one in operations if isinstance(one.body, PolicyBody)]
    if not _any_asks(policies, new):
        return []
    coming = Coming(operations)
    found: dict[Target, None] = {}
    for operation in operations:
        if not _may_move(operation):
            continue
        model = view.document(operation.stream)
        name = "" if model is None else str(model.value("name"))
        if model is None or model.kind != "model" or not _may(actor, operation.kind, name):
            continue
        for one in _targets(operation, coming, view):
            if one not in found and _asks(policies, new, name, one.kind, one.name):
                found[one] = None
        if len(found) >= VERSIONS:
            break
    return list(found)


class Coming:
    """What comes along in one push: requests and deployments that others of it are about.

    Args:
        operations: Of the push.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.first = {
            one.entity: one
            for one in operations
            if isinstance(one.body, RequestBody | DeploymentBody)
        }
        self.of_version: dict[str | None, list[Operation]] = {}
        for one in operations:
            if isinstance(one.body, RequestBody):
                self.of_version.setdefault(one.body.version, []).append(one)


def _any_asks(policies: list[Document], new: list[PolicyBody]) -> bool:
    definitions = [one.value("definition") for one in policies if one.value("state") == "active"]
    definitions += [one.set["definition"].to for one in new if "definition" in one.set]
    return any(isinstance(one, dict) and one.get("safe_files") is True for one in definitions)


def _may_move(operation: Operation) -> bool:
    body = operation.body
    return (
        isinstance(body, AliasBody | ResolveBody | RequestBody | DeploymentBody | ReportBody)
        or operation.kind in {"promotion.review", "promotion.apply"} | EDITS
        or (isinstance(body, TransitionBody) and body.to == "live")
    )


def _may(actor: Actor, kind: str, name: str) -> bool:
    may_report = kind == "check.report" and reports(actor, name)
    return may_report or has_role(actor, name, REQUIRED[kind])


def _asks(
    policies: list[Document], new: list[PolicyBody], name: str, kind: str, target: str
) -> bool:
    """Tell whether a policy of a target, one that comes along included, asks for safe files."""
    asked = [one.value("definition") for one in protecting(policies, name, kind, target)]
    for body in new:
        change = body.set.get("definition")
        if (
            change is not None
            and meets(body.models, name)
            and _target_of(change.to)
            == (
                kind,
                target,
            )
        ):
            asked.append(change.to)
    return any(isinstance(one, dict) and one.get("safe_files") is True for one in asked)


def _target_of(definition: Any) -> tuple[str, str] | None:
    try:
        return target_of(definition)
    except BadInput:
        return None


def _targets(operation: Operation, coming: Coming, view: ServerView) -> Iterator[Target]:
    """Yield what an operation would move, whether or not it may."""
    body, stream = operation.body, operation.stream
    if isinstance(body, AliasBody):
        yield from _target(stream, "alias", body.name, _set(body))
    elif isinstance(body, RequestBody):
        yield from _target(stream, body.target_kind, body.target, body.version)
    elif isinstance(body, DeploymentBody):
        yield from _target(stream, "environment", body.environment, body.version)
    elif isinstance(body, ResolveBody):
        yield from _of_resolution(body, stream, view)
    elif isinstance(body, ReportBody):
        yield from _of_version(body.version, stream, coming, view)
    elif operation.kind == "version.edit":
        yield from _of_version(operation.entity, stream, coming, view)
    elif operation.kind == "model.edit":
        yield from _applying_themselves(view.in_stream(stream, "promotion"), stream)
    else:
        yield from _of_subject(operation, coming, view)


def _of_resolution(body: ResolveBody, stream: str, view: ServerView) -> Iterator[Target]:
    alias = view.document(body.of) if body.of_kind == "alias" else None
    if alias is not None and alias.kind == "alias":
        yield from _target(stream, "alias", str(alias.facts["name"]), _set(body))


def _of_version(version: str, stream: str, coming: Coming, view: ServerView) -> Iterator[Target]:
    """Yield what requests would move that may be applied by a report or an edit of a version."""
    yield from _applying_themselves(view.about(version, "promotion"), stream)
    for other in coming.of_version.get(version, ()):
        yield from _targets(other, coming, view)


def _applying_themselves(promotions: Iterable[Document], stream: str) -> Iterator[Target]:
    for promotion in promotions:
        if promotion.value("state") == "open" and promotion.facts["auto"]:
            yield from _of_document(promotion, stream)


def _of_subject(operation: Operation, coming: Coming, view: ServerView) -> Iterator[Target]:
    """Yield what the request or deployment of an operation is about; it may come along."""
    document = view.document(operation.entity)
    first = coming.first.get(operation.entity)
    if document is not None:
        yield from _of_document(document, operation.stream)
    elif first is not None:
        yield from _targets(first, coming, view)


def _of_document(document: Document, stream: str) -> Iterator[Target]:
    facts = document.facts
    if document.kind == "promotion":
        yield from _target(stream, facts["target_kind"], facts["target"], facts["version"])
    elif document.kind == "deployment":
        yield from _target(stream, "environment", facts["environment_name"], facts["version"])


def _target(stream: str, kind: str, name: str, version: Any) -> Iterator[Target]:
    if not isinstance(version, str):
        return
    try:
        key = alias_key(name) if kind == "alias" else environment_key(name)
    except BadInput:
        return
    yield Target(stream, kind, key, version)


def _set(body: AliasBody | ResolveBody) -> Any:
    change = body.set.get("version")
    return None if change is None else change.to


def _unknown(connection: Connection, registry: int, version: Document) -> Iterator[Job]:
    """Yield the files of a version that are here and were not looked at by this reader."""
    try:
        text = manifest_text(connection, str(version.facts["digest"])) or b"[]"
        files = named(version, files_of(text))
    except Damaged:
        return
    known = verdicts(connection, files)
    todo = {
        (digest, ending(path)): path
        for path, digest in files
        if (found := known.get((digest, ending(path)))) is None or found.reader != detect.READER
    }
    place = Place(registry, version.stream)
    stored = _stored(connection, place, {digest for digest, _ in todo})
    for (digest, _), path in sorted(todo.items()):
        if digest in stored:
            generation, size = stored[digest]
            yield Job(digest, path, key_of(digest, generation), size)


def _stored(connection: Connection, place: Place, digests: set[str]) -> dict[str, Any]:
    p, r = schema.piece.c, schema.piece_ref.c
    found: dict[str, Any] = {}
    for some in chunks(sorted(digests)):
        rows = connection.execute(
            sa.select(p.digest, p.generation, p.size)
            .join_from(schema.piece_ref, schema.piece, p.digest == r.digest)
            .where(
                r.registry == place.registry,
                r.stream == place.stream,
                r.digest.in_(some),
                p.state == "present",
            )
        )
        found.update((row.digest, (row.generation, row.size)) for row in rows)
    return found


def _judged(facts: Facts) -> Found:
    if facts.safety in SAFE:
        return Found(detect.READER, True, "")
    told = _TOLD[facts.safety]
    if facts.safety == "dangerous" and facts.globals:
        told = f"{told} ({', '.join(facts.globals[:3])})"
    elif facts.problem:
        told = f"{told}: {facts.problem}"
    return Found(detect.READER, False, told[:_REASON])
