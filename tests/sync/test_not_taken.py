"""What the server, or a proxy before it, does not take: less is sent, and one is let go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.sync.client import NotTaken
from regtui.wire.messages import Answer, Push, encoder
from tests.sync.test_cases import back_up, put_back
from tests.sync.world import Person, Wire, World


class Narrow(Wire):
    """Takes requests up to a size, and none with a word in an operation."""

    limit = 1 << 30
    word: bytes | None = None
    answers = True
    largest = 0

    def sync(self, registry: str, push: Push) -> Answer:
        size = len(encoder.encode(push))
        if (push.ops or push.offers) and size > self.limit:
            raise NotTaken("Request Entity Too Large")
        if self.word is not None and any(self.word in bytes(one) for one in push.ops):
            if self.answers:
                super().sync(registry, push)  # it had it, and failed behind that
            raise NotTaken("something unforeseen happened")
        self.largest = max(self.largest, len(push.ops))
        return super().sync(registry, push)


@pytest.fixture
def ann(tmp_path: Path) -> Iterator[Person]:
    """Return somebody with a version, of which all was sent."""
    world = World(tmp_path)
    world.grant("ann", "maintainer", "*")
    person = world.person("ann")
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    person.registry.capture(tmp_path / "one", model="nlp/bert")
    person.sync()
    person.connect(wire=Narrow(person))
    yield person
    world.close()


def narrow(person: Person) -> Narrow:
    assert isinstance(person.wire, Narrow)
    return person.wire


def note(person: Person, *texts: str) -> None:
    for text in texts:
        person.registry.edit("nlp/bert@1", {f"tags/{text}": "x"})


def test_less_is_sent_where_a_proxy_takes_less(ann: Person) -> None:
    narrow(ann).limit = 6_000
    note(ann, *(f"t{n}" for n in range(60)))

    done = ann.sync()

    assert (done.accepted, done.pending) == (60, 0)
    assert 1 < narrow(ann).largest < 30
    assert len(ann.registry.version("nlp/bert@1").tags) == 60


def test_one_that_is_not_taken_is_named_and_let_go_and_the_rest_goes_on(ann: Person) -> None:
    wire = narrow(ann)
    wire.word, wire.answers = b"poison", False
    note(ann, "before", "poison", "after")
    ann.registry.capture(ann.world.folder / "two", model="nlp/bert", alias="champion")

    for _ in range(2):
        with pytest.raises(NotTaken, match=r"does not take version\.edit") as caught:
            ann.sync()
    waiting = [one for one in ann.registry.outbox() if "tags/poison" in one.values]
    assert waiting[0].id[-8:] in caught.value.hint
    assert [one.state for one in waiting] == ["waiting"]
    replica = ann.table("select id from base.replica")

    gone = ann.registry.discard_waiting(waiting[0].id[-8:])

    assert [one.id for one in gone] == [waiting[0].id]
    assert ann.registry.version("nlp/bert@1").tags == {"before": "x", "after": "x"}
    assert ann.registry.version("nlp/bert@champion").files == 1
    assert ann.sync().pending == 0
    assert ann.table("select id from base.replica") != replica
    assert ann.registry.version("nlp/bert@1").tags == {"before": "x", "after": "x"}
    champion = ann.registry.version("nlp/bert@champion")
    assert (champion.number, champion.files) == (2, 1)
    assert [one.status for one in ann.registry.doctor().checks if one.status == "problem"] == []


def test_one_that_the_server_has_after_all_comes_back(ann: Person) -> None:
    narrow(ann).word = b"poison"
    note(ann, "poison", "after")
    with pytest.raises(NotTaken):
        ann.sync()
    (entry, *_) = ann.registry.outbox()
    ann.registry.discard_waiting(entry.id)
    assert ann.registry.version("nlp/bert@1").tags == {"after": "x"}

    narrow(ann).word = None
    ann.sync()

    assert ann.registry.version("nlp/bert@1").tags == {"poison": "x", "after": "x"}
    assert ann.registry.outbox() == []


def test_what_was_done_as_one_goes_as_one(ann: Person) -> None:
    ann.registry.capture(
        ann.world.folder / "two", model="nlp/other", alias="champion", tags={"poison": "x"}
    )
    narrow(ann).word, narrow(ann).answers = b"poison", False
    note(ann, "after")
    with pytest.raises(NotTaken):
        ann.sync()

    ann.registry.discard_waiting(ann.registry.outbox()[0].id)

    assert [sorted(one.values) for one in ann.registry.outbox()] == [["tags/after"]]
    assert ann.sync().pending == 0
    assert [one.model for one in ann.registry.models()] == ["nlp/bert"]


def test_files_of_a_capture_that_was_let_go_are_nobodys(ann: Person) -> None:
    narrow(ann).word, narrow(ann).answers = b"version.capture", False
    ann.registry.capture(ann.world.folder / "two", model="nlp/bert")
    with pytest.raises(NotTaken):
        ann.sync()
    ann.registry.discard_waiting(ann.registry.outbox()[0].id)
    of_nobody = (
        "select count(*) from base.file where version not in (select key from base.document)"
    )
    assert ann.table(of_nobody) == [(0,)]
    narrow(ann).word = None
    ann.registry.capture(ann.world.folder / "two", model="nlp/bert")
    assert (ann.sync().accepted, ann.registry.version("nlp/bert@2").files) == (1, 1)


def test_less_of_what_a_server_lost_is_brought_back_at_once(ann: Person) -> None:
    backup = back_up(ann.world)
    note(ann, *(f"t{n}" for n in range(40)))
    ann.sync()
    put_back(ann.world, backup, told=True)
    narrow(ann).limit = 25_000
    note(ann, "new")
    ann.sync()
    assert len(ann.registry.version("nlp/bert@1").tags) == 41
    assert ann.registry.outbox() == []


def test_no_change_is_blamed_where_nothing_is_taken(ann: Person) -> None:
    class Shut(Wire):
        def sync(self, registry: str, push: Push) -> Answer:
            raise NotTaken("the anchor is not from this server")

    ann.connect(wire=Shut(ann))
    note(ann, "one", "two")
    with pytest.raises(RegtuiError) as caught:
        ann.sync()
    assert "discard" not in str(caught.value)
    assert len(ann.registry.outbox()) == 2


def test_only_one_that_waits_is_let_go_so(ann: Person) -> None:
    with pytest.raises(NotFound):
        ann.registry.discard_waiting("0000")
    ann.world.grant("ann", "viewer", "*")
    note(ann, "one")
    ann.sync()
    (refused,) = ann.registry.outbox()
    with pytest.raises(BadInput, match="does not wait"):
        ann.registry.discard_waiting(refused.id)
