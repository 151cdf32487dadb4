import shutil
from pathlib import Path

import pytest

import regtui
from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.references import parse


@pytest.fixture
def graded(graded_home: Path, tmp_path: Path) -> Registry:
    """Return a registry with three versions of `team/ranker`; the second is the best one."""
    return regtui.open(shutil.copytree(graded_home, tmp_path / "home"))


@pytest.fixture(scope="module")
def graded_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graded")
    registry = regtui.open(shutil.copytree(empty_home, folder / "home"))
    for loss in (0.5, 0.1, 0.3):
        (folder / "model.bin").write_text(str(loss), encoding="utf-8")
        registry.capture(folder / "model.bin", model="team/ranker", metrics={"loss": loss})
    registry.edit("team/ranker", {"primary_metric": "loss"})
    registry.set_alias("team/ranker@1", "champion")
    return registry.home


@pytest.mark.parametrize(
    ("reference", "number"),
    [
        ("team/ranker@1", 1),
        ("team/ranker@v2", 2),
        ("team/ranker@V2", 2),
        ("team/ranker@02", 2),
        ("Team/RANKER@Champion", 1),
        ("team/ranker@latest", 3),
        ("team/ranker@best", 2),
        ("team/ranker@LATEST", 3),
    ],
)
def test_a_reference_names_a_version(graded: Registry, reference: str, number: int) -> None:
    assert graded.version(reference).number == number


def test_an_id_or_its_beginning_names_a_version(graded: Registry) -> None:
    version = graded.version("team/ranker@2")
    digits = version.id.replace("-", "")
    for reference in (version.short_id, f":{digits}", f":{version.id}", f":{digits[:15].upper()}"):
        assert graded.version(reference) == version


def test_more_is_better_where_the_model_says_so(graded: Registry) -> None:
    graded.edit("team/ranker", {"direction": "max"})
    assert graded.version("team/ranker@best").number == 1


def test_what_was_put_away_is_neither_latest_nor_best(graded: Registry) -> None:
    graded.change_state("version", "team/ranker@2", "archive")
    graded.change_state("version", "team/ranker@3", "delete")
    assert graded.version("team/ranker@latest").number == 1
    assert graded.version("team/ranker@best").number == 1
    assert graded.version("team/ranker@3").state == "deleted"


def test_a_figure_that_is_no_number_is_never_best(graded: Registry) -> None:
    graded.edit("team/ranker@2", {"metrics/loss": {"value": "NaN", "step": None}})
    assert graded.version("team/ranker@best").number == 3


def test_a_removed_alias_names_nothing(graded: Registry) -> None:
    graded.remove_alias("team/ranker@champion")
    with pytest.raises(NotFound, match="has no alias 'champion'"):
        graded.version("team/ranker@champion")
    with pytest.raises(NotFound, match="has no alias 'champion'"):
        graded.remove_alias("team/ranker@champion")


def test_near_names_are_offered(graded: Registry) -> None:
    with pytest.raises(NotFound, match=r"did you mean team/ranker\?"):
        graded.version("team/rankr@1")


def test_without_models_the_first_step_is_offered(registry: Registry) -> None:
    with pytest.raises(NotFound, match="makes the first one"):
        registry.model("ranker")


@pytest.mark.parametrize(
    "text",
    ["", "@", "a b", "a@", "@1", "a@b@c", "a//b", "/a", "a/", "..", "a:b", ":", ":xyz",
     ":123456789", ":" + "0" * 33, "a@b c", "-a", "+1", "a\n", "a\0", "\u202ea",
     "\udcff", "x" * 201],
)  # fmt: skip
def test_malformed_references_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)


def test_a_number_of_any_length_is_a_number(graded: Registry) -> None:
    for digits in ("9" * 100, "9" * 5000, "2147483648"):
        with pytest.raises(NotFound, match=f"has no version {digits};"):
            graded.version(f"team/ranker@{digits}")
    assert graded.version("team/ranker@" + "0" * 100 + "1").number == 1
