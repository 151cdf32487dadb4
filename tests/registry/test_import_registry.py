"""Whole registries that travel as files: taken in as they are, or merged by two people."""

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from regtui.core.documents import Document, decode_document
from regtui.core.errors import BadInput
from regtui.registry import Registry
from regtui.registry.aliases import point
from regtui.registry.answers_bundle import ImportedRegistry
from regtui.registry.edit import submit_edit
from regtui.registry.references import find_version
from regtui.registry.series import Series
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import connected
from tests.depth import few_of
from tests.registry.bundles import Person, person
from tests.registry.conftest import make_run
from tests.registry.keeping import objects
from tests.replica.ledger import check_replica
from tests.replica.test_upgrades import SCHEMAS, unpacked


@pytest.fixture(scope="session")
def homes(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the homes of ann, and of ben, whose came from hers by file.

    Hers has a model, three versions, texts, an alias and a deletion.
    """
    folder = tmp_path_factory.mktemp("homes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        run = make_run(folder / "runs" / "7")
        ann = person("ann", Path(shutil.copytree(empty_home, folder / "ann")))
        ann.capture(
            run, model="ranker", metrics={"f1": (0.5, 10)}, alias="champion", description="one"
        )
        ann.capture(run / "model.bin", model="ranker", tags={"env": "prod"})
        ann.capture(run / "serve.sh", model="ranker", params={"lr": 0.1})
        ann.edit("ranker", {"card": "# Ranker\n", "tags/task": "rank"})
        ann.add_series("ranker@1", {"loss": Series(steps=(1, 2), values=(0.3, 0.2))})
        ann.change_state("version", "ranker@3", "delete")
        send(ann, person("ben", folder / "ben"), folder)
    return folder


@pytest.fixture
def ann(homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return ann's registry."""
    config = shutil.copytree(homes / "config", tmp_path / "config")
    monkeypatch.setenv("REGTUI_CONFIG", str(config))
    return person("ann", Path(shutil.copytree(homes / "ann", tmp_path / "home")))


@pytest.fixture
def ben(homes: Path, ann: Registry, tmp_path: Path) -> Registry:
    """Return ben's registry, which came from ann's by file."""
    return person("ben", Path(shutil.copytree(homes / "ben", tmp_path / "ben")))


def send(sender: Registry, receiver: Registry, folder: Path, **options: Any) -> ImportedRegistry:
    """Export a registry and import it into another home."""
    sender.export(None, folder / "sent.regtui", replace=True)
    found = receiver.import_bundle(folder / "sent.regtui", **options)
    assert isinstance(found, ImportedRegistry)
    return found


def sound(registry: Registry) -> None:
    """Check a registry by its own audit, its files, and what must hold of any replica."""
    assert registry.verify_history().problems == []
    assert registry.verify().damaged == []
    check_replica(registry.home)


def documents(registry: Registry) -> list[Document]:
    with connected(registry.home / "registry.duckdb", read_only=True) as connection:
        rows = connection.execute("select body from base.document order by id").fetchall()
    return [decode_document(row[0]) for row in rows]


def rows(registry: Registry, statement: str) -> list[tuple[Any, ...]]:
    with connected(registry.home / "registry.duckdb", read_only=True) as connection:
        return connection.execute(statement).fetchall()


HISTORY = (
    "select seq, id, bytes, verdict, link, stream_link from base.operation order by seq",
    "select id, body from base.document order by id",
    (
        "select l.seq, l.operation, a.id, l.via, l.time, d.id, l.kind, l.path, l.before, l.after, "
        "l.result, l.reason from base.log l join base.actor a on a.key = l.actor "
        "join base.document d on d.key = l.entity order by all"
    ),
    "select distinct digest, value from base.text order by all",
    (
        "select d.id, f.path, f.size, f.executable, f.digest from base.file f "
        "join base.document d on d.key = f.version order by all"
    ),
    "select id, name from base.actor order by all",
    "select id, head, count, link, last_number from base.stream order by all",
    "select * from base.signature order by all",
    "select * from base.undo order by all",
    "select registry, clock_us, seq, link from base.replica",
)


def test_an_empty_home_becomes_the_same_registry(ann: Registry, ben: Registry) -> None:
    for statement in HISTORY:
        assert rows(ben, statement) == rows(ann, statement), statement
    assert ben.versions("state:any") == ann.versions("state:any")
    assert ben.models() == ann.models()
    assert ben.aliases() == ann.aliases()
    assert ben.card("ranker") == ann.card("ranker")
    assert ben.plot(["ranker@1"], "loss") == ann.plot(["ranker@1"], "loss")
    assert objects(ben.home) == objects(ann.home)
    sound(ben)


def test_an_importing_replica_has_a_name_of_its_own_and_goes_on(
    ann: Registry, run: Path, tmp_path: Path
) -> None:
    ben = person("ben", tmp_path / "ben")
    send(ann, ben, tmp_path)
    (replica,) = rows(ben, "select id::varchar, n from base.replica")
    assert replica[1] == 0
    assert (replica[0],) not in rows(ann, "select replica::varchar from base.enrolment")
    assert ben.capture(run / "sub", model="ranker").version.number == 4
    assert rows(ben, "select id::varchar from base.replica") == [(replica[0],)]
    sound(ben)


def test_what_was_imported_is_exported_the_same(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    carol = person("carol", tmp_path / "carol")
    send(ben, carol, tmp_path)
    for statement in HISTORY:
        assert rows(carol, statement) == rows(ann, statement), statement


def test_an_empty_registry_travels_too(registry: Registry, tmp_path: Path, run: Path) -> None:
    registry.count()
    ben = person("ben", tmp_path / "ben")
    assert send(registry, ben, tmp_path).operations == 0
    ben.capture(run, model="m")
    sound(ben)


def test_two_people_merge_without_a_server(
    ann: Registry, ben: Registry, run: Path, tmp_path: Path
) -> None:
    ann.edit("ranker@1", {"tags/ann": "1", "description": "by ann"})
    ann.edit("ranker", {"card": "# Ranker\n\nann\n"})
    ann.capture(run / "sub", model="ranker")
    ben.edit("ranker@1", {"tags/ben": "1", "description": "by ben", "metrics/recall": 0.9})
    ben.set_alias("ranker@2", "champion")
    ben.capture(make_run(tmp_path / "runs" / "8") / "serve.sh", model="other")

    for _ in range(2):
        send(ann, ben, tmp_path)
        send(ben, ann, tmp_path)

    for home in (ann, ben):
        version = home.version("ranker@1")
        assert version.tags == {"ann": "1", "ben": "1"}
        assert version.metrics == {"f1": 0.5, "recall": 0.9}
        assert home.card("ranker") == "# Ranker\n\nann\n"
        assert home.version("other@1").files == 1
        sound(home)
    assert merged_fields(ann) == merged_fields(ben)
    assert conflicts(ann) == conflicts(ben)
    assert [path for _, path, _ in conflicts(ann)] == ["description"]
    assert rows(ann, "select id from base.operation order by id") == rows(
        ben, "select id from base.operation order by id"
    )


def conflicts(registry: Registry) -> list[tuple[str, str, frozenset[str]]]:
    """Return entity and path of each open conflict, with the values among which to choose."""
    found = documents(registry)
    by_id = {document.id: document for document in found}
    return sorted(
        (
            one.facts["of"],
            one.facts["path"],
            frozenset(
                [repr(by_id[one.facts["of"]].value(one.facts["path"]))]
                + [repr(candidate["value"]) for candidate in one.entries("candidates").values()]
            ),
        )
        for one in found
        if one.kind == "conflict" and one.value("resolution") is None
    )


def merged_fields(registry: Registry) -> dict[str, dict[str, Any]]:
    """Return the values of every entity that no open conflict is about."""
    contested = {(entity, path) for entity, path, _ in conflicts(registry)}
    return {
        document.id: {
            path: register.v
            for path, register in document.fields.items()
            if (document.id, path) not in contested and not path.startswith("holders/")
        }
        for document in documents(registry)
        if document.kind != "conflict"
    }


@pytest.mark.parametrize("seed", few_of(range(4), 1))
def test_whatever_two_people_do_their_homes_converge(
    ann: Registry, ben: Registry, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    for turn in range(12):
        home = chance.choice([ann, ben])
        match chance.randint(0, 4):
            case 0:
                file = tmp_path / f"file-{seed}-{turn}"
                file.write_text(str(chance.randint(0, 5)), encoding="utf-8")
                home.capture(file, model=chance.choice(["ranker", "new"]))
            case 1:
                home.edit("ranker@1", {f"tags/t{chance.randint(0, 2)}": str(turn)})
            case 2:
                home.edit("ranker@2", {f"metrics/m{chance.randint(0, 2)}": (turn, turn)})
            case 3:
                home.edit("ranker", {"description": f"{turn}"})
            case 4:
                home.edit("ranker@1", {f"params/p{chance.randint(0, 1)}": turn})
    for _ in range(2):
        send(ann, ben, tmp_path)
        send(ben, ann, tmp_path)
    assert merged_fields(ann) == merged_fields(ben)
    assert conflicts(ann) == conflicts(ben)
    for home in (ann, ben):
        sound(home)


def test_promotions_that_met_leave_each_his_own_and_the_others_request_open(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    ann.request_promotion("ranker@2", "champion")
    ben.request_promotion("ranker", "champion", remove=True)
    send(ann, ben, tmp_path)
    send(ben, ann, tmp_path)
    assert [one.number for one in ann.aliases()] == [2]
    assert ben.aliases() == []
    for one in (ann, ben):
        (waits,) = one.promotions()
        assert [gate.gate for gate in waits.gates] == ["unmoved"]
        sound(one)


def test_the_same_file_again_changes_nothing(
    ann: Registry, ben: Registry, run: Path, tmp_path: Path
) -> None:
    ben.edit("ranker@1", {"description": "by ben"})
    ann.edit("ranker@1", {"description": "by ann"})
    first = send(ben, ann, tmp_path)
    before = [rows(ann, statement) for statement in HISTORY]
    again = ann.import_bundle(tmp_path / "sent.regtui")
    assert isinstance(again, ImportedRegistry)
    assert (first.operations, len(first.conflicts)) == (1, 1)
    assert (again.operations, again.conflicts, again.objects) == (0, [], 0)
    assert [rows(ann, statement) for statement in HISTORY] == before


def test_a_dry_run_tells_what_an_import_then_does(
    ann: Registry, ben: Registry, run: Path, tmp_path: Path
) -> None:
    ben.edit("ranker@1", {"description": "by ben"})
    ben.capture(run / "sub", model="new")
    ann.edit("ranker@1", {"description": "by ann"})
    before = ([rows(ann, statement) for statement in HISTORY], objects(ann.home))
    told = send(ben, ann, tmp_path, dry_run=True)
    assert ([rows(ann, statement) for statement in HISTORY], objects(ann.home)) == before
    done = send(ben, ann, tmp_path)
    for field in ("merged", "operations", "known", "versions", "conflicts", "objects", "bytes"):
        assert getattr(told, field) == getattr(done, field), field
    assert (done.versions, len(done.conflicts)) == (1, 1)


def test_a_dry_run_leaves_an_empty_home_empty(ann: Registry, tmp_path: Path) -> None:
    carol = person("carol", tmp_path / "carol")
    told = send(ann, carol, tmp_path, dry_run=True)
    assert (told.merged, told.versions) == (False, 3)
    assert carol.models() == []
    assert objects(carol.home) == set()
    assert send(ann, carol, tmp_path).operations == told.operations


def test_what_can_not_be_taken_in_is_listed_with_its_reason(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    ann.change_state("version", "ranker@2", "delete")
    ben.set_alias("ranker@2", "next")
    ben.edit("ranker@1", {"tags/later": "yes"})
    found = send(ben, ann, tmp_path)
    (refused,) = found.refused
    assert (refused.kind, refused.actor, refused.code) == ("alias.set", "ben", "deleted")
    assert refused.message == "the version is deleted"
    assert found.operations == 1
    assert ann.version("ranker@1").tags["later"] == "yes"
    sound(ann)
    again = ann.import_bundle(tmp_path / "sent.regtui")
    assert isinstance(again, ImportedRegistry)
    assert (again.operations, [one.operation for one in again.refused]) == (0, [refused.operation])


def test_the_other_ones_author_is_known_by_name(
    ann: Registry, ben: Registry, run: Path, tmp_path: Path
) -> None:
    ben.capture(run / "sub", model="bens")
    send(ben, ann, tmp_path)
    assert ann.version("bens@1").author == "ben"


def test_series_of_the_other_one_arrive(ann: Registry, ben: Registry, tmp_path: Path) -> None:
    ben.add_series("ranker@2", {"loss": Series(steps=(1, 2), values=(9.0, 8.0))})
    send(ben, ann, tmp_path)
    assert ann.plot(["ranker@2"], "loss") == ben.plot(["ranker@2"], "loss")


def test_another_registry_is_refused(ann: Registry, run: Path, tmp_path: Path) -> None:
    other = person("ben", tmp_path / "other")
    other.capture(run, model="mine")
    (tmp_path / "only-anns").write_text("anns", encoding="utf-8")
    ann.capture(tmp_path / "only-anns", model="ranker")
    before = (rows(other, HISTORY[0]), objects(other.home))
    with pytest.raises(BadInput, match="another registry") as error:
        send(ann, other, tmp_path)
    assert "--home" in error.value.hint
    assert (rows(other, HISTORY[0]), objects(other.home)) == before


def test_a_whole_registry_goes_into_no_model(ann: Registry, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="whole registry"):
        send(ann, person("ben", tmp_path / "other"), tmp_path, model="x")


def test_files_that_did_not_travel_are_named_and_come_later(ann: Registry, tmp_path: Path) -> None:
    ben = person("ben", tmp_path / "ben")
    ann.export(None, tmp_path / "bare", artifacts=False)
    found = ben.import_bundle(tmp_path / "bare")
    needed = {file.digest for number in (1, 2) for file in ann.files(f"ranker@{number}")[1]}
    assert set(found.missing) == needed
    send(ann, ben, tmp_path)
    assert ben.verify().damaged == []


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_history_of_an_older_program_travels_as_it_was_decided(
    schema: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    old = person("ann", unpacked(schema, tmp_path / "old"))
    old.models()
    new = person("ben", tmp_path / "new")
    send(old, new, tmp_path)
    for statement in HISTORY:
        assert rows(new, statement) == rows(old, statement), statement
    check_replica(new.home)


def test_a_copied_home_merges_with_its_original(ann: Registry, run: Path, tmp_path: Path) -> None:
    copy = person("ben", Path(shutil.copytree(ann.home, tmp_path / "copy")))
    copy.capture(run / "sub", model="ranker")
    ann.edit("ranker@1", {"tags/x": "1"})
    assert send(copy, ann, tmp_path).operations == 1
    assert send(ann, copy, tmp_path).operations == 1
    assert merged_fields(ann) == merged_fields(copy)
    sound(copy)


def test_what_was_refused_once_may_be_accepted_after_what_came_later(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    ann.change_state("version", "ranker@2", "delete")
    ben.set_alias("ranker@2", "next")
    ben.edit("ranker@1", {"tags/later": "yes"})
    assert len(send(ben, ann, tmp_path).refused) == 1
    ann.change_state("version", "ranker@2", "restore")

    again = ann.import_bundle(tmp_path / "sent.regtui")

    assert isinstance(again, ImportedRegistry)
    assert (again.operations, again.refused) == (1, [])
    assert ann.version("ranker@2").aliases == ["next"]
    sound(ann)
    send(ann, person("carol", tmp_path / "carol"), tmp_path)
    sound(person("carol", tmp_path / "carol"))


@pytest.mark.slow
def test_what_one_refused_arrives_from_another_after_what_came_later(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    cy = person("cy", tmp_path / "cy")
    send(ann, cy, tmp_path)
    ben.change_state("version", "ranker@2", "delete")
    cy.set_alias("ranker@2", "next")
    cy.edit("ranker@1", {"tags/later": "yes"})
    cy.edit("ranker@1", {"tags/latest": "yes"})
    assert len(send(cy, ben, tmp_path).refused) == 1
    ben.change_state("version", "ranker@2", "restore")

    send(ben, ann, tmp_path)
    assert send(cy, ann, tmp_path).refused == []

    for home in (ann, ben):
        sound(home)
    send(ann, person("dan", tmp_path / "dan"), tmp_path)
    sound(person("dan", tmp_path / "dan"))


def test_what_was_done_at_once_is_undone_at_once_though_a_part_of_it_came_later(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    ann.change_state("version", "ranker@2", "delete")
    with ben.context.writing() as authority:
        authority.begin_group()
        _, version = find_version(authority.connection, "ranker@2")
        point(authority, version.stream, "next", version.id)
        point(authority, version.stream, "champion", version.id)
        _, other = find_version(authority.connection, "ranker@1")
        submit_edit(authority, other, {"tags/by": "ben"})
    assert len(send(ben, ann, tmp_path).refused) == 2
    ann.edit("ranker@1", {"tags/by-hand": "ann"})
    ann.change_state("version", "ranker@2", "restore")
    assert send(ben, ann, tmp_path).operations == 2

    answer = ann.undo(str(ann.anchor().seq))

    assert len(answer.undone) == 3
    assert (ann.version("ranker@2").aliases, ann.version("ranker@1").tags) == (
        [],
        {"by-hand": "ann"},
    )
    ann.redo()
    assert ann.version("ranker@2").aliases == ["champion", "next"]
    assert ann.undo(answer.undone[0].id).operations
    ann.undo()
    ann.undo()
    assert ann.version("ranker@1").tags == {}
    sound(ann)


def test_an_intent_is_taken_in_by_one_unit_of_work(
    ann: Registry, ben: Registry, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regtui.registry.import_registry.PAGE", 2)
    known = ben.anchor().seq
    ben.capture(run / "sub", model="new", alias="champion")  # three operations
    ben.edit("ranker@1", {"tags/a": "b"})

    send(ben, ann, tmp_path)

    signed = {seq for (seq,) in rows(ann, "select seq from base.signature")}
    assert signed & set(range(known + 1, known + 5)) == {known + 3, known + 4}
    sound(ann)


def test_an_import_that_another_one_overtakes_takes_in_the_rest(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    ben.edit("ranker@1", {"tags/one": "1"})
    ben.export(None, tmp_path / "first.regtui")
    ben.edit("ranker@1", {"tags/two": "2"})
    ben.export(None, tmp_path / "second.regtui")
    context = Overtaken(ann.context.replica, "api", "s", name="ann")
    context.before.append(lambda: ann.import_bundle(tmp_path / "first.regtui"))

    found = Registry(context).import_bundle(tmp_path / "second.regtui")

    assert isinstance(found, ImportedRegistry)
    assert (found.operations, found.known, found.refused) == (1, ben.anchor().seq - 1, [])
    assert ann.version("ranker@1").tags == {"one": "1", "two": "2"}
    sound(ann)


class Overtaken(Person, frozen=True, kw_only=True):
    """Somebody before whose first unit of work something else is done."""

    before: list[Callable[[], object]] = msgspec.field(default_factory=list)

    @contextlib.contextmanager
    def writing(self) -> Iterator[SoloAuthority]:
        while self.before:
            self.before.pop()()
        with super().writing() as authority:
            yield authority


@pytest.mark.slow
def test_a_second_history_under_one_id_is_refused_whole(
    ann: Registry, ben: Registry, tmp_path: Path
) -> None:
    database = ann.context.replica.home.database
    ann.edit("ranker", {"tags/task": "sort"})  # it is a copy, and gets a name of its own by this
    copy = database.read_bytes()
    ann.edit("ranker@1", {"tags/lost": "1"})
    send(ann, ben, tmp_path)
    database.write_bytes(copy)  # by hand, over itself
    ann.edit("ranker@1", {"tags/first": "1"})
    ann.edit("ranker@1", {"tags/second": "1"})

    for _ in range(2):
        found = send(ann, ben, tmp_path)
        assert [(one.kind, one.code) for one in found.refused] == [("version.edit", "forked")] * 2

    assert ben.version("ranker@1").tags == {"lost": "1"}
    ben.edit("ranker@1", {"tags/ben": "1"})
    assert [one.actor for one in send(ben, ann, tmp_path).refused] == ["ann"]
    assert ann.version("ranker@1").tags == {"first": "1", "second": "1", "ben": "1"}
    sound(ann)
    sound(ben)


def test_a_dry_run_leaves_the_registry_to_others(
    ann: Registry, ben: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben.edit("ranker@1", {"tags/a": "b"})
    ben.export(None, tmp_path / "bens.regtui")
    monkeypatch.setenv("REGTUI_WAIT", "0")

    with ann.context.reading():  # which a unit of work would wait for
        found = ann.import_bundle(tmp_path / "bens.regtui", dry_run=True)

    assert isinstance(found, ImportedRegistry)
    assert found.operations == 1
    assert ann.version("ranker@1").tags == {}


def test_a_dry_run_into_a_copied_home_takes_no_key(
    ann: Registry, run: Path, tmp_path: Path
) -> None:
    copy = person("ben", Path(shutil.copytree(ann.home, tmp_path / "copy")))
    ann.edit("ranker@1", {"tags/x": "1"})
    ann.edit("ranker@1", {"tags/y": "1"})
    keys = set((tmp_path / "config" / "keys").iterdir())

    told = send(ann, copy, tmp_path, dry_run=True)

    assert set((tmp_path / "config" / "keys").iterdir()) == keys
    done = copy.import_bundle(tmp_path / "sent.regtui")
    assert isinstance(done, ImportedRegistry)
    assert (told.operations, told.refused) == (done.operations, done.refused) == (2, [])


def test_undo_without_a_number_leaves_alone_what_was_done_elsewhere(
    ann: Registry, tmp_path: Path
) -> None:
    laptop = person("ann", tmp_path / "laptop")
    send(ann, laptop, tmp_path)
    laptop.edit("ranker@1", {"tags/here": "1"})
    ann.edit("ranker@2", {"tags/there": "1"})
    ann.edit("ranker@1", {"tags/there": "1"})
    send(ann, laptop, tmp_path)

    laptop.undo()

    assert laptop.version("ranker@1").tags == {"there": "1"}
    assert laptop.version("ranker@2").tags["there"] == "1"
    laptop.redo()
    assert laptop.version("ranker@1").tags == {"here": "1", "there": "1"}
    sound(laptop)
