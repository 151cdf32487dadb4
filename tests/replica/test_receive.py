"""Two replicas of one registry: what one did offline is judged by the other."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import Document, decode_document
from regtui.core.errors import BadInput, ConflictOpen, RegtuiError
from regtui.core.identity import user_id
from regtui.core.judgement import judge
from regtui.core.operations import Change, EditBody, decode_operation, encode_operation
from regtui.core.verdicts import Accepted, Conflicted, Rejected, Verdict, encode_verdict
from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.unit import Replica
from tests.core.registry_state import RegistryState
from tests.depth import few_of
from tests.replica.ledger import check_replica


class Personal(Context, frozen=True):
    """A context of somebody who is not this process's user."""

    person: str = ""

    @property
    def actor(self) -> Actor:
        return person(self.person)


class Home:
    """One person's replica."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.replica = Replica(folder)
        self.registry = Registry(
            Personal(self.replica, "cli", "00000000-0000-7000-8000-000000000000", None, name)
        )

    def operations(self) -> list[tuple[bytes, Actor]]:
        with self.replica.reading() as connection:
            rows = connection.execute(
                "select o.bytes, a.name from base.operation o join base.actor a "
                "on a.id::varchar = json_extract_string(o.bytes, '$.actor') order by o.seq"
            ).fetchall()
        return [(data.encode(), person(name)) for data, name in rows]

    def receive(self, other: "Home") -> list[Verdict]:
        """Take what the other did; it was all there before is judged no second time."""
        with self.registry.context.writing() as authority:
            return [authority.receive(data, actor) for data, actor in other.operations()]

    def documents(self) -> dict[str, Document]:
        with self.replica.reading() as connection:
            rows = connection.execute("select body from base.document").fetchall()
        return {document.id: document for document in (decode_document(row[0]) for row in rows)}

    def conflict(self) -> str:
        (conflict,) = self.registry.conflicts()
        return conflict.id


def person(name: str) -> Actor:
    return Actor(user_id(name), name, (Grant(Role.ADMIN, "*"),))


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Return a home with a model and two versions, that nobody has changed since."""
    home = Home(tmp_path / "start", "ann")
    for content in ("one", "two"):
        file = tmp_path / f"{content}.bin"
        file.write_text(content, encoding="utf-8")
        home.registry.capture(file, model="m", metrics={"f1": 0.5})
    home.registry.edit("m", {"card": "one\ntwo\nthree\nfour\nfive\n", "description": "first"})
    return tmp_path / "start"


@pytest.fixture
def ann(start: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(start, tmp_path / "ann")), "ann")


@pytest.fixture
def ben(start: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(start, tmp_path / "ben")), "ben")


def test_a_copied_home_writes_under_an_id_of_its_own(ann: Home, ben: Home) -> None:
    for home in (ann, ben):
        home.registry.edit("m", {"tags/by": home.name})
    last = [decode_operation(home.operations()[-1][0]) for home in (ann, ben)]
    first = decode_operation(ann.operations()[0][0])
    assert len({first.replica, *(operation.replica for operation in last)}) == 3
    assert [operation.n for operation in last] == [1, 1]


def test_what_does_not_meet_merges(ann: Home, ben: Home) -> None:
    ann.registry.edit("m", {"card": "ONE\ntwo\nthree\nfour\nfive\n", "tags/a": "x"})
    ben.registry.edit("m", {"card": "one\ntwo\nthree\nfour\nFIVE\n", "tags/b": "y"})
    ben.registry.add_comment("m@1", "looks good")
    ben.registry.put_dataset("imdb", {"uri": "s3://imdb"})
    assert {type(verdict) for verdict in ann.receive(ben)} == {Accepted}
    assert ann.registry.card("m") == "ONE\ntwo\nthree\nfour\nFIVE\n"
    assert ann.registry.model("m").tags == {"a": "x", "b": "y"}
    assert [comment.author for comment in ann.registry.comments("m")] == ["ben"]
    check_replica(ann.replica.home.path)


EDITS: dict[str, tuple[str, str, Any, Any]] = {
    "description": ("m@1", "description", "ann's", "ben's"),
    "primary metric": ("m", "primary_metric", "f1", "loss"),
    "card": ("m", "card", "one\n2\nthree\nfour\nfive\n", "one\nII\nthree\nfour\nfive\n"),
}


@pytest.mark.parametrize("case", EDITS)
def test_what_both_changed_is_a_conflict_that_ends_either_way(
    ann: Home, ben: Home, case: str
) -> None:
    reference, path, theirs, mine = EDITS[case]
    ann.registry.edit(reference, {path: theirs})
    ben.registry.edit(reference, {path: mine})
    assert isinstance(ann.receive(ben)[-1], Conflicted)
    (conflict,) = ann.registry.conflicts("m")
    assert (conflict.field, conflict.state) == (path, "open")
    assert (conflict.accepted.value, conflict.accepted.author) == (theirs, "ann")
    (side,) = conflict.candidates
    assert (side.value, side.author) == (mine, "ben")
    taken = ann.registry.resolve(conflict.id, "candidate", candidate=str(side.id))
    assert (taken.state, taken.accepted.value, taken.accepted.author) == ("resolved", mine, "ann")
    assert ann.registry.conflicts() == []
    assert ann.registry.conflicts(resolved=True) == [taken]
    check_replica(ann.replica.home.path)


def test_an_alias_that_both_moved_gives_what_was_accepted_until_it_is_settled(
    ann: Home, ben: Home
) -> None:
    ann.registry.set_alias("m@1", "champion")
    ben.registry.set_alias("m@2", "champion")
    ann.receive(ben)
    assert ann.registry.version("m@champion").number == 1
    assert ann.registry.version("m@1").contested == ["champion"]
    assert ann.registry.aliases()[0].conflict == ann.conflict()
    ann.registry.resolve(ann.conflict(), "value", value="2")
    assert ann.registry.version("m@champion").number == 2
    assert ann.registry.version("m@2").contested == []
    assert ann.registry.aliases()[0].conflict is None
    check_replica(ann.replica.home.path)


def test_a_contested_alias_is_heard_of_or_refused(ann: Home, ben: Home) -> None:
    from regtui.registry.contested import refuse

    ann.registry.set_alias("m@1", "champion")
    ben.registry.set_alias("m@2", "champion")
    ann.receive(ben)
    told: list[tuple[str, str]] = []
    context = ann.registry.context
    hearing = Registry(Personal(context.replica, "cli", "s", lambda *what: told.append(what), "a"))
    strict = Registry(Personal(context.replica, "cli", "s", refuse, "a"))
    assert hearing.version("m@champion").number == 1
    assert told == [("m@champion", ann.conflict())]
    with pytest.raises(ConflictOpen):
        strict.version("m@champion")
    with pytest.raises(ConflictOpen):
        strict.edit("m@champion", {"tags/k": "x"})
    assert strict.version("m@1").number == 1


def test_an_edit_of_what_was_deleted_can_bring_it_back(ann: Home, ben: Home) -> None:
    ann.registry.change_state("version", "m@2", "delete")
    ben.registry.edit("m@2", {"description": "new", "tags/k": "x"})
    assert isinstance(ann.receive(ben)[-1], Conflicted)
    (conflict,) = ann.registry.conflicts()
    assert conflict.candidates[0].value == {"edit": {"description": "new", "tags/k": "x"}}
    ann.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    version = ann.registry.version("m@2")
    assert (version.state, version.description, version.tags) == ("captured", "new", {"k": "x"})


def test_a_delete_waits_for_a_person_where_the_other_had_edited(ann: Home, ben: Home) -> None:
    ann.registry.edit("m@2", {"description": "better"})
    ben.registry.change_state("version", "m@2", "delete")
    assert isinstance(ann.receive(ben)[-1], Conflicted)
    ann.registry.set_alias("m@2", "champion")
    (conflict,) = ann.registry.conflicts()
    side = str(conflict.candidates[0].id)
    with pytest.raises(BadInput, match="alias"):
        ann.registry.resolve(conflict.id, "candidate", candidate=side)
    ann.registry.remove_alias("m@champion")
    ann.registry.resolve(conflict.id, "candidate", candidate=side)
    assert ann.registry.version("m@2").state == "deleted"


def test_a_delete_meets_an_edit_that_came_in_the_same_unit_of_work(
    start: Path, ann: Home, ben: Home, tmp_path: Path
) -> None:
    cara = Home(Path(shutil.copytree(start, tmp_path / "cara")), "cara")
    ann.registry.edit("m@2", {"description": "better"})
    ben.registry.change_state("version", "m@2", "delete")
    with cara.registry.context.writing() as authority:
        verdicts = [
            authority.receive(data, actor)
            for home in (ann, ben)
            for data, actor in home.operations()
        ]
    assert isinstance(verdicts[-1], Conflicted)
    assert cara.registry.version("m@2").state == "captured"


def test_the_author_of_what_was_taken_edits_on(ann: Home, ben: Home) -> None:
    ann.registry.edit("m@1", {"description": "ann's"})
    ben.registry.edit("m@1", {"description": "ben's"})
    ann.receive(ben)
    conflict = ann.registry.conflict(ann.conflict())
    ann.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    ben.registry.edit("m@1", {"description": "ben's second"})
    assert isinstance(ann.receive(ben)[-1], Accepted)
    assert ann.registry.version("m@1").description == "ben's second"
    assert ann.registry.conflicts() == []


def test_an_edit_of_ones_own_candidate_takes_its_place(ann: Home, ben: Home) -> None:
    ann.registry.edit("m@1", {"description": "ann's"})
    ben.registry.edit("m@1", {"description": "ben's"})
    ann.receive(ben)
    ben.registry.edit("m@1", {"description": "ben's second"})
    ann.receive(ben)
    (conflict,) = ann.registry.conflicts()
    assert [side.value for side in conflict.candidates] == ["ben's second"]


def test_a_choice_made_over_an_earlier_sight_is_no_blind_overwrite(ann: Home, ben: Home) -> None:
    ann.registry.edit("m@1", {"description": "ann's"})
    ben.registry.edit("m@1", {"description": "ben's"})
    ann.receive(ben)
    seen = ann.registry.conflict(ann.conflict())
    dan = Home(ann.replica.home.path.with_name("dan"), "dan")
    shutil.copytree(ann.replica.home.path, dan.replica.home.path)
    dan.registry.edit("m@1", {"description": "dan's"})
    ann.receive(dan)
    with pytest.raises(ConflictOpen):
        ann.registry.resolve(seen.id, "value", value="both", seen=seen)
    assert ann.registry.version("m@1").description == "dan's"
    assert len(ann.registry.conflicts()) == 1


def test_two_who_settle_their_mirrored_conflicts_alike_agree(ann: Home, ben: Home) -> None:
    ann.registry.edit("m@1", {"description": "ann's"})
    ben.registry.edit("m@1", {"description": "ben's"})
    ann.receive(ben)
    ben.receive(ann)
    ben.registry.resolve(ben.conflict(), "value", value="both")
    ann.receive(ben)
    (conflict,) = ann.registry.conflicts()
    assert [side.value for side in conflict.candidates] == ["both"]
    ann.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    ben.receive(ann)
    for home in (ann, ben):
        assert home.registry.version("m@1").description == "both"
        assert home.registry.conflicts() == []
        check_replica(home.replica.home.path)


def test_giving_in_ends_the_conflict_on_both_sides(ann: Home, ben: Home) -> None:
    ann.registry.edit("m@1", {"description": "ann's"})
    ben.registry.edit("m@1", {"description": "ben's"})
    ann.receive(ben)
    ben.receive(ann)
    (mirrored,) = ben.registry.conflicts()
    ben.registry.resolve(mirrored.id, "candidate", candidate=str(mirrored.candidates[0].id))
    ann.receive(ben)
    assert ann.registry.conflicts() == ben.registry.conflicts() == []
    assert ann.registry.version("m@1").description == "ann's"


def test_everything_received_twice_is_received_once(ann: Home, ben: Home) -> None:
    ben.registry.edit("m@1", {"description": "ben's"})
    first = ann.receive(ben)
    documents = ann.documents()
    assert ann.receive(ben) == first
    assert ben.receive(ann)
    assert ann.documents() == documents


def test_what_is_refused_leaves_no_trace(ann: Home, ben: Home) -> None:
    ann.registry.change_state("version", "m@2", "archive")
    ben.registry.set_alias("m@2", "champion")
    documents, operations = ann.documents(), ann.operations()
    verdict = ann.receive(ben)[-1]
    assert isinstance(verdict, Rejected)
    assert (ann.documents(), ann.operations()) == (documents, operations)
    check_replica(ann.replica.home.path)


@pytest.mark.parametrize("field", [{"stream": "registry"}, {"stream": ""}])
def test_what_is_no_id_names_nothing_and_breaks_nothing(
    ann: Home, ben: Home, field: dict[str, str]
) -> None:
    ben.registry.edit("m@1", {"description": "ben's", "tags/k": "x"})
    data, actor = ben.operations()[-1]
    operation = decode_operation(data)
    for path, saw in (("description", str(UUID(int=0))), ("tags/k", "")):
        operation.body.set[path] = Change(operation.body.set[path].to, saw=saw)
    elsewhere = msgspec.structs.replace(operation, **field)
    unseen = msgspec.structs.replace(operation, body=EditBody({"tags/k": Change("x", "nobody")}))
    with ann.registry.context.writing() as authority:
        for one in (elsewhere, unseen):
            assert isinstance(authority.receive(encode_operation(one), actor), Rejected)
        assert isinstance(authority.receive(encode_operation(operation), actor), Conflicted)
    check_replica(ann.replica.home.path)


def test_nobody_passes_an_operation_off_as_anothers(ann: Home, ben: Home) -> None:
    ben.registry.edit("m@1", {"description": "ben's"})
    data, _ = ben.operations()[-1]
    with pytest.raises(BadInput), ann.registry.context.writing() as authority:
        authority.receive(data, person("ann"))
    changed = data.replace(b"ben's", b"eve's")
    ann.receive(ben)
    with pytest.raises(BadInput), ann.registry.context.writing() as authority:
        authority.receive(changed, person("ben"))
    with pytest.raises(BadInput), ann.registry.context.writing() as authority:
        authority.receive(b"{}", person("ben"))


# Random work on both sides


def acts(home: Home, pick: Callable[[int], int]) -> Iterator[Callable[[], Any]]:
    registry = home.registry
    version = ("m@1", "m@2")[pick(2)]
    word = ("one", "two", "three")[pick(3)]
    card = [*"abcde"]
    card[pick(5)] = word
    yield lambda: registry.edit(version, {"description": word, f"tags/{pick(2)}": word})
    yield lambda: registry.edit("m", {"description": word})
    yield lambda: registry.edit("m", {"card": "\n".join(card)})
    yield lambda: registry.edit(version, {"metrics/f1": pick(9) / 8})
    yield lambda: registry.set_alias(version, ("champion", "next")[pick(2)])
    yield lambda: registry.remove_alias("m@champion")
    yield lambda: registry.change_state("version", version, ("archive", "delete")[pick(2)])
    yield lambda: registry.change_state("version", version, "restore")
    yield lambda: registry.add_comment(version, word)
    yield lambda: registry.put_dataset("imdb", {"uri": word})
    conflicts = registry.conflicts()
    if conflicts:
        conflict = conflicts[pick(len(conflicts))]
        side = str(conflict.candidates[0].id)
        yield lambda: registry.resolve(conflict.id, "accepted")
        yield lambda: registry.resolve(conflict.id, "candidate", candidate=side)
        yield lambda: registry.resolve(conflict.id, "value", value=word)


@pytest.mark.parametrize("seed", few_of(range(8), 1))
def test_nothing_is_lost_and_both_judge_alike_whatever_is_done(
    ann: Home, ben: Home, seed: int
) -> None:
    dice = random.Random(seed)
    refused: dict[str, set[str]] = {"ann": set(), "ben": set()}
    for _ in range(14):
        home, other = (ann, ben) if dice.randrange(2) else (ben, ann)
        if dice.randrange(4) == 0:
            verdicts = home.receive(other)
            refused[home.name] |= {v.op for v in verdicts if isinstance(v, Rejected)}
            continue
        chosen = [*acts(home, dice.randrange)]
        try:
            chosen[dice.randrange(len(chosen))]()
        except RegtuiError:
            continue
    for home, other in ((ann, ben), (ben, ann)):
        verdicts = home.receive(other)
        refused[home.name] |= {v.op for v in verdicts if isinstance(v, Rejected)}
    for home, other in ((ann, ben), (ben, ann)):
        known = {decode_operation(data).id for data, _ in home.operations()}
        made = {decode_operation(data).id for data, _ in other.operations()}
        assert made <= known | refused[home.name]
        replayed = replay(home)
        assert replayed.documents == home.documents()
        check_replica(home.replica.home.path)


def replay(home: Home) -> RegistryState:
    """Judge every operation of a replica again, in memory, as it was judged there."""
    state = RegistryState(final=True)
    with home.replica.reading() as connection:
        rows = connection.execute(
            "select o.bytes, o.verdict, a.name from base.operation o join base.actor a "
            "on a.id::varchar = json_extract_string(o.bytes, '$.actor') order by o.seq"
        ).fetchall()
    for data, verdict, name in rows:
        operation = decode_operation(data.encode())
        now = msgspec.json.decode(verdict)["now"]
        judged = judge(operation, state, person(name), now)
        assert encode_verdict(judged.verdict).decode() == verdict
        state.apply(operation, judged)
    return state
