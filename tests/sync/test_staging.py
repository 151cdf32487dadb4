"""Pages that are kept aside until their walk ends."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from regtui.core.identity import model_id
from regtui.core.operations import Change, EditBody
from regtui.replica.database import Connection
from regtui.replica.unit import Replica
from regtui.sync.batch_size import FIRST_BATCH
from regtui.sync.client import SyncClient
from regtui.sync.staging import PIECE, stage, staged_answers, unstage
from regtui.wire.messages import NOTHING, Anchor, Answer, Cursor, Item, Push
from tests.sync.world import Person, Wire, World, signed_in


def page(number: int, size: int) -> Answer:
    body = msgspec.json.encode({"id": str(number), "text": "ü€𝄞" * size})
    head = Anchor("e", number, "00", "")
    return Answer(epoch="e", head=head, cursor=Cursor(seq=number), docs=[Item(Raw(body))])


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    with Replica(tmp_path / "home").changing() as opened:
        yield opened


@pytest.mark.parametrize("sizes", [[], [1], [PIECE * 3, 1, PIECE // 3, PIECE]])
def test_pages_come_back_as_they_were_in_their_order(
    connection: Connection, sizes: list[int]
) -> None:
    pages = [page(number, size) for number, size in enumerate(sizes)]
    for one in pages:
        stage(connection, one)
    found = list(staged_answers(connection))
    assert list(map(msgspec.json.encode, found)) == list(map(msgspec.json.encode, pages))
    unstage(connection)
    assert list(staged_answers(connection)) == []


def test_no_row_is_long(connection: Connection) -> None:
    stage(connection, page(1, 5 * PIECE))
    (row,) = connection.execute("select max(length(body)) from base.staged").fetchall()
    assert row[0] <= PIECE


def test_pages_that_an_earlier_release_kept_come_first(connection: Connection) -> None:
    earlier = [page(1, 10), page(2, 10)]
    for number, one in enumerate(earlier, start=1):
        text = msgspec.json.encode(one).decode()
        connection.execute("insert into base.staged values (?, ?)", [number, text])
    stage(connection, page(3, 10))
    assert [one.cursor.seq for one in staged_answers(connection)] == [1, 2, 3]


class Watched(Wire):
    """Notes what each request asked for and got."""

    def __init__(self, person: Person) -> None:
        super().__init__(person)
        self.seen: list[tuple[Push, Answer]] = []

    def sync(self, registry: str, push: Push) -> Answer:
        answer = super().sync(registry, push)
        self.seen.append((push, answer))
        return answer


def test_while_more_is_to_be_sent_nothing_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    world = World(tmp_path)
    for name in ("ann", "ben"):
        world.grant(name, "contributor", "*")
    ann, ben = signed_in(world, "ann"), signed_in(world, "ben")
    ben.registry.create_model("his")
    ben.sync()
    ann.registry.create_model("hers")
    hers = model_id("hers", 0)
    with ann.replica.writing(ann.registry.context.actor, "api", "session") as authority:
        for number in range(FIRST_BATCH + 20):
            edit = EditBody({f"tags/t{number}": Change("x")})
            authority.submit("model.edit", hers, hers, edit)
    wire = Watched(ann)
    done = SyncClient(ann.replica, wire, "session").sync()
    assert (done.pushed, done.pending) == (FIRST_BATCH + 21, 0)
    assert wire.seen[0][0].limit == NOTHING
    for push, answer in wire.seen:  # how many there are depends on the server's slice of time
        if push.limit == NOTHING:
            assert answer.verdicts
            assert (answer.docs, answer.log, answer.texts, answer.more) == ([], [], [], True)
            assert answer.cursor == push.cursor
    assert wire.seen[-1][1].docs
    ben.sync()
    assert ann.documents == ben.documents
    world.close()
