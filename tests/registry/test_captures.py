from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from tests.replica.ledger import check_replica


def test_the_same_content_is_the_same_version(registry: Registry, run: Path) -> None:
    first = registry.capture(run, model="ranker")
    again = registry.capture(run, model="ranker")
    assert (first.created, again.created) == (True, False)
    assert again.version == first.version
    assert registry.sql("select count(*) from operations").rows == [(2,)]


def test_the_same_content_from_elsewhere_is_the_same_version(
    registry: Registry, run: Path, tmp_path: Path
) -> None:
    first = registry.capture(run / "model.bin", model="ranker")
    copy = tmp_path / "copy.bin"
    copy.write_bytes((run / "model.bin").read_bytes())
    again = registry.capture(copy, model="ranker")
    assert (again.created, again.version.id) == (False, first.version.id)
    assert again.version.source == str(run / "model.bin")


def test_what_is_known_of_the_same_content_adds_up(registry: Registry, run: Path) -> None:
    registry.capture(run, model="ranker", metrics={"f1": 0.5, "loss": 2.0}, tags={"a": "1"})
    again = registry.capture(
        run, model="ranker", metrics={"f1": 0.6}, tags={"b": "2"}, params={"lr": 0.1}
    )
    version = again.version
    assert again.created is False
    assert version.metrics == {"f1": 0.6, "loss": 2.0}
    assert (version.tags, version.params) == ({"a": "1", "b": "2"}, {"lr": 0.1})


def test_a_later_step_wins_over_an_earlier_one(registry: Registry, run: Path) -> None:
    registry.capture(run, model="ranker", metrics={"f1": (0.5, 200)})
    version = registry.capture(run, model="ranker", metrics={"f1": (0.9, 100)}).version
    assert (version.metrics["f1"], version.steps["f1"]) in [(0.9, 100), (0.5, 200)]
    check_replica(registry.home)


def test_other_content_is_another_version(registry: Registry, run: Path) -> None:
    registry.capture(run, model="ranker")
    for change in (
        (run / "new").touch,
        lambda: (run / "new").rename(run / "renamed"),
        lambda: (run / "renamed").chmod(0o755),
        lambda: (run / "renamed").write_text("x", encoding="utf-8"),
    ):
        change()
        assert registry.capture(run, model="ranker").created is True
    assert [version.number for version in registry.versions("sort:number").versions] == [
        1,
        2,
        3,
        4,
        5,
    ]


def test_new_is_always_a_version(registry: Registry, run: Path) -> None:
    registry.capture(run, model="ranker")
    again = registry.capture(run, model="ranker", new=True)
    assert (again.created, again.version.number) == (True, 2)
    assert again.version.digest == registry.version("ranker@1").digest


@pytest.mark.parametrize(("verb", "state"), [("archive", "archived"), ("delete", "deleted")])
def test_what_was_put_away_comes_back_when_it_is_captured(
    registry: Registry, run: Path, verb: str, state: str
) -> None:
    first = registry.capture(run, model="ranker").version
    registry.change_state("version", "ranker@1", verb)
    assert registry.version("ranker@1").state == state
    again = registry.capture(run, model="ranker")
    assert (again.created, again.version.id, again.version.state) == (False, first.id, "captured")
    assert registry.count() == 1


def test_a_deleted_name_starts_a_new_generation(registry: Registry, run: Path) -> None:
    first = registry.capture(run, model="ranker", alias="champion").version
    registry.change_state("model", "ranker", "delete")
    again = registry.capture(run, model="Ranker").version
    assert again.id != first.id
    assert (again.number, again.aliases) == (1, [])
    assert [model.versions for model in registry.models(state="any")] == [1, 1]
    with pytest.raises(BadInput, match="another model is called 'ranker' by now"):
        restore_first(registry, first.id)
    check_replica(registry.home)


def restore_first(registry: Registry, version: str) -> None:
    """Restore the deleted model by deleting its successor, restoring, and restoring again."""
    from regtui.core.documents import decode_document
    from regtui.core.operations import StateBody
    from regtui.registry.changes import changes

    with registry.context.writing() as authority:
        (row,) = authority.connection.execute(
            "select d.body from base.document d join base.model m on m.key = d.key "
            "where m.state = 'deleted'"
        ).fetchall()
        document = decode_document(row[0])
        body = StateBody(document.by, changes({"state": "active"}, "model", document))
        authority.submit("model.restore", document.stream, document.id, body)
    assert version


def test_models_are_the_same_whatever_the_case_of_their_name(registry: Registry, run: Path) -> None:
    registry.capture(run, model="Team/Étude")
    assert registry.capture(run, model="TEAM/E\u0301TUDE").created is False
    (model,) = registry.models()
    assert (model.model, model.display_name) == ("team/étude", "Team/Étude")


def test_a_bad_request_captures_nothing(registry: Registry, run: Path) -> None:
    for error, options in (
        (NotFound, {"parents": ["ranker@1"]}),
        (BadInput, {"alias": "latest"}),
        (BadInput, {"model": "a b"}),
        (BadInput, {"tags": {"": "x"}}),
        (BadInput, {"tags": {"k": 5}}),
        (BadInput, {"params": {"k": {"a": 1}}}),
        (BadInput, {"params": {"k": [1]}}),
        (BadInput, {"params": {"k": object()}}),
        (BadInput, {"params": {"k": 2**80}}),
        (BadInput, {"metrics": {"k": "high"}}),
        (BadInput, {"metrics": {"k": (0.5, 2**70)}}),
        (BadInput, {"metrics": {"k": None}}),
        (BadInput, {"description": 5}),
        (BadInput, {"description": "\udcff"}),
        (NotFound, {"inputs": {"k": None}}),
        (BadInput, {"inputs": {"k": " "}}),
        (BadInput, {"inputs": {"k": 5}}),
    ):
        with pytest.raises(error):
            registry.capture(run, **{"model": "ranker", **options})  # type: ignore[arg-type]
    assert registry.models(state="any") == []
    assert registry.count() == 0


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5_000])
def test_a_path_that_can_not_be_is_refused(registry: Registry, path: str) -> None:
    with pytest.raises((NotFound, BadInput)):
        registry.capture(path, model="ranker")


def test_figures_that_are_no_numbers_come_back(registry: Registry, run: Path) -> None:
    figures = {"nan": float("nan"), "up": float("inf"), "down": float("-inf"), "tiny": 5e-324}
    version = registry.capture(run, model="ranker", metrics=figures).version
    assert version.metrics == {
        "nan": "NaN", "up": "Infinity", "down": "-Infinity", "tiny": 5e-324
    }  # fmt: skip
    assert registry.count("metric.up>1e300") == 1
    check_replica(registry.home)


def test_progress_adds_up_to_the_bytes(registry: Registry, run: Path) -> None:
    done: list[int] = []
    version = registry.capture(run, model="ranker", on_progress=done.append).version
    assert sum(done) == version.size == 5_017
