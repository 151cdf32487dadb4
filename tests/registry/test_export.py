"""Bundles that are written: complete, the same for the same content, whole or not there."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest

from regtui.artifacts.garbage import stored
from regtui.core.errors import BadInput, Busy, Damaged, NotFound
from regtui.registry import Registry
from regtui.registry.series import parse_series
from regtui.replica.database import connected
from tests.registry.bundles import read


def test_a_bundle_describes_its_version(ranker: Registry, tmp_path: Path) -> None:
    ranker.edit("ranker", {"card": "# Ranker\n"})
    ranker.export("ranker@1", tmp_path / "v")
    entries = {entry.name: data for entry, data in read(tmp_path / "v")}
    found = msgspec.json.decode(entries["regtui.json"])
    version = ranker.version("ranker@1")
    assert (found["format"], found["v"], found["kind"]) == ("regtui bundle", 1, "version")
    assert found["version"]["id"] == version.id
    assert found["version"]["digest"] == version.digest
    assert found["version"]["author"] == version.author
    assert found["version"]["values"]["metrics"] == {"f1": {"value": 0.5, "step": 10}}
    assert found["version"]["values"]["tags"] == {"env": "prod"}
    assert [file[0] for file in found["files"]] == ["model.bin", "serve.sh", "sub/train.log"]
    card = found["model"]["values"]["card"]
    assert entries[f"texts/{card}"] == b"# Ranker\n"


def test_parents_have_their_ids_and_references(
    registry: Registry, run: Path, tmp_path: Path
) -> None:
    parent = registry.capture(run / "model.bin", model="base").version
    registry.capture(run, model="tuned", parents=["base@1"])
    registry.export("tuned@1", tmp_path / "v")
    found = msgspec.json.decode(read(tmp_path / "v")[0][1])
    assert found["parents"] == {parent.id: "base@1"}
    assert found["version"]["values"]["parents"] == {parent.id: True}


@pytest.mark.parametrize("reference", ["ranker@1", None])
def test_the_same_content_gives_the_same_bytes(
    ranker: Registry, tmp_path: Path, reference: str | None
) -> None:
    ranker.export(reference, tmp_path / "a")
    ranker.export(reference, tmp_path / "b")
    stream = io.BytesIO()
    ranker.export(reference, stream)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == stream.getvalue()


@pytest.mark.parametrize("reference", ["ranker@1", None])
def test_tar_reads_a_bundle(ranker: Registry, tmp_path: Path, reference: str | None) -> None:
    ranker.export(reference, tmp_path / "v")
    (tmp_path / "out").mkdir()
    subprocess.run(["tar", "-xf", tmp_path / "v", "-C", tmp_path / "out"], check=True)
    objects = {one.digest for page in stored(ranker.home) for one in page}
    unpacked = {p.parent.name + p.name for p in (tmp_path / "out" / "objects").glob("*/*")}
    assert unpacked == objects
    with tarfile.open(tmp_path / "v") as archive:
        entries = archive.getmembers()
    assert {(entry.mtime, entry.uid, entry.gid) for entry in entries} == {(0, 0, 0)}
    assert entries[0].name == "regtui.json"


@pytest.mark.parametrize("reference", ["ranker@1", None])
def test_without_artifacts_no_file_goes_with_it(
    ranker: Registry, tmp_path: Path, reference: str | None
) -> None:
    made = ranker.export(reference, tmp_path / "v", artifacts=False)
    assert made.objects == 0
    assert not any(entry.name.startswith("objects/") for entry, _ in read(tmp_path / "v"))


def test_a_target_that_is_there_is_replaced_only_when_told(
    ranker: Registry, tmp_path: Path
) -> None:
    (tmp_path / "v").write_bytes(b"mine")
    with pytest.raises(BadInput, match="exists already"):
        ranker.export("ranker@1", tmp_path / "v")
    assert (tmp_path / "v").read_bytes() == b"mine"
    ranker.export("ranker@1", tmp_path / "v", replace=True)
    assert (tmp_path / "v").read_bytes() != b"mine"


def test_targets_that_can_not_be_are_refused(ranker: Registry, tmp_path: Path) -> None:
    for target, error in (
        (ranker.home / "v", BadInput),
        (tmp_path, BadInput),
        (tmp_path / "nowhere" / "v", NotFound),
    ):
        with pytest.raises(error):
            ranker.export("ranker@1", target)


@pytest.mark.parametrize("reference", ["ranker@9", "nothing@1"])
def test_what_is_not_there_leaves_no_file(ranker: Registry, tmp_path: Path, reference: str) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(NotFound):
        ranker.export(reference, tmp_path / "v")
    assert set(tmp_path.iterdir()) == before


def test_a_model_is_no_version(ranker: Registry, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        ranker.export("ranker", tmp_path / "v")


def test_a_deleted_version_is_not_exported(ranker: Registry, tmp_path: Path) -> None:
    ranker.change_state("version", "ranker@2", "delete")
    with pytest.raises(NotFound, match="deleted"):
        ranker.export("ranker@2", tmp_path / "v")


def test_a_damaged_file_stops_the_export(ranker: Registry, tmp_path: Path) -> None:
    path = ranker.path("ranker@1", "model.bin")
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    for reference in ("ranker@1", None):
        with pytest.raises(Damaged, match="not what they were"):
            ranker.export(reference, tmp_path / "v")
    assert not list(tmp_path.glob("*v*"))
    assert not list(tmp_path.glob(".v*"))


def test_a_lost_file_stops_a_version_and_is_named_by_a_registry(
    ranker: Registry, tmp_path: Path
) -> None:
    path = ranker.path("ranker@1", "model.bin")
    digest = path.parent.name + path.name
    path.unlink()
    with pytest.raises(Damaged):
        ranker.export("ranker@1", tmp_path / "v")
    assert ranker.export(None, tmp_path / "r").missing == [digest]


@pytest.mark.parametrize("reference", ["ranker@1", None])
@pytest.mark.parametrize("text", ["the card", "a series"])
def test_a_lost_text_stops_the_export(
    ranker: Registry, tmp_path: Path, reference: str | None, text: str
) -> None:
    ranker.edit("ranker", {"card": "# Ranker\n"})
    ranker.add_series("ranker@1", parse_series("step,loss\n0,1\n1,0.5\n"))
    start = "#" if text == "the card" else "{"
    with connected(ranker.context.replica.home.database, read_only=False) as connection:
        connection.execute("delete from base.text where starts_with(value, ?)", [start])

    with pytest.raises(Damaged, match="a text of"):
        ranker.export(reference, tmp_path / "b.regtui")
    assert list(tmp_path.glob("*b.regtui*")) == []


@pytest.mark.parametrize("table", ["document", "operation"])
def test_what_cannot_be_read_stops_the_export_of_a_registry(
    ranker: Registry, tmp_path: Path, table: str
) -> None:
    column = "body" if table == "document" else "bytes"
    with connected(ranker.context.replica.home.database, read_only=False) as connection:
        connection.execute(f"update base.{table} set {column} = '{{bad'")

    with pytest.raises(Damaged, match="can't be read; `regtui doctor`"):
        ranker.export(None, tmp_path / "b.regtui")
    assert list(tmp_path.glob("*b.regtui*")) == []


def test_a_changed_name_stops_the_export_of_a_registry(ranker: Registry, tmp_path: Path) -> None:
    with connected(ranker.context.replica.home.database, read_only=False) as connection:
        connection.execute("update base.actor set name = 'evil'")

    with pytest.raises(Damaged, match="'evil'"):
        ranker.export(None, tmp_path / "b.regtui")


def test_two_exports_to_one_name_do_not_meet(ranker: Registry, tmp_path: Path) -> None:
    other = Registry(ranker.context)
    target = tmp_path / "v"
    met: list[type[Exception]] = []

    def meanwhile(_count: int) -> None:
        try:
            other.export("ranker@1", target)
        except Busy as error:
            met.append(type(error))

    ranker.export("ranker@1", target, on_progress=meanwhile)
    assert set(met) == {Busy}
    assert target.exists()


def test_what_a_killed_export_left_is_taken_over(ranker: Registry, tmp_path: Path) -> None:
    (tmp_path / ".v.part").write_bytes(os.urandom(10**6))
    ranker.export("ranker@1", tmp_path / "v")
    assert not (tmp_path / ".v.part").exists()
    ranker.export("ranker@1", tmp_path / "w")
    assert (tmp_path / "v").read_bytes() == (tmp_path / "w").read_bytes()
