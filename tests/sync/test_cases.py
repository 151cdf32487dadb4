"""Each case that the protocol names, by itself: real replicas and the real server, one test a case.

Cases about protected aliases and approvals are not here: nothing of them is built yet.
"""

import contextlib
import json
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
import sqlalchemy as sa
from msgspec import Raw

from regtui.core import encoding, judgement
from regtui.core.documents import decode_document
from regtui.core.errors import RegtuiError, Unreachable
from regtui.core.identity import model_id
from regtui.core.operations import UnknownKind, decode_operation
from regtui.replica.remote import read_remote
from regtui.sync import healing
from regtui.sync.client import SyncClient, Synced
from regtui.wire.messages import Answer, Offer, Push
from sync_server import schema
from sync_server.authority import Authority, Refused, registry_row
from sync_server.complete import missing_of_version
from sync_server.database import Database
from sync_server.examine import examine
from sync_server.healing import close, new_epoch
from tests.sync.faults import Broken, Fuse
from tests.sync.world import Person, World, signed_in

HOUR = 3_600_000_000
SLOW = pytest.mark.slow


def capture(person: Person, content: str, model: str = "bert") -> str:
    """Capture a file of this content; return the version's id."""
    file = person.world.folder / f"{content}.bin"
    file.write_text(content)
    return person.registry.capture(file, model=model).version.id


def sync_all(*people: Person) -> None:
    """Let everybody have what everybody did."""
    for _ in range(2):
        for person in people:
            person.sync()


def value(person: Person, version: str, path: str) -> Any:
    return decode_document(person.documents[version]).value(path)


def request_of(person: Person) -> Any:
    """Seal what is sent next, and keep it from being sent."""
    return person.client.prepare()


@contextlib.contextmanager
def changing(world: World) -> Iterator[Authority]:
    """Change the server's state as its operator does."""
    with world.database.writing() as connection:
        row = registry_row(connection, world.registry, lock=True)
        assert row is not None
        authority = Authority(connection, row, world.clock())
        yield authority
        authority.flush()


def back_up(world: World, name: str = "backup") -> Path:
    copy = world.folder / name
    with (
        contextlib.closing(sqlite3.connect(world.folder / "server.sqlite")) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def put_back(world: World, copy: Path, *, told: bool) -> None:
    """Let the server run on an older file; where `told`, as `regtui-server restore` does."""
    world.database.close()
    for end in ("-wal", "-shm"):
        (world.folder / f"server.sqlite{end}").unlink(missing_ok=True)
    shutil.copyfile(copy, world.folder / "server.sqlite")
    world.database = Database(world.url)
    world.server = world.open_server()
    if told:
        with changing(world) as authority:
            secrets = world.server.secrets
            new_epoch(authority.connection, authority, "restored", secrets, world.seed())


def numbers_of(person: Person) -> dict[str, int | None]:
    return {one.id: one.number for one in person.registry.versions("").versions}


def is_healing(world: World) -> bool:
    return world.server.registry().healing


def close_healing(world: World) -> int:
    with changing(world) as authority:
        return close(authority)


def test_clock_skew_decides_no_order(world: World, ann: Person, ben: Person) -> None:
    """What saw another value stands, however wrong the clocks are."""
    version = capture(ann, "one")
    sync_all(ann, ben)
    ben.skew = 365 * 24 * HOUR
    ben.registry.edit("bert@1", {"tags/env": "ben's"})
    sync_all(ben, ann)
    ann.skew = -365 * 24 * HOUR
    ann.registry.edit("bert@1", {"tags/env": "ann's"})
    sync_all(ann, ben)
    assert value(ben, version, "tags/env") == "ann's"
    with ben.replica.reading() as connection:
        remote = read_remote(connection)
    assert remote is not None
    assert abs(remote.skew_us - ben.skew) < HOUR


def test_a_clock_ahead_wins_ties_for_five_minutes_at_most(
    world: World, ann: Person, ben: Person
) -> None:
    version = capture(ann, "one")
    sync_all(ann, ben)
    ben.skew = 365 * 24 * HOUR
    ben.registry.edit("bert@1", {"tags/env": "ben's"})
    ben.sync()
    world.now += HOUR
    ann.registry.edit("bert@1", {"tags/env": "ann's"})
    sync_all(ann, ben)
    assert value(ben, version, "tags/env") == "ann's"
    told = {after for (after,) in ann.table("select after from base.log")}
    assert '"ben\'s"' in told  # the other value is not lost


def test_replica_restored_from_backup(world: World, ann: Person, ben: Person) -> None:
    """It takes a new id at its first new operation, and loses nothing that was sent since."""
    capture(ann, "one")
    ann.sync()
    ann.replica.close()
    database = ann.replica.home.database
    shutil.copyfile(database, world.folder / "copy")
    ann.registry.edit("bert@1", {"description": "after the backup"})
    ann.sync()
    before = ann.table("select id from base.replica")
    ann.replica.close()
    shutil.copyfile(world.folder / "copy", database)
    ann.registry.edit("bert@1", {"tags/env": "prod"})
    done = ann.sync()
    assert (done.accepted, done.rejected, done.pending) == (1, 0, 0)
    assert ann.table("select id from base.replica") != before
    found = ann.registry.version("bert@1")
    assert (found.description, found.tags) == ("after the backup", {"env": "prod"})
    ben.sync()
    assert ben.documents == ann.documents


def test_what_a_restored_replica_sent_already_gets_the_same_verdicts(
    world: World, ann: Person
) -> None:
    capture(ann, "one")
    request_of(ann)  # sealed, and then backed up
    ann.replica.close()
    shutil.copyfile(ann.replica.home.database, world.folder / "copy")
    assert ann.sync().accepted == 2
    verdicts = log_of(world)
    ann.replica.close()
    shutil.copyfile(world.folder / "copy", ann.replica.home.database)
    done = ann.sync()
    assert (done.accepted, done.pending) == (2, 0)
    assert log_of(world) == verdicts
    assert ann.registry.version("bert@1").number == 1


def log_of(world: World) -> list[tuple[int, str, bytes]]:
    """Return number, id and verdict of the operations on models that the server accepted."""
    o = schema.operation.c
    with world.database.reading() as connection:
        rows = connection.execute(
            sa.select(o.seq, o.id, o.verdict).where(o.stream != "access").order_by(o.seq)
        )
        return [(seq, identity, bytes(verdict)) for seq, identity, verdict in rows]


def test_cloned_replica(world: World, ann: Person) -> None:
    """What waits in both twins is applied once; each goes on under an id of its own."""
    capture(ann, "one")
    ann.sync()
    ann.registry.edit("bert@1", {"description": "waits in both"})
    ann.replica.close()
    home = world.folder / "twin"
    shutil.copytree(ann.replica.home.path, home)
    twin = Person.__new__(Person)
    twin.take_over(world, "ann", home)
    ann.registry.edit("bert@1", {"tags/one": "1"})
    twin.registry.edit("bert@1", {"tags/two": "2"})
    sync_all(ann, twin)
    ids = [person.table("select id from base.replica") for person in (ann, twin)]
    assert ids[0] != ids[1]
    assert ann.documents == twin.documents
    assert ann.registry.version("bert@1").tags == {"one": "1", "two": "2"}
    assert len(log_of(world)) == 5
    twin.replica.close()


def test_duplicate_reordered_and_late_delivery(world: World, ann: Person, ben: Person) -> None:
    """A request twice, an answer twice and an answer behind a later one change nothing."""
    capture(ann, "one")
    first = request_of(ann)
    answer = ann.wire.sync(first.registry, first.push)
    again = ann.wire.sync(first.registry, first.push)
    assert [bytes(one) for one in again.verdicts] == [bytes(one) for one in answer.verdicts]
    ann.sync()
    ben.sync()
    ben.registry.edit("bert@1", {"description": "newer"})
    sync_all(ben, ann)
    want, log = dict(ann.documents), log_of(world)
    anchor = ann.table("select anchor, cursor from base.remote")
    for late in (answer, again, answer):
        ann.client.absorb(first, late, Synced())
        assert ann.documents == want
        assert ann.table("select anchor, cursor from base.remote") == anchor
    ann.wire.sync(first.registry, first.push)
    assert log_of(world) == log
    ann.sync()
    assert ann.documents == ben.documents


def test_partial_push(world: World, ann: Person, ben: Person) -> None:
    """A server that dies anywhere in a request has taken all of it or nothing."""
    capture(ann, "one")
    ann.registry.edit("bert", {"description": "of the model"})
    request = request_of(ann)
    fuse = Fuse()
    fuse.guard(world.database)
    statement, failures = 0, 0
    while True:
        statement += 1
        fuse.left = statement
        try:
            ann.wire.sync(request.registry, request.push)
        except Broken:
            failures += 1
            assert len(log_of(world)) in {0, len(request.push.ops)}
            continue
        finally:
            fuse.left = 0
        break
    assert failures > 10
    done = ann.sync()
    assert (done.accepted, done.pending) == (3, 0)
    assert len(log_of(world)) == 3
    ben.sync()
    assert ben.documents == ann.documents


def test_server_restored(world: World, ann: Person, ben: Person) -> None:
    """What it lost comes back with verdicts and numbers as they were; nobody does anything."""
    capture(ann, "one")
    ann.sync()
    backup = back_up(world)
    capture(ann, "two")
    ann.registry.edit("bert@1", {"description": "since the backup"})
    sync_all(ann, ben)
    ben.registry.edit("bert@2", {"tags/env": "ben's"})
    sync_all(ben, ann)
    want = {(one, verdict) for _, one, verdict in log_of(world)}
    put_back(world, backup, told=True)
    sync_all(ben, ann, ben)  # ben's edit is of a version that ann has still to bring back
    assert is_healing(world)
    assert {one for _, one, _ in log_of(world)} == {one for one, _ in want}
    close_healing(world)
    sync_all(ann, ben)
    assert ann.documents == ben.documents
    found = ben.registry.version("bert@2")
    assert found.tags == {"env": "ben's"}
    assert ben.registry.version("bert@1").description == "since the backup"


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request offer two operations at most."""
    monkeypatch.setattr(healing, "OFFERS_LIMIT", 2)


def offered_by(person: Person) -> list[str]:
    """Return where ids of the operations go that a person offers from now on."""
    offered: list[str] = []
    plain = person.wire.sync

    def listening(registry: str, push: Push) -> Answer:
        offered.extend(msgspec.json.decode(bytes(one.op))["id"] for one in push.offers)
        return plain(registry, push)

    person.wire.sync = listening  # type: ignore[method-assign]
    return offered


def test_one_sync_brings_back_all_that_was_lost(
    world: World, ann: Person, ben: Person, small_windows: None
) -> None:
    ann.sync()
    backup = back_up(world)
    ann.registry.create_model("bert")
    for place in range(6):
        ann.registry.edit("bert", {f"tags/t{place}": "x"})
    ann.sync()
    put_back(world, backup, told=True)
    done = ann.sync()
    assert (done.accepted, done.rejected, done.requests) == (7, 0, 5)
    assert ann.table("select id from base.outbox") == []
    ben.sync()
    assert len(ben.registry.model("bert").tags) == 6


def test_what_waits_for_others_holds_up_nothing_behind_it(
    world: World, ann: Person, ben: Person, small_windows: None
) -> None:
    """Ben edited a model that only ann can bring back; what else he did comes all the same."""
    ann.registry.create_model("bert")
    sync_all(ann, ben)
    backup = back_up(world)
    ann.registry.create_model("zeta")
    sync_all(ann, ben)
    for place in range(3):
        ben.registry.edit("zeta", {f"tags/t{place}": "x"})
    ben.registry.edit("bert", {"description": "behind"})
    sync_all(ben, ann)
    put_back(world, backup, told=True)
    assert ben.sync().rejected == 0
    ann.sync()
    assert ann.registry.model("bert").description == "behind"
    assert ben.table("select count(*) from base.outbox") == [(3,)]
    sync_all(ben, ann)
    assert ben.table("select count(*) from base.outbox") == [(0,)]
    assert len(ann.registry.model("zeta").tags) == 3


def test_what_waits_is_sent_behind_what_it_builds_on(
    world: World, ann: Person, small_windows: None
) -> None:
    ann.sync()
    backup = back_up(world)
    for name in ("a", "b", "c"):
        ann.registry.create_model(name)
    ann.sync()
    put_back(world, backup, told=True)
    ann.registry.edit("c", {"description": "waits"})
    done = ann.sync()
    assert (done.accepted, done.rejected, done.pending) == (4, 0, 0)


def test_what_was_not_read_back_is_offered_behind_what_it_builds_on(
    world: World, ann: Person, ben: Person
) -> None:
    """Where healing is closed, nothing waits for what comes later."""
    backup = back_up(world)
    for place in range(20):
        ben.registry.create_model(f"m{place:02}")
    ann.registry.create_model("bert")
    sync_all(ann, ben)
    ann.registry.edit("bert", {"description": "since"})
    ann.sync()
    for place in range(20):
        ben.registry.edit(f"m{place:02}", {"description": "newer"})
    ben.sync()
    ann.registry.edit("bert", {"description": "not read back"})
    ann.connect(8)
    assert not ann.turn()
    assert ann.table("select state from base.outbox") == [("acknowledged",)]
    put_back(world, backup, told=True)
    close_healing(world)
    assert ann.sync().rejected == 0
    assert ann.registry.model("bert").description == "not read back"


def test_a_replica_offers_what_is_newer_than_the_backup(world: World, ann: Person) -> None:
    ann.registry.create_model("bert")
    ann.sync()
    backup = back_up(world)
    ann.registry.edit("bert", {"description": "since"})
    ann.sync()
    put_back(world, backup, told=True)
    offered = offered_by(ann)
    assert ann.sync().accepted == 1
    assert offered == [log_of(world)[-1][1]]


def test_a_receipt_proves_the_operation_that_it_is_of_and_no_other_of_its_id(
    world: World, ann: Person, ben: Person
) -> None:
    ann.registry.create_model("bert")
    sync_all(ann, ben)
    world.grant("ben", "contributor", "*")
    backup = back_up(world)
    ben.registry.add_comment("bert", "innocent")
    ben.sync()
    put_back(world, backup, told=True)
    told: list[Any] = []
    ask = ben.wire.sync

    def forge(registry: str, push: Push) -> Answer:
        forged = [msgspec.structs.replace(one, op=_deleting(one.op)) for one in push.offers]
        if not forged:
            return ask(registry, push)
        # Once instead of what the server accepted, once behind it.
        for offers in (forged, [*push.offers, *forged]):
            answer = ask(registry, msgspec.structs.replace(push, offers=offers))
            told.append([msgspec.json.decode(bytes(one)).get("code") for one in answer.verdicts])
        return ask(registry, push)

    ben.wire.sync = forge  # type: ignore[method-assign]
    ben.sync()
    assert told == [["unproven"], [None, "unproven"]]
    sync_all(ann, ben)
    assert [one.state for one in ann.registry.models()] == ["active"]
    assert [one.text for one in ann.registry.comments("bert")] == ["innocent"]


def _deleting(operation: Raw) -> Raw:
    made = msgspec.json.decode(bytes(operation))
    change = {"state": {"to": "deleted", "saw": None}}
    made |= {
        "kind": "model.delete",
        "entity": made["stream"],
        "body": {"last": None, "set": change},
    }
    return Raw(msgspec.json.encode(made))


def test_a_replica_that_missed_an_epoch_offers_what_each_one_lost(
    world: World, ann: Person, ben: Person
) -> None:
    first = back_up(world)
    ann.registry.create_model("early")
    ann.sync()
    put_back(world, first, told=True)
    for place in range(5):
        ben.registry.create_model(f"m{place}")
    ben.sync()
    close_healing(world)
    put_back(world, back_up(world), told=True)
    sync_all(ann, ben)
    assert "early" in [one.model for one in ben.registry.models()]


def test_all_is_offered_where_nobody_knows_what_was_lost(
    world: World, ann: Person, ben: Person
) -> None:
    """Ben writes to an older file before ann comes: numbers do not tell what of hers it has."""
    ann.registry.create_model("early")
    ann.sync()
    backup = back_up(world)
    ann.registry.create_model("lost")
    ann.sync()
    put_back(world, backup, told=False)
    for place in range(5):
        ben.registry.create_model(f"m{place}")
    ben.sync()
    assert not is_healing(world)
    sync_all(ann, ben)
    assert "lost" in [one.model for one in ben.registry.models()]


def test_a_second_restore_before_anything_came_of_the_first_is_noticed(
    world: World, ann: Person, ben: Person
) -> None:
    first = back_up(world)
    ann.registry.create_model("between")
    ann.sync()
    second = back_up(world)
    ann.registry.create_model("newest")
    ann.sync()
    put_back(world, second, told=True)
    assert not ann.turn()  # she hears of the new epoch, and no more
    put_back(world, first, told=True)
    sync_all(ann, ben)
    assert {one.model for one in ben.registry.models()} == {"between", "newest"}


def test_an_older_file_under_the_server_is_noticed_by_whoever_is_ahead(
    world: World, ann: Person
) -> None:
    backup = back_up(world)
    capture(ann, "one")
    ann.sync()
    put_back(world, backup, told=False)
    assert not is_healing(world)
    ann.sync()
    assert is_healing(world)
    assert ann.registry.version("bert@1").number == 1


def test_an_epoch_that_the_server_does_not_know_shows_that_it_was_rolled_back(
    world: World, ann: Person, ben: Person
) -> None:
    first = back_up(world)
    capture(ann, "one")
    ann.sync()
    put_back(world, first, told=True)
    ann.sync()
    close_healing(world)
    put_back(world, first, told=False)  # this file has never heard of the second epoch
    ann.sync()
    assert is_healing(world)
    sync_all(ann, ben)
    assert ben.documents == ann.documents


def test_what_was_accepted_is_not_judged_again_by_what_its_author_may_do_now(
    world: World, ann: Person
) -> None:
    backup = back_up(world)
    capture(ann, "one")
    ann.sync()
    put_back(world, backup, told=True)
    world.grant("ann", "viewer", "*")
    done = ann.sync()
    assert done.rejected == 0
    assert ann.registry.version("bert@1").number == 1


def test_an_acknowledged_edit_shows_until_its_page_has_come(
    world: World, ann: Person, ben: Person
) -> None:
    """I7: between the verdict and the end of the walk nobody's own edit vanishes."""
    for place in range(20):
        ben.registry.create_model(f"m{place:02}")
    sync_all(ben)
    ann.registry.create_model("mine")
    ann.connect(8)
    for _ in range(9):
        over = ann.turn()
        assert "mine" in [one.model for one in ann.registry.models()]
        if over:
            break
    assert len(ann.registry.models()) == 21


def test_an_edit_on_an_own_one_that_waits_takes_its_place_in_a_conflict(
    world: World, ann: Person, ben: Person
) -> None:
    """I6: who builds on what he did himself contends with others once, and never with himself."""
    capture(ann, "one")
    sync_all(ann, ben)
    ben.registry.edit("bert@1", {"description": "ben's"})
    ben.sync()
    ann.registry.edit("bert@1", {"description": "ann's first"})
    ann.registry.edit("bert@1", {"description": "ann's second"})
    ann.sync()
    (conflict,) = ann.registry.conflicts()
    assert [one.value for one in conflict.candidates] == ["ann's second"]
    assert conflict.accepted.value == "ben's"


def test_what_was_acknowledged_in_the_middle_of_a_walk_proves_history_too(
    world: World, ann: Person, ben: Person
) -> None:
    """D4: the cursor is behind what was acknowledged, and the anchor is not."""
    for place in range(20):
        ben.registry.create_model(f"m{place:02}")
    sync_all(ben, ann)
    for place in range(20):
        ben.registry.edit(f"m{place:02}", {"description": "newer"})
    ben.sync()
    backup = back_up(world)
    ann.registry.create_model("mine")
    ann.connect(8)
    assert not ann.turn()
    put_back(world, backup, told=False)
    ann.sync()
    assert is_healing(world)
    close_healing(world)
    sync_all(ann, ben)
    assert "mine" in [one.model for one in ben.registry.models()]


KINDS_NEED = {
    "model.create": "contributor",
    "model.edit": "contributor",
    "version.capture": "contributor",
    "version.edit": "contributor",
    "version.archive": "maintainer",
    "version.delete": "maintainer",
    "version.restore": "maintainer",
    "alias.set": "contributor",
    "comment.add": "contributor",
    "conflict.resolve": "contributor",
}


def act(person: Person, kind: str) -> None:
    """Do one operation of a kind."""
    registry = person.registry
    if kind == "model.create":
        registry.create_model("new")
    elif kind == "model.edit":
        registry.edit("bert", {"description": "x"})
    elif kind == "version.capture":
        capture(person, "new")
    elif kind == "version.edit":
        registry.edit("bert@1", {"description": "x"})
    elif kind == "alias.set":
        registry.set_alias("bert@1", "x")
    elif kind == "comment.add":
        registry.add_comment("bert@1", "x")
    elif kind == "conflict.resolve":
        registry.resolve(registry.conflicts()[0].id, "accepted")
    else:
        verb = kind.partition(".")[2]
        registry.change_state("version", "bert@3" if verb == "restore" else "bert@1", verb)


def check_needs_role(world: World, ann: Person, ben: Person, kind: str) -> None:
    """Check that an operation of one who has too little is refused by the server itself."""
    for content in ("one", "two", "three"):
        capture(ann, content)
    ann.sync()
    ann.registry.change_state("version", "bert@3", "archive")
    sync_all(ann, ben)
    ann.registry.edit("bert@2", {"description": "ann's"})
    ben.registry.edit("bert@2", {"description": "ben's"})
    sync_all(ann, ben)
    less = {"contributor": "viewer", "maintainer": "contributor"}[KINDS_NEED[kind]]
    act(ben, kind)  # his replica has not heard yet
    world.grant("ben", less, "*")
    before = len(log_of(world))
    done = ben.sync()
    assert done.rejected >= 1
    assert {one.code for one in ben.registry.outbox()} <= {"denied", "depends_on_rejected"}
    assert len(log_of(world)) == before


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind in {"version.edit", "version.delete"} else pytest.param(kind, marks=SLOW)
        for kind in KINDS_NEED
    ],
)
def test_every_kind_of_operation_needs_its_role(
    world: World, ann: Person, ben: Person, kind: str
) -> None:
    """I11, for each kind: the server judges by the rights that hold when it judges."""
    check_needs_role(world, ann, ben, kind)


def test_acl_changes(world: World, ann: Person) -> None:
    """A grant brings what is old, too; a revocation takes rows, texts, drafts of others and all."""
    world.grant("eve", "contributor", "open/*")
    eve = signed_in(world, "eve")
    capture(ann, "one", "secret/canary")
    ann.registry.edit("secret/canary", {"card": "canary of the card\n"})
    capture(ann, "two", "open/bert")
    sync_all(ann, eve)
    assert [one.model for one in eve.registry.models()] == ["open/bert"]
    world.grant("eve", "contributor", "secret/*")
    eve.sync()
    assert len(eve.registry.models()) == 2
    assert eve.registry.card("secret/canary") == "canary of the card\n"
    eve.registry.add_comment("secret/canary@1", "my own canary text")
    eve.registry.write_card(
        "secret/canary", "canary of the card\nmy own line\n", seen="canary of the card\n"
    )
    world.grant("eve", None, "secret/*")
    done = eve.sync()
    assert done.purged > 0
    assert done.rejected == 2
    tables = eve.table(
        "select table_name from information_schema.tables where table_schema = 'base'"
    )
    for (table,) in tables:
        content = str(eve.table(f"select * from base.{table}"))
        if table == "outbox":  # what she wrote herself stays there
            assert "my own canary text" in content
            assert "my own line" in content
        else:
            assert "canary" not in content, table
    eve.replica.close()


def test_nothing_of_a_hidden_model_is_anywhere_in_a_home_or_in_an_answer(
    world: World, ann: Person, ben: Person
) -> None:
    world.grant("ben", "contributor", "open/*")
    world.grant("ben", None, "*")
    answers: list[bytes] = []
    plain = ben.wire.sync

    def listening(registry: str, push: Push) -> Answer:
        answer = plain(registry, push)
        answers.append(msgspec.json.encode(answer))
        return answer

    ben.wire.sync = listening  # type: ignore[method-assign]
    capture(ann, "canary", "secret/canary")
    ann.sync()
    ann.registry.edit("secret/canary", {"card": "canary\n"})
    ann.registry.edit("secret/canary@1", {"tags/canary": "canary"})
    ann.registry.add_comment("secret/canary", "canary")
    ann.registry.set_alias("secret/canary@1", "canary")
    capture(ann, "one", "open/bert")
    sync_all(ann, ben, ann, ben)
    backup = back_up(world)
    put_back(world, backup, told=True)
    sync_all(ann, ben)
    assert [one.model for one in ben.registry.models()] == ["open/bert"]
    ben.replica.close()
    home = ben.replica.home.path
    secret = model_id("secret/canary", 0)
    for file in (one for one in home.rglob("*") if one.is_file()):
        assert b"canary" not in file.read_bytes(), file
    for answer in answers:
        assert b"canary" not in answer
        assert secret.encode() not in answer


def test_what_may_not_be_read_any_more_goes_when_a_walk_begins_anew(
    world: World, ann: Person, ben: Person
) -> None:
    """A new epoch takes documents before the purge looks; what hangs on them has to go, too."""
    world.grant("ben", "contributor", "open/*")
    world.grant("ben", "contributor", "secret/*")
    world.grant("ben", None, "*")
    for model in ("open/bert", "secret/bert"):
        capture(ann, model.partition("/")[0], model)
        ann.registry.edit(model, {"card": f"card of {model}\n"})
    sync_all(ann, ben)
    world.grant("ben", None, "secret/*")
    with changing(world) as authority:
        secrets = world.server.secrets
        new_epoch(authority.connection, authority, "restored", secrets, world.seed())
    assert ben.sync().purged == 2
    assert ben.table("select value from base.text") == [("card of open/bert\n",)]
    assert ben.table("select count(*) from base.file") == [(1,)]
    assert ben.table("select count(*) from base.certificate") == [(1,)]
    # The file that goes from the disk, and null for the copies of the database.
    assert ben.table("select count(*), count(digest) from base.purged") == [(2, 1)]


def test_a_walk_that_begins_anew_names_no_text_twice(
    world: World, ann: Person, ben: Person
) -> None:
    capture(ann, "one")
    ann.registry.edit("bert", {"card": "card\n"})
    sync_all(ann, ben)
    named = sorted(ben.table("select stream, digest from base.text_of"))
    with changing(world) as authority:
        secrets = world.server.secrets
        new_epoch(authority.connection, authority, "restored", secrets, world.seed())
    ben.sync()
    assert sorted(ben.table("select stream, digest from base.text_of")) == named


def test_grant_pattern_over_many_models(world: World, ann: Person, ben: Person) -> None:
    """One grant is one row however many models it opens, and counts for those made later."""
    world.grant("eve", "viewer", "none/*")
    eve = signed_in(world, "eve")
    for place in range(12):
        ann.registry.create_model(f"nlp/m{place:02}")
    ann.sync()
    before = rows_of(world)
    world.grant("eve", "viewer", "nlp/*")
    changed = {name: count - before[name] for name, count in rows_of(world).items()}
    assert {name: count for name, count in changed.items() if count} == {
        "entity": 1,
        "operation": 1,
    }
    eve.sync()
    assert len(eve.registry.models()) == 12
    ann.registry.create_model("nlp/later")
    sync_all(ann, eve)
    assert len(eve.registry.models()) == 13
    eve.replica.close()


def rows_of(world: World) -> dict[str, int]:
    with world.database.reading() as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            or 0
            for table in schema.metadata.sorted_tables
        }


def test_bootstrap_goes_on_at_any_page(world: World, ann: Person) -> None:
    for place in range(20):
        ann.registry.create_model(f"m{place:02}")
    ann.sync()
    want = ann.documents
    for pages in range(3):
        name = f"reader{pages}"
        world.grant(name, "viewer", "*")
        reader = signed_in(world, name)
        reader.connect(8)
        for _ in range(pages):
            assert not reader.turn()
            assert reader.documents == {}  # nothing shows before the walk ends
        reader.connect(8)  # another process
        reader.sync()
        assert reader.documents == want
        assert len(reader.wire.sizes) == 3 - pages
        reader.replica.close()


def test_pages_that_are_read_ahead_are_kept_when_the_next_one_does_not_come(
    world: World, ann: Person
) -> None:
    ann.registry.create_model("first")
    ann.sync()
    world.grant("ben", "viewer", "*")
    reader = signed_in(world, "ben")
    reader.sync()  # a first walk is another one
    for place in range(40):
        ann.registry.create_model(f"m{place:02}")
    ann.sync()
    before = reader.documents
    reader.connect(8, ahead=4)
    plain, got = reader.wire.sync, reader.wire.sizes

    def fails_once(registry: str, push: Push) -> Answer:
        if len(got) == 3:
            reader.wire.sync = plain  # type: ignore[method-assign]
            raise Unreachable("the network is gone")
        return plain(registry, push)

    reader.wire.sync = fails_once  # type: ignore[method-assign]
    with pytest.raises(Unreachable):
        reader.sync()
    assert reader.documents == before
    reader.sync()
    assert reader.documents == ann.documents
    assert len(got) == 6  # none of them twice
    reader.replica.close()


@pytest.mark.slow
def test_bootstrap_costs_what_there_is_and_not_what_happened(
    world: World, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I17, with a log of ten operations in place of a thousand."""
    from sync_server import pull

    if pull.LOG_LIMIT < 1 << 30:
        monkeypatch.setattr(pull, "LOG_LIMIT", 10)

    def cost(name: str) -> int:
        world.grant(name, "viewer", "*")
        reader = signed_in(world, name)
        reader.sync()
        reader.replica.close()
        return sum(down for _, down in reader.wire.sizes)

    for place in range(10):
        ann.registry.create_model(f"m{place}", {"description": f"{0:06}"})
    ann.sync()
    before = cost("early")
    for turn in range(1, 11):
        for place in range(10):
            ann.registry.edit(f"m{place}", {"description": f"{turn:06}"})
        ann.sync()
    assert cost("late") <= 1.2 * before


def test_an_idle_sync_is_one_small_request_that_reads_no_document(
    world: World, ann: Person
) -> None:
    """I18: counted are requests, bytes, and the statements of the server."""
    capture(ann, "one")
    sync_all(ann)
    statements: list[str] = []

    @sa.event.listens_for(world.database.engine, "before_cursor_execute")
    def _note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement.lower())

    ann.wire.sizes.clear()
    assert ann.sync().requests == 1
    ((up, down),) = ann.wire.sizes
    assert max(up, down) < 1024
    assert [one for one in statements if one.startswith(("insert", "update", "delete"))] == []
    assert [one for one in statements if "immediate" in one or "for update" in one] == []
    assert [one for one in statements if "from entity" in one or "entity.body" in one] == []


def newer(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Let a newer server write a model's document, with what this program does not know."""
    with changing(world) as authority:
        e = schema.entity.c
        body = authority.connection.execute(sa.select(e.body).where(e.kind == "model")).scalar_one()
        known = decode_document(bytes(body))
        raw = msgspec.json.decode(bytes(body))
        change(raw)
        authority.row.seq += 1
        raw["seq"] = authority.row.seq
        stream = authority._stream(known.stream)
        before = authority.view.body(raw["id"])
        authority._steps.append(
            {"registry": authority.row.key, "seq": raw["seq"], "link": authority.row.link}
        )
        made = encoding.encode(raw)
        authority._change(stream, before, decode_document(made), made)


def test_old_client_new_server(world: World, ann: Person, ben: Person) -> None:
    """I19: fields and kinds that a replica does not know stay as they came; edits leave them."""
    capture(ann, "one")
    sync_all(ann, ben)

    def hologram(raw: dict[str, Any]) -> None:
        raw["aura"] = {"colour": "blue"}
        raw["facts"]["later"] = 1

    def unknown(raw: dict[str, Any]) -> None:
        raw.update(id=world.uuid(), kind="hologram", facts={"shape": "cube"}, fields={})

    newer(world, hologram)
    newer(world, unknown)
    sync_all(ann, ben)
    model = model_id("bert", 0)
    raw = msgspec.json.decode(ben.documents[model])
    assert (raw["aura"], raw["facts"]["later"]) == ({"colour": "blue"}, 1)
    (kept,) = ben.table("select body from base.document where kind = 'hologram'")
    assert "cube" in str(kept)
    assert ben.sync().refetched == 0  # sums are over bytes
    ben.registry.edit("bert", {"description": "ben's"})
    (sent,) = ben.table("select bytes from base.outbox")
    assert list(decode_operation(str(sent[0]).encode()).body.set) == ["description"]
    ben.sync()
    assert ben.registry.model("bert").description == "ben's"
    assert msgspec.json.decode(ben.documents[model])["facts"]["later"] == 1


def older(data: bytes) -> Any:
    """Decode an operation as a program that knows of no comments."""
    if msgspec.json.decode(data)["kind"] == "comment.add":
        raise UnknownKind("comment.add")
    return decode_operation(data)


@contextlib.contextmanager
def old_server() -> Iterator[None]:
    with (
        patch("sync_server.authority.decode_operation", older),
        patch("sync_server.view.decode_operation", older),
    ):
        yield


def test_new_client_old_server(world: World, ann: Person) -> None:
    """What an old server does not know goes to the outbox and stops nothing."""
    capture(ann, "one")
    ann.sync()
    ann.registry.add_comment("bert@1", "too new")
    ann.registry.edit("bert@1", {"description": "goes on"})
    with old_server():
        done = ann.sync()
    assert (done.accepted, done.rejected, done.pending) == (1, 1, 0)
    (entry,) = ann.registry.outbox()
    assert (entry.kind, entry.state) == ("comment.add", "refused")
    ann.registry.retry()  # the server was upgraded meanwhile
    assert ann.sync().accepted == 1
    assert [one.text for one in ann.registry.comments("bert@1")] == ["too new"]


def test_what_an_old_server_does_not_know_gets_its_verdict_again(world: World, ann: Person) -> None:
    """The answer may be lost: asked again, the server has bytes that it still can't read."""
    ann.registry.create_model("bert")
    ann.sync()
    ann.registry.add_comment("bert", "too new")
    request = request_of(ann)
    with old_server():
        first = ann.wire.sync(request.registry, request.push)
        again = ann.wire.sync(request.registry, request.push)
        assert [bytes(one) for one in again.verdicts] == [bytes(one) for one in first.verdicts]
        other = bytes(request.push.ops[0]).replace(b"too new", b"TOO NEW")
        with ann.replica.changing() as connection:
            connection.execute("update base.outbox set bytes = ?", [other.decode()])
        with pytest.raises(Refused, match="stands for another one"):
            ann.sync()
        with ann.replica.changing() as connection:
            connection.execute(
                "update base.outbox set bytes = ?", [bytes(request.push.ops[0]).decode()]
            )
        done = ann.sync()
    assert (done.rejected, done.pending) == (1, 0)


def test_what_an_older_server_does_not_know_comes_back_once_it_is_upgraded(
    world: World, ann: Person
) -> None:
    """It was accepted: an older program that was put back with the backup lets it wait."""
    ann.registry.create_model("bert")
    ann.sync()
    backup = back_up(world)
    ann.registry.add_comment("bert", "too new")
    ann.sync()
    put_back(world, backup, told=True)
    with old_server():
        done = ann.sync()
        assert (done.accepted, done.rejected) == (0, 0)
    assert ann.sync().accepted == 1
    assert [one.text for one in ann.registry.comments("bert")] == ["too new"]


def test_an_old_client_keeps_operations_that_it_does_not_know(
    world: World, ann: Person, ben: Person
) -> None:
    """They come down with what the history tells of any operation, and stop nothing."""
    ann.registry.create_model("bert")
    ann.registry.add_comment("bert", "too new")
    ann.sync()
    with (
        patch("regtui.replica.accepting.decode_operation", older, create=True),
        patch("regtui.replica.decoded.decode_operation", older),
    ):
        ben.sync()
        ben.registry.edit("bert", {"description": "ben's"})
        assert [one.kind for one in ben.registry.log("bert").operations] == [
            "model.edit",
            "model.create",
        ]
        ben.sync()
        assert ben.registry.model("bert").description == "ben's"
    assert ben.table("select id, bytes from base.operation order by seq") == [
        (uuid.UUID(identity), data.decode()) for identity, data in operations_of(world)
    ]
    sync_all(ann)
    assert ben.documents == ann.documents
    rows = "select seq, operation, via, time, path, after from base.log order by all"
    assert ben.table(rows) == ann.table(rows)


def operations_of(world: World) -> list[tuple[str, bytes]]:
    """Return id and bytes of the operations on models that the server accepted."""
    o = schema.operation.c
    with world.database.reading() as connection:
        rows = connection.execute(
            sa.select(o.id, o.bytes).where(o.stream != "access").order_by(o.seq)
        )
        return [(identity, bytes(data)) for identity, data in rows]


def test_schema_migration_of_documents(world: World, ann: Person, ben: Person) -> None:
    """Documents that the server changes by itself come down like any others; operations stay."""
    capture(ann, "one")
    sync_all(ann, ben)
    ben.registry.edit("bert", {"description": "waits"})
    log = log_of(world)
    newer(world, lambda raw: raw["facts"].update(migrated=True))
    sync_all(ben, ann)
    for person in (ann, ben):
        raw = msgspec.json.decode(person.documents[model_id("bert", 0)])
        assert raw["facts"]["migrated"] is True
        assert person.registry.model("bert").description == "waits"
    assert log_of(world)[: len(log)] == log


def test_delete_against_edit(world: World, ann: Person, ben: Person) -> None:
    """A deletion that did not see an edit is a conflict, and so is an edit of what is deleted."""
    for content in ("one", "two"):
        capture(ann, content)
    sync_all(ann, ben)
    ann.registry.edit("bert@1", {"description": "edited"})
    ben.registry.change_state("version", "bert@1", "delete")
    ann.registry.change_state("version", "bert@2", "delete")
    ben.registry.edit("bert@2", {"description": "edited"})
    sync_all(ann, ben)
    sync_all(ann, ben)
    assert ann.documents == ben.documents
    assert ann.registry.version("bert@1").state == "captured"
    assert len(ann.registry.conflicts()) == 2
    for conflict in ann.registry.conflicts():
        ann.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    sync_all(ann, ben)
    assert ann.registry.conflicts() == []
    assert ann.documents == ben.documents


def test_same_new_name_on_two_devices(world: World, ann: Person, ben: Person) -> None:
    """It is one model, with what both said of it."""
    ann.registry.create_model("nlp/new", {"tags/ann": "1"})
    ben.registry.create_model("nlp/new", {"tags/ben": "2"})
    sync_all(ann, ben)
    assert ann.documents == ben.documents
    (model,) = ann.registry.models()
    assert model.tags == {"ann": "1", "ben": "2"}


def test_a_stale_generation_of_a_name_is_merged_into_the_model_that_holds_it(
    world: World, ann: Person, ben: Person
) -> None:
    """D12: a name that was freed and given anew stands for the newer model."""
    ann.registry.create_model("new", {"tags/first": "1"})
    sync_all(ann, ben)
    ann.registry.change_state("model", "new", "delete")
    ann.registry.create_model("new", {"tags/second": "2"})
    world.grant("eve", "maintainer", "*")
    eve = signed_in(world, "eve")
    eve.registry.create_model("new", {"tags/eve": "3"})  # knows neither
    ann.sync()
    sync_all(eve, ann, ben)
    assert ann.documents == ben.documents == eve.documents
    (model,) = [one for one in ann.registry.models() if one.state == "active"]
    assert model.tags == {"second": "2", "eve": "3"}
    eve.replica.close()


def test_alias_moved_on_two_devices(world: World, ann: Person, ben: Person) -> None:
    """The accepted value stays, everybody sees the conflict, and a choice ends it."""
    first, second = capture(ann, "one"), capture(ann, "two")
    sync_all(ann, ben)
    ann.registry.set_alias("bert@1", "champion")
    ben.registry.set_alias("bert@2", "champion")
    sync_all(ann, ben)
    sync_all(ann, ben)
    for person in (ann, ben):
        (alias,) = person.registry.aliases("bert")
        assert alias.version_id == first
        assert alias.conflict is not None
    (conflict,) = ben.registry.conflicts()
    ben.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    sync_all(ben, ann)
    (alias,) = ann.registry.aliases("bert")
    assert (alias.version_id, alias.conflict) == (second, None)


def test_version_numbers(world: World, ann: Person, ben: Person) -> None:
    """They are given at acceptance, withheld while the server heals, and never change."""
    capture(ann, "anns")
    capture(ben, "bens")
    assert ann.registry.version("bert@latest").number is None
    ben.sync()
    ann.sync()
    assert ben.registry.version("bert@1").files == 1
    numbers = numbers_of(ann)
    assert sorted(numbers.values(), key=str) == [1, 2]
    put_back(world, back_up(world), told=True)
    later = capture(ann, "later")
    ann.sync()
    assert decode_document(ann.documents[later]).facts["number"] is None
    assert close_healing(world) == 1
    sync_all(ann, ben)
    found = numbers_of(ben)
    assert found == numbers | {later: 3}


def test_numbers_come_back_with_whoever_knows_them(world: World, ann: Person, ben: Person) -> None:
    """A number that was seen is the version's for ever, whoever made the version."""
    backup = back_up(world)
    for content in ("one", "two"):
        capture(ann, content)
        ann.sync()
    ben.sync()
    numbers = numbers_of(ben)
    put_back(world, backup, told=True)
    ben.sync()  # who made none of them
    mine = capture(ben, "bens")
    sync_all(ben, ann)
    close_healing(world)
    sync_all(ann, ben)
    found = numbers_of(ann)
    assert found == numbers | {mine: 3}


@pytest.mark.parametrize("told", [True, False])
def test_a_number_that_comes_back_is_the_older_versions(
    world: World, ann: Person, ben: Person, caplog: pytest.LogCaptureFixture, told: bool
) -> None:
    """I13: who got it since, with healing closed or not begun, gets another, and that shows."""
    capture(ann, "one")
    sync_all(ann, ben)
    backup = back_up(world)
    lost = capture(ann, "two")
    ann.sync()
    put_back(world, backup, told=told)
    if told:
        close_healing(world)
    since = capture(ben, "three")
    ben.sync()
    assert (numbers_of(ann)[lost], numbers_of(ben)[since]) == (2, 2)
    sync_all(ann, ben)
    if is_healing(world):
        close_healing(world)
    sync_all(ann, ben)
    assert numbers_of(ann) == numbers_of(ben)
    assert (numbers_of(ann)[lost], numbers_of(ann)[since]) == (2, 3)
    assert ann.registry.version("bert@3").tags == {"earlier-number": "2"}
    assert '"renumbered"' in caplog.text
    assert (ann.sync().wrong, ben.sync().wrong) == ([], [])
    assert examine(world.database) == []
    ben.registry.edit("bert@3", {"tags/earlier-number": None})
    assert ben.sync().rejected == 0
    later = capture_synced(ben, "four")
    assert numbers_of(ben)[later] == 4


def test_a_number_that_was_changed_comes_back_as_it_was_then(
    world: World, ann: Person, ben: Person
) -> None:
    """The receipt of the capture tells the first number, the certificate the one that counts."""
    capture(ann, "one")
    sync_all(ann, ben)
    backup = back_up(world)
    lost = capture_synced(ann, "two")
    put_back(world, backup, told=True)
    close_healing(world)
    since = capture_synced(ben, "three")
    sync_all(ann, ben)
    put_back(world, backup, told=True)
    sync_all(ben, ann)
    close_healing(world)
    sync_all(ann, ben)
    assert (numbers_of(ben)[lost], numbers_of(ben)[since]) == (2, 3)
    assert numbers_of(ann) == numbers_of(ben)


def test_who_got_a_number_since_does_not_keep_it_by_coming_first(
    world: World, ann: Person, ben: Person
) -> None:
    capture(ann, "one")
    sync_all(ann, ben)
    backup = back_up(world)
    lost = capture_synced(ann, "two")
    put_back(world, backup, told=False)
    since = capture_synced(ben, "three")
    assert not ann.turn()  # she opens the healing, and is interrupted
    assert is_healing(world)
    sync_all(ben, ann)
    close_healing(world)
    sync_all(ann, ben)
    assert (numbers_of(ben)[lost], numbers_of(ben)[since]) == (2, 3)
    assert numbers_of(ann) == numbers_of(ben)


def test_who_makes_room_gets_the_number_that_it_had_itself(
    world: World, ann: Person, ben: Person
) -> None:
    """What was lost as the third was captured again since, and got the number of the second."""
    capture(ann, "one")
    sync_all(ann, ben)
    backup = back_up(world)
    lost = [capture_synced(ann, "two"), capture_synced(ann, "three")]
    put_back(world, backup, told=True)
    capture(ben, "three")
    ben.sync()
    close_healing(world)
    sync_all(ann, ben)
    sync_all(ann, ben)
    assert numbers_of(ann) == numbers_of(ben)
    assert [numbers_of(ben)[one] for one in lost] == [2, 3]
    later = capture_synced(ben, "four")
    assert numbers_of(ben)[later] == 4
    assert examine(world.database) == []


def test_a_number_that_two_can_prove_stays_with_who_brought_it_back_first(
    world: World, ann: Person, ben: Person
) -> None:
    """Both were lost, one after the other, to files that were put back without a word."""
    capture(ann, "one")
    sync_all(ann, ben)
    backup = back_up(world)
    lost = [capture_synced(ann, "two")]
    put_back(world, backup, told=False)
    lost.append(capture_synced(ben, "three"))
    assert (numbers_of(ann)[lost[0]], numbers_of(ben)[lost[1]]) == (2, 2)
    put_back(world, backup, told=True)
    sync_all(ann, ben)
    close_healing(world)
    sync_all(ann, ben)
    found = numbers_of(ben)
    assert numbers_of(ann) == found
    assert [found[one] for one in lost] == [2, 3]


def capture_synced(person: Person, content: str) -> str:
    version = capture(person, content)
    person.sync()
    return version


def test_a_verdict_is_told_to_who_made_the_operation_alone(
    world: World, ann: Person, ben: Person
) -> None:
    """Who offers the operation of another one hears what he hears of one that is not there."""
    capture(ann, "one")
    ann.sync()
    known = operations_of(world)[0]
    ben.sync()
    ben.registry.create_model("own")
    request = request_of(ben)
    mine = bytes(request.push.ops[0])
    own = msgspec.json.decode(mine)["id"]
    verdicts = []
    for identity in (known[0], world.uuid()):
        op = Raw(mine.replace(own.encode(), identity.encode()))
        verdict = Raw(log_of(world)[0][2])
        push = msgspec.structs.replace(request.push, ops=[], offers=[Offer(op, verdict, 0, 0)])
        answer = ben.wire.sync(request.registry, push)
        told = msgspec.json.decode(bytes(answer.verdicts[0]))
        assert told.pop("op") == identity
        del told["now"]
        verdicts.append(told)
    assert verdicts[0] == verdicts[1]
    assert verdicts[0]["code"] == "unproven"
    assert operations_of(world)[0] == known


def test_rejected_operation_with_dependents(world: World, ann: Person, ben: Person) -> None:
    """What builds on a refused change is refused and says so; a retry takes all of it along."""
    capture(ann, "one")
    sync_all(ann, ben)
    ben.registry.edit("bert@1", {"description": "first"})
    ben.registry.edit("bert@1", {"description": "second"})
    world.grant("ben", "viewer", "*")
    ben.wire.sync = stepwise(ben, lambda: world.grant("ben", "maintainer", "*"))  # type: ignore[method-assign, assignment]
    done = ben.sync()
    assert (done.accepted, done.rejected) == (0, 2)
    first, second = ben.registry.outbox()
    assert (first.code, second.code, second.cause) == ("denied", "depends_on_rejected", first.id)
    assert len(ben.registry.retry(first.id)) == 2
    assert ben.sync().accepted == 2
    sync_all(ann)
    assert ann.registry.version("bert@1").description == "second"
    assert ben.registry.outbox() == []


def stepwise(person: Person, between: Callable[[], None]) -> Callable[[str, Push], Answer]:
    """Send operations one by one, and let something happen after the first."""
    plain = person.wire.sync

    def sending(registry: str, push: Push) -> Answer:
        from regtui.core import chain
        from regtui.replica.keys import load_key
        from regtui.wire.statements import push_statement

        if len(push.ops) < 2:
            return plain(registry, push)
        key = load_key(push.replica, person.replica.home.path)
        assert key is not None and push.anchor is not None  # noqa: PT018
        first = bytes(push.ops[0])
        n, tip = decode_operation(first).n, chain.tip(first)
        a = push.anchor
        statement = push_statement(registry, push.replica, n, tip, a.epoch, a.seq, a.link)
        answer = plain(
            registry,
            msgspec.structs.replace(
                push, ops=push.ops[:1], n=n, tip=tip, signature=key.sign(statement).hex()
            ),
        )
        between()
        return answer

    return sending


def test_operation_pending_for_a_stream_just_revoked(
    world: World, ann: Person, ben: Person
) -> None:
    """It is refused; the author's words stay in his outbox, those of others go."""
    capture(ann, "one")
    ann.sync()
    ann.registry.edit("bert@1", {"description": "ann's secret"})
    sync_all(ann, ben)
    ben.registry.edit("bert@1", {"description": "ben's own"})
    world.grant("ben", None, "*")
    world.grant("ben", "viewer", "other/*")
    done = ben.sync()
    assert (done.rejected, done.pending) == (1, 0)
    assert ben.documents == {}
    (entry,) = ben.registry.outbox()
    assert (entry.code, entry.values) == ("not_found", {"description": "ben's own"})
    for table in ("outbox", "log", "operation", "text", "shadow", "staged"):
        assert "ann's secret" not in str(ben.table(f"select * from base.{table}")), table


def test_poisoned_operation(world: World, ann: Person, caplog: pytest.LogCaptureFixture) -> None:
    """One on which the judge fails is refused with a reference; what follows goes on."""
    capture(ann, "one")
    ann.sync()

    def failing(operation: Any, *rest: Any, **more: Any) -> Any:
        if operation.kind == "comment.add":
            raise ZeroDivisionError
        return judgement.judge(operation, *rest, **more)

    ann.registry.add_comment("bert@1", "poison")
    ann.registry.edit("bert@1", {"description": "goes on"})
    with patch("sync_server.authority.judge", failing):
        done = ann.sync()
    assert (done.accepted, done.rejected, done.pending) == (1, 1, 0)
    refused = ann.registry.outbox()[0]
    assert refused.code == "internal"
    (logged,) = [one for one in caplog.records if one.exc_info]
    assert logged.exc_info is not None
    assert logged.exc_info[0] is ZeroDivisionError
    assert json.loads(logged.message)["reference"] in str(refused.reason)
    c = schema.refusal.c
    with world.database.reading() as connection:  # for the operator to look at
        assert b"poison" in bytes(connection.execute(sa.select(c.bytes)).scalar_one())


def test_huge_clock_jump_on_the_server(world: World, ann: Person, ben: Person) -> None:
    """Its time never goes back, whatever its clock does."""
    capture(ann, "one")
    world.skew = 1000 * HOUR
    ann.sync()
    world.skew = -1000 * HOUR
    ann.registry.edit("bert@1", {"tags/env": "after"})
    sync_all(ann, ben)
    moments = [msgspec.json.decode(verdict)["now"] for _, _, verdict in log_of(world)]
    assert moments == sorted(moments)
    assert len(set(moments)) == len(moments)
    assert ben.registry.version("bert@1").tags == {"env": "after"}


def test_artifact_missing_at_heal(world: World, ann: Person) -> None:
    """A version comes back without its bytes, and the server says which it lacks."""
    backup = back_up(world)
    version = capture(ann, "one")
    ann.sync()
    put_back(world, backup, told=True)
    ann.sync()
    digests = [digest for (digest,) in ann.table("select lower(hex(digest)) from base.file")]
    document = decode_document(ann.documents[version])
    with world.database.reading() as connection:
        key = world.server.registry().key
        assert missing_of_version(connection, key, document) == digests


def test_equivocating_server(world: World, ann: Person, ben: Person) -> None:
    """Two histories that part are never merged unseen: who knows one does not take the other."""
    capture(ann, "one")
    sync_all(ann, ben)
    fork = back_up(world, "fork")
    ann.registry.edit("bert@1", {"description": "told to ann"})
    ann.sync()
    put_back(world, fork, told=False)
    ben.registry.edit("bert@1", {"description": "told to ben"})
    ben.registry.edit("bert@1", {"tags/other": "history"})
    ben.sync()
    epoch = world.server.registry().epoch
    ann.sync()
    assert world.server.registry().epoch != epoch
    assert is_healing(world)
    close_healing(world)
    sync_all(ann, ben)
    sync_all(ann, ben)
    assert ann.documents == ben.documents
    shown = {ann.registry.version("bert@1").description} | {
        candidate.value for one in ann.registry.conflicts() for candidate in one.candidates
    }
    assert shown == {"told to ann", "told to ben"}


def test_forged_operations_are_refused(world: World, ann: Person, ben: Person) -> None:
    """D7: what another replica signed, or nobody, is taken by no server."""
    capture(ann, "one")
    request = request_of(ann)
    push = request.push
    other = f"{int(push.signature[:2], 16) ^ 1:02x}"
    forged = [
        msgspec.structs.replace(push, signature="00" * 64),
        msgspec.structs.replace(push, signature=other + push.signature[2:]),
        msgspec.structs.replace(push, ops=push.ops[:1]),
        msgspec.structs.replace(push, ops=[push.ops[1], push.ops[0]]),
    ]
    changed = bytes(push.ops[1]).replace(b'"via":"cli"', b'"via":"app"')
    forged.append(msgspec.structs.replace(push, ops=[push.ops[0], Raw(changed)]))
    for one in forged:
        with pytest.raises((Refused, RegtuiError)):
            ann.wire.sync(request.registry, one)
    sync_as_other = ben.wire.sync
    with pytest.raises((Refused, RegtuiError)):
        sync_as_other(request.registry, push)
    assert log_of(world) == []
    assert ann.sync().accepted == 2


def test_a_stream_that_differs_is_read_anew(world: World, ann: Person, ben: Person) -> None:
    """D10: sums show it, and the stream comes again; what is wrong is never sent up."""
    version = capture(ann, "one")
    sync_all(ann, ben)
    want = ben.documents[version]
    with ben.replica.changing() as connection:
        connection.execute(
            "update base.document set body = replace(body, '\"size\":3', '\"size\":4') "
            "where kind = 'version'"
        )
        connection.execute("update base.total set total = '0000000000000000'")
    ann.registry.edit("bert", {"description": "touches the stream"})
    ann.sync()
    assert ben.sync().refetched == 1
    assert ben.documents[version] == want
    assert ben.documents == ann.documents


def test_a_sum_that_is_wrong_for_good_does_not_keep_a_sync_going(
    world: World, ann: Person, ben: Person
) -> None:
    """A stream that differs right after it was read anew waits for the next sync."""
    capture(ann, "one")
    ann.sync()
    with world.database.writing() as connection:
        connection.execute(sa.update(schema.stream).values(total="0123456789abcdef"))
    done = ben.sync()
    assert done.requests <= 3
    assert done.refetched > 0
    assert ben.registry.version("bert@1").files == 1


def test_two_accounts_cannot_use_one_replica(world: World, ann: Person, ben: Person) -> None:
    capture(ann, "one")
    request = request_of(ann)
    with pytest.raises((Refused, RegtuiError)):
        ben.wire.sync(request.registry, request.push)


def test_an_id_that_stands_for_something_else_refuses_the_request(
    world: World, ann: Person, ben: Person
) -> None:
    """Nobody hears the verdict on what somebody else made by naming its id."""
    capture(ann, "one")
    ann.sync()
    known = log_of(world)[0][1]
    ben.registry.create_model("other")
    with ben.replica.changing() as connection:
        connection.execute("update base.outbox set id = ?", [known])
        connection.execute(
            'update base.outbox set bytes = regexp_replace(bytes, \'"id":"[^"]*"\', ?)',
            [f'"id":"{known}"'],
        )
    with pytest.raises(Refused) as refused:
        ben.sync()
    assert refused.value.code == "id_reused"
    assert len(log_of(world)) == 2


def test_what_waits_while_only_reading_keeps_its_files(ann: Person, ben: Person) -> None:
    ben.registry.create_model("elsewhere", {})
    ben.sync()
    file = ann.world.folder / "weights.bin"
    file.write_text("weights")
    version = ann.registry.capture(file, model="bert").version.id
    reading = SyncClient(ann.replica, ann.wire, "session", sends=False)
    assert reading.sync().pulled
    assert [one.path for one in ann.registry.files(f":{version}")[1]] == ["weights.bin"]
    ann.sync()
    assert [one.path for one in ann.registry.files("bert@1")[1]] == ["weights.bin"]
    assert ann.table("select count(*) from base.unsent join base.file using (version)") == [(1,)]


def test_a_capture_that_waits_for_a_right_keeps_its_files(
    world: World, ann: Person, ben: Person
) -> None:
    ann.registry.create_model("bert", {})
    ann.sync()
    world.grant("ben", "contributor", "bert")
    ben.sync()
    file = world.folder / "weights.bin"
    file.write_text("weights")
    ben.registry.capture(file, model="bert")
    world.grant("ben", None, "bert")
    world.grant("ben", None, "*")
    reading = SyncClient(ben.replica, ben.wire, "session", sends=False)
    reading.sync()
    assert ben.registry.versions().versions == []
    world.grant("ben", "contributor", "bert")
    reading.sync()
    world.grant("ben", None, "bert")
    reading.sync()
    world.grant("ben", "contributor", "bert")
    ben.sync()
    assert [one.path for one in ben.registry.files("bert@1")[1]] == ["weights.bin"]
    assert ben.table("select count(*) from base.unsent join base.file using (version)") == [(1,)]
    assert ben.table("select count(*) from base.hidden") == [(0,)]
    ann.sync()
    assert [one.path for one in ann.registry.files("bert@1")[1]] == ["weights.bin"]
