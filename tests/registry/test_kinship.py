"""What a trainer says that a version was made from, found in the registry."""

from pathlib import Path

import pytest

from regtui.capture.findings import ParentHint
from regtui.registry import Registry
from regtui.registry.kinship import hinted_parents
from tests.registry.conftest import make_run


@pytest.fixture
def known(registry: Registry, tmp_path: Path) -> Registry:
    """Return a registry with a base model, and two checkpoints of a run that differ."""
    registry.capture(make_run(tmp_path / "base"), model="hub/bert-base")
    for step in (100, 200):
        folder = make_run(tmp_path / "runs" / "7" / f"checkpoint-{step}")
        (folder / "step").write_text(str(step), encoding="utf-8")
        registry.capture(folder, model="ranker")
    return registry


def parents(
    registry: Registry, *references: str, folder: Path | str = "/", own: str = ""
) -> list[str]:
    hints = [ParentHint(reference, "base") for reference in references]
    with registry.context.reading() as connection:
        found = hinted_parents(connection, hints, folder=str(folder), own=own)
    return [registry.version(f":{one}").reference for one in found]


def test_a_model_is_found_by_its_name_or_the_end_of_it(known: Registry) -> None:
    assert parents(known, "hub/bert-base") == ["hub/bert-base@1"]
    assert parents(known, "HUB/BERT-base") == ["hub/bert-base@1"]
    assert parents(known, "somebody/ranker") == ["ranker@2"]


def test_a_checkpoint_is_found_by_its_path(known: Registry, tmp_path: Path) -> None:
    there = tmp_path / "runs" / "7" / "checkpoint-100"
    assert parents(known, str(there)) == ["ranker@1"]
    assert parents(known, f"{there}/") == ["ranker@1"]
    assert parents(known, str(there / "model.safetensors")) == ["ranker@1"]
    assert parents(known, "7/checkpoint-200", folder=tmp_path / "runs") == ["ranker@2"]
    assert parents(known, "../7/checkpoint-200", folder=tmp_path / "runs" / "8") == ["ranker@2"]


def test_a_file_is_found_by_its_digest(known: Registry) -> None:
    _, files = known.files("ranker@1")
    digest = next(file.digest for file in files if file.path == "step")
    assert parents(known, digest) == ["ranker@1"]
    assert parents(known, "0" * 64) == []


def test_what_is_not_here_is_no_parent(known: Registry) -> None:
    for reference in ("", " ", "/nowhere", "no/such model", "a\0b", "@", "ranker@9", "~nobody/x"):
        assert parents(known, reference) == []


def test_a_version_is_found_by_its_reference(known: Registry) -> None:
    for reference in ("ranker@1", known.version("ranker@1").short_id):
        assert parents(known, reference) == ["ranker@1"]


def test_no_version_is_its_own_parent(known: Registry, tmp_path: Path) -> None:
    newest = known.version("ranker@2").id
    assert parents(known, "ranker", own=newest) == ["ranker@1"]
    assert parents(known, str(tmp_path / "runs/7/checkpoint-200"), own=newest) == []


def test_what_was_deleted_is_no_parent_and_each_is_one_once(
    known: Registry, tmp_path: Path
) -> None:
    known.change_state("version", "ranker@1", "delete")
    there = str(tmp_path / "runs" / "7" / "checkpoint-100")
    assert parents(known, there, "hub/bert-base", "bert-base") == ["hub/bert-base@1"]
