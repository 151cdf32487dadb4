"""What undo, redo and revert take back, whose, and what they refuse."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import decode_document, encode_document
from regtui.core.errors import BadInput, Denied, NotFound
from regtui.core.identity import user_id
from regtui.core.operations import EditBody
from regtui.registry import Registry, open_registry
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.replica.database import connected
from tests.replica.ledger import check_replica

BEN = Actor(user_id("ben"), "ben", (Grant(Role.ADMIN, "*"),))


class BenContext(Context, frozen=True):
    """The same registry in Ben's hands."""

    @property
    def actor(self) -> Actor:
        return BEN


@pytest.fixture
def as_ben(ranker: Registry) -> Callable[[dict[str, str]], None]:
    """Return what edits the model `ranker` in Ben's name."""

    def edit(wanted: dict[str, str], via: str = "cli") -> None:
        with ranker.context.replica.writing(BEN, via, "s") as authority:
            model = authority.view.holder("ranker")
            assert model is not None
            body = EditBody(changes(wanted, "model", model))
            authority.submit("model.edit", model.id, model.id, body)

    return edit


def summaries(registry: Registry, limit: int = 3) -> list[str]:
    return [one.summary for one in registry.log(limit=limit).operations]


def test_a_bare_undo_leaves_what_others_did(
    ranker: Registry, as_ben: Callable[[dict[str, str]], None]
) -> None:
    ranker.edit("ranker", {"description": "mine"})
    as_ben({"tags/by": "ben"})

    ranker.undo()

    model = ranker.model("ranker")
    assert (model.description, model.tags) == (None, {"by": "ben"})


@pytest.mark.parametrize("via", ["watcher", "runner"])
def test_a_bare_undo_leaves_what_programs_did_by_themselves(
    ranker: Registry, run: Path, via: str
) -> None:
    ranker.edit("ranker", {"description": "mine"})
    open_registry(ranker.home, via=via).capture(run, model="watched")

    ranker.undo()

    assert ranker.model("ranker").description is None
    assert ranker.version("watched@1").state == "captured"


@pytest.mark.parametrize("via", ["cli", "app", "api"])
def test_a_bare_undo_takes_back_whatever_was_done_by_hand(ranker: Registry, via: str) -> None:
    open_registry(ranker.home, via=via).edit("ranker", {"description": "mine"})

    ranker.undo()

    assert ranker.model("ranker").description is None


def test_anybody_can_take_back_what_somebody_else_did(
    ranker: Registry, as_ben: Callable[[dict[str, str]], None]
) -> None:
    as_ben({"description": "ben's"})

    answer = ranker.undo(str(ranker.anchor().seq))

    assert [one.actor for one in answer.undone] == ["ben"]
    assert ranker.model("ranker").description is None


def test_a_value_that_somebody_set_since_is_left_alone(
    ranker: Registry, as_ben: Callable[[dict[str, str]], None]
) -> None:
    ranker.edit("ranker", {"description": "mine", "tags/a": "b"})
    as_ben({"description": "ben's"})
    head = ranker.anchor()

    with pytest.raises(BadInput, match="'description' was set again since by the operation #6"):
        ranker.undo()

    assert ranker.anchor() == head
    assert ranker.model("ranker").tags == {"a": "b"}


def test_what_is_taken_back_whole_goes_with_what_others_made_of_it_and_comes_back_so(
    ranker: Registry, run: Path
) -> None:
    captured = ranker.capture(run / "sub", model="ranker", tags={"mine": "1"})
    bens = Registry(BenContext(ranker.context.replica, "cli", "s"))
    bens.edit("ranker@3", {"tags/bens": "1"})

    answer = ranker.undo()

    assert [one.kind for one in answer.operations] == ["version.delete"]
    assert ranker.version("ranker@3").state == "deleted"
    ranker.redo()
    version = ranker.version("ranker@3")
    assert version.id == captured.version.id
    assert (version.state, version.tags) == ("captured", {"mine": "1", "bens": "1"})


def test_a_later_change_that_was_taken_back_is_not_in_the_way(ranker: Registry) -> None:
    ranker.edit("ranker", {"description": "one"})
    first = str(ranker.anchor().seq)
    ranker.edit("ranker", {"description": "two"})
    ranker.undo()

    ranker.undo(first)

    assert ranker.model("ranker").description is None


def test_redo_ends_where_something_new_was_done(ranker: Registry) -> None:
    ranker.edit("ranker", {"description": "one"})
    ranker.undo()
    undone = ranker.log(limit=1).operations[0]
    ranker.edit("ranker", {"tags/a": "b"})

    with pytest.raises(NotFound, match="nothing to redo"):
        ranker.redo()

    ranker.redo(undone.id)
    assert ranker.model("ranker").description == "one"


def test_what_others_do_does_not_end_redo(
    ranker: Registry, as_ben: Callable[[dict[str, str]], None]
) -> None:
    ranker.edit("ranker", {"description": "one"})
    ranker.undo()
    as_ben({"tags/by": "ben"})

    ranker.redo()

    assert ranker.model("ranker").description == "one"


@pytest.mark.slow
def test_undo_and_redo_may_go_on_for_ever(ranker: Registry) -> None:
    ranker.edit("ranker", {"description": "one"})
    seq = ranker.anchor().seq

    for _ in range(12):
        assert [one.summary for one in ranker.undo().operations] == [
            f"undid #{seq}: removed description"
        ]
        assert ranker.model("ranker").description is None
        assert [one.summary for one in ranker.redo().operations] == [
            f"redid #{seq}: set description"
        ]
        assert ranker.model("ranker").description == "one"
    check_replica(ranker.home)


def test_an_operation_is_named_by_its_number_its_id_or_the_beginning_of_that(
    ranker: Registry,
) -> None:
    ranker.edit("ranker", {"description": "one"})
    made = ranker.log(limit=1).operations[0]

    for name in (f"#{made.seq}", str(made.seq), made.id, made.id.upper(), made.id[:22]):
        assert ranker.undo(name).operations[0].summary == f"undid #{made.seq}: removed description"
        ranker.redo(name)
    with pytest.raises(BadInput, match=r"names .* operations"):
        ranker.undo(made.id[:8])


def test_what_is_undone_can_not_be_undone_again(ranker: Registry) -> None:
    ranker.edit("ranker", {"description": "one"})
    made = ranker.log(limit=1).operations[0]
    ranker.undo()

    with pytest.raises(BadInput, match="#5 is undone already, by #6"):
        ranker.undo(made.id)


def test_undoing_a_delete_brings_it_back_as_it_was(ranker: Registry) -> None:
    ranker.change_state("version", "ranker@2", "archive")
    ranker.change_state("version", "ranker@2", "delete")

    ranker.undo()
    assert ranker.version("ranker@2").state == "archived"
    ranker.redo()
    assert ranker.version("ranker@2").state == "deleted"
    ranker.undo()
    ranker.undo()
    assert ranker.version("ranker@2").state == "captured"


def test_a_place_goes_with_the_capture_that_brought_it(ranker: Registry, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for folder in (tmp_path, tmp_path / "b"):
        (folder / "model.bin").write_bytes(b"same")
        ranker.capture(folder / "model.bin", model="placed")
    assert len(ranker.places("placed@1")) == 2

    ranker.undo()
    assert [place.folder for place in ranker.places("placed@1")] == [str(tmp_path)]
    ranker.redo()
    assert len(ranker.places("placed@1")) == 2


def test_the_capture_that_brings_a_version_back_is_undone_to_what_it_was(
    ranker: Registry, tmp_path: Path
) -> None:
    (tmp_path / "model.bin").write_bytes(b"same")
    ranker.capture(tmp_path / "model.bin", model="placed")
    ranker.change_state("version", "placed@1", "archive")
    ranker.capture(tmp_path / "model.bin", model="placed", tags={"a": "b"})
    assert ranker.version("placed@1").state == "captured"

    ranker.undo()

    found = ranker.version("placed@1")
    assert (found.state, found.tags) == ("archived", {})
    ranker.undo()
    assert ranker.version("placed@1").state == "captured"


def test_only_its_author_takes_back_a_comment(ranker: Registry) -> None:
    ranker.add_comment("ranker", "looks good")
    made = ranker.log(limit=1).operations[0]
    with pytest.raises(Denied, match="only its author"):
        Registry(BenContext(ranker.context.replica, "cli", "s")).undo(made.id)

    ranker.undo()

    assert ranker.comments("ranker") == []


def test_a_dataset_that_was_removed_is_not_brought_back_by_undoing_an_edit(
    ranker: Registry,
) -> None:
    ranker.put_dataset("d", {"uri": "s3://a"})
    ranker.put_dataset("d", {"uri": "s3://b"})
    edited = str(ranker.anchor().seq)
    ranker.remove_dataset("d")

    with pytest.raises(BadInput, match="the dataset is deleted by now"):
        ranker.undo(edited)

    ranker.undo()
    ranker.undo(edited)
    assert ranker.dataset("d").uri == "s3://a"


def test_reverting_again_goes_further_back_and_undo_comes_forward_again(
    registry: Registry, tmp_path: Path
) -> None:
    for content in ("1", "2", "3"):
        (tmp_path / "m.bin").write_text(content, encoding="utf-8")
        registry.capture(tmp_path / "m.bin", model="m", alias="champion")

    def number() -> int | None:
        return registry.version("m@champion").number

    assert [registry.revert("m@champion").version.number for _ in range(2)] == [2, 1]
    with pytest.raises(NotFound, match="no other version before"):
        registry.revert("m@champion")
    registry.undo()
    assert number() == 2
    registry.undo()
    assert number() == 3
    registry.redo()
    registry.redo()
    assert number() == 1
    registry.revert("m@champion", "m@3")
    assert number() == 3
    assert registry.revert("m@champion").version.number == 1


def test_an_alias_without_holders_goes_back_by_the_log(ranker: Registry) -> None:
    ranker.set_alias("ranker@2", "champion")
    # As a program wrote it that knew of no holders.
    with connected(ranker.context.replica.home.database, read_only=False) as connection:
        rows = connection.execute(
            "select key, body from base.document where kind = 'alias'"
        ).fetchall()
        for key, body in rows:
            document = decode_document(body)
            for path in [path for path in document.fields if path.startswith("holders/")]:
                del document.fields[path]
            connection.execute(
                "update base.document set body = ? where key = ?",
                [encode_document(document).decode(), key],
            )

    assert [one.number for one in ranker.holders("ranker@champion")] == [2, 1]
    assert ranker.revert("ranker@champion").version.number == 1
    with pytest.raises(NotFound, match="no other version before"):
        ranker.revert("ranker@champion")


def test_the_log_of_an_author_is_his(
    ranker: Registry, as_ben: Callable[[dict[str, str]], None]
) -> None:
    as_ben({"description": "ben's"})
    ranker.edit("ranker", {"tags/a": "b"})

    his = ranker.log(author="BEN").operations
    rest = ranker.log(author=ranker.log(limit=1).operations[0].actor).operations

    assert [(one.actor, one.summary) for one in his] == [("ben", "set description")]
    assert {one.actor for one in rest} == {ranker.context.actor.name}
    assert len(rest) == ranker.anchor().seq - 1


def test_following_tells_what_was_done_since_and_nothing_twice(ranker: Registry) -> None:
    done = iter(["one", "two", "three"])

    def act(_: float) -> None:
        if (text := next(done, None)) is None:
            raise KeyboardInterrupt
        ranker.edit("ranker", {"description": text})

    told = ranker.follow("ranker", wait=act)

    assert [next(told).changes[0].after for _ in range(3)] == ["one", "two", "three"]
    with pytest.raises(KeyboardInterrupt):
        next(told)


def test_undoing_a_redo_undoes_what_it_gave_back(ranker: Registry) -> None:
    ranker.create_model("new")
    created = str(ranker.anchor().seq)
    ranker.change_state("model", "new", "archive")
    archived = str(ranker.anchor().seq)
    ranker.undo(created)
    redone = ranker.redo(created).operations
    assert ranker.model("new").state == "archived"

    ranker.undo(archived)
    ranker.undo(redone[-1].id)

    with pytest.raises(NotFound):
        ranker.model("new")
    with pytest.raises(BadInput, match="undone already"):
        ranker.undo(redone[0].id)
    ranker.redo(redone[0].id)
    assert ranker.model("new").state == "active"
