"""The invariants of a sync, as they are checked once a simulated run is quiet."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from regtui.core.documents import Document, decode_document
from regtui.core.identity import alias_id, dataset_id, model_id, user_id
from regtui.core.operations import decode_operation, subject
from regtui.replica.remote import PENDING
from sync_server.authority import registry_row
from sync_server.examine import examine
from tests.sync.edits import MODELS
from tests.sync.shadow import Grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sync_server.rights import People
    from tests.sync.world import Person, World


class Logged(Struct, frozen=True):
    """An accepted operation as the server keeps it."""

    seq: int
    op: dict[str, Any]
    verdict: dict[str, Any]


class Held(Struct, frozen=True):
    """All that the server holds at one moment."""

    people: People
    documents: list[tuple[str, str]]
    log: list[Logged]
    sums: dict[str, tuple[int, str]]

    def readable(self, name: str) -> set[str]:
        """Return the models that somebody may read now, and the datasets."""
        rights = self.people.of(user_id(name))
        names = [one for one in MODELS if rights.since(one) is not None]
        return {model_id(one, 0) for one in names} | {dataset_id(one) for one in names}


def held_by(world: World) -> Held:
    """Read everything that the server holds."""
    with world.database.reading() as connection:
        row = registry_row(connection, world.registry, lock=False)
        assert row is not None
        run = connection.exec_driver_sql
        return Held(
            people=world.server.service.people.get(connection, row.key),
            documents=[
                (stream, bytes(body).decode())
                for stream, body in run("select stream, body from entity where stream <> 'access'")
            ],
            log=[
                Logged(seq, msgspec.json.decode(bytes(data)), msgspec.json.decode(bytes(verdict)))
                for seq, data, verdict in run(
                    "select seq, bytes, verdict from operation order by seq"
                )
            ],
            sums={
                stream: (count, total)
                for stream, count, total in run("select id, count, total from stream")
            },
        )


def check_replica(person: Person, held: Held, own: set[str]) -> None:
    """I1, I10, I14: a replica has what its user may read, whole, and nothing else."""
    readable = held.readable(person.name)
    want = {
        one.id: body
        for one, body in ((decode_document(body), body) for _, body in held.documents)
        if _place(one.stream, str(one.facts.get("of", one.id))) in readable
    }
    have = person.documents
    assert have.keys() == want.keys(), (
        f"I1: {person.home} has others: missing {want.keys() - have.keys()}, "
        f"extra {have.keys() - want.keys()}"
    )
    for identity, body in want.items():
        assert have[identity] == body, f"I1: {person.home} differs in {identity}"
    sums = person.table(
        "select s.id, t.documents, t.total from base.total t join base.stream s on s.key = t.stream"
    )
    for stream, count, total in sums:
        if stream in readable:
            assert (count, total) == held.sums[str(stream)], f"I1: the sum of {stream} differs"
    waiting = person.table(f"select count(*) from base.operation where seq >= {PENDING}")
    assert waiting == [(0,)], "I16: something still shows as waiting"
    assert person.table("select count(*) from base.shadow") == [(0,)]
    lacking = person.table(
        "select count(*) from base.version where key not in (select version from base.file)"
    )
    assert lacking == [(0,)], f"I1: {person.home} lacks lists of files"
    _check_hidden(person, readable, own)
    report = person.registry.verify_history()
    assert report.ok, f"I14: {report.problems}"


def _place(stream: str, entity: str) -> str:
    """Return what has to be readable: what is the registry's is judged by itself."""
    return entity if stream == "registry" else stream


def _check_hidden(person: Person, readable: set[str], own: set[str]) -> None:
    """I10: of what may not be read nothing is in any table, but for what its user made himself."""
    for (data,) in person.table("select bytes from base.operation"):
        operation = decode_operation(str(data).encode())
        place = _place(operation.stream, subject(operation))
        assert place in readable, f"I10: an operation of {place} leaked to {person.home}"
    hidden = [name for name in MODELS if model_id(name, 0) not in readable]
    tables = person.table(
        "select table_name from information_schema.tables where table_schema = 'base'"
    )
    for (table,) in tables:
        if table == "outbox":
            continue
        content = str(person.table(f"select * from base.{table}"))
        for name in hidden:
            leaked = set(re.findall(rf"{name}-canary-\d+", content)) - own
            assert not leaked, f"I10: {leaked} in {table} of {person.home}"


def check_server(world: World) -> None:
    """I14: chains, sums and digests of the server hold."""
    assert examine(world.database) == [], "I14"


def check_kept(
    held: Held, acknowledged: Iterable[str], made: Iterable[str], outboxes: set[str] | None
) -> None:
    """I2, I4: what was acknowledged is in the log, and every edit is there or in an outbox."""
    logged = [one.op["id"] for one in held.log]
    assert len(logged) == len(set(logged)), "I2: an operation is in the log twice"
    lost = set(acknowledged) - set(logged)
    assert not lost, f"I2: acknowledged writes are lost: {lost}"
    if outboxes is not None:
        gone = set(made) - set(logged) - outboxes
        assert not gone, f"I4: edits vanished: {gone}"


def check_numbers(held: Held) -> None:
    """I13: every version has a number, and no other one has it."""
    numbers: dict[tuple[str, int], str] = {}
    for stream, body in held.documents:
        document = decode_document(body)
        if document.kind == "version":
            number = document.facts["number"]
            assert number is not None, "I13: a version without a number"
            other = numbers.setdefault((stream, number), document.id)
            assert other == document.id, f"I13: the number {number} was given twice"


def check_merging(held: Held) -> None:
    """I5, I6: descriptions are never overwritten unseen, and nobody conflicts with himself.

    A second account of what the judge does: operations are walked in their order, and each that was
    applied must have seen what stood there, by its stamp or through the author's own operations.
    """
    by_id = {one.op["id"]: one for one in held.log}
    conflicts = [
        document
        for document in (decode_document(text) for _, text in held.documents)
        if document.kind == "conflict" and document.facts["path"] == "description"
    ]
    about = {one.id for one in conflicts}  # others are about an edit of what is deleted
    standing: dict[str, Logged] = {}
    for one in held.log:
        change = one.op["body"].get("set", {}).get("description")
        if change is None:
            continue
        body = one.op["body"]
        entity = body.get("of", one.op["entity"])  # that of a resolution is the conflict
        before = standing.get(entity)
        result = one.verdict.get("paths", {}).get("description")
        if result is None:
            assert before is None or _saw(one, before, by_id), (
                f"I5: {one.op['id']} overwrote {before.op['id']} unseen"
            )
            standing[entity] = one
        elif result.get("conflict") in about and one.op["kind"] == "version.edit":
            assert before is None or before.op["replica"] != one.op["replica"], (
                f"I6: {one.op['id']} conflicts with {before.op['id']} of its own replica"
            )
    for conflict in conflicts:
        _check_candidates(conflict, by_id)


def check_requests(held: Held) -> None:
    """No request moves an alias from where neither its author nor anybody behind it saw it."""
    by_id = {one.op["id"]: one for one in held.log}
    standing: dict[str, Logged] = {}
    for one in held.log:
        alias = alias_id(one.op["stream"], "champion")
        if alias not in one.verdict.get("documents", {}):
            continue
        before, saw = standing.get(alias), one.op["body"].get("saw")
        if before is not None and one.op["kind"] in {"promotion.request", "promotion.apply"}:
            seen = by_id.get(saw)
            assert (
                saw == before.op["id"]
                or before.op["replica"] == one.op["replica"]
                or (seen is not None and seen.op["actor"] == one.op["actor"])
            ), f"{one.op['id']} moved the alias over {before.op['id']} unseen"
        if "version" not in one.verdict.get("paths", {}):
            standing[alias] = one


def _saw(one: Logged, before: Logged, by_id: dict[str, Logged]) -> bool:
    if one.op["replica"] == before.op["replica"]:
        return True
    saw = one.op["body"]["set"]["description"].get("saw")
    for _ in itertools.repeat(None, len(by_id) + 1):
        if saw == before.op["id"]:
            return True
        past = by_id.get(saw)
        if past is None or past.op["actor"] != one.op["actor"]:
            return False
        result = past.verdict.get("paths", {}).get("description")
        if result is None:
            return False
        if result["result"] == "conflict":  # he took his own candidate back, or had it taken
            return bool(before.op["kind"] == "conflict.resolve")
        saw = result.get("stamp") or past.op["body"]["set"]["description"].get("saw")
    return False


def _check_candidates(conflict: Document, by_id: dict[str, Logged]) -> None:
    """Find a candidate that stands beside the one that it was built on.

    Two of one replica alone are none: who edits twice what he takes for deleted saw neither stand.
    """
    candidates = set(conflict.entries("candidates"))
    for identity in candidates & by_id.keys():
        change = by_id[identity].op["body"].get("set", {}).get("description", {})
        assert change.get("saw") not in candidates, f"I6: {identity} contends with what it saw"


def check_access(held: Held) -> None:
    """I11: everything that was accepted was allowed by a model of grants of the test's own."""
    grants = Grants()
    for one in held.log:
        if one.op["stream"] == "access":
            grants.take(one.op)
            continue
        assert grants.allows(one.op), f"I11: {one.op['kind']} {one.op['id']} was not allowed"


def check_all(world: World, people: Sequence[Person], written: dict[str, set[str]]) -> Held:
    """Check what holds whatever happened; `written` are the values that each user made."""
    held = held_by(world)
    for person in people:
        check_replica(person, held, written.get(person.name, set()))
    check_server(world)
    return held
