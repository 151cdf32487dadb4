"""What the registry knows of stored files: made by captures, made again when it is missing."""

import pickle
import shutil
from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from regtui.artifacts.layouts import layout_of
from regtui.core.errors import BadInput
from regtui.formats import detect
from regtui.formats.values import Facts, Source
from regtui.registry import Registry, capture_layouts
from regtui.registry.answers import TensorAnswer
from regtui.registry.layouts import layouts, make_missing
from regtui.registry.refreshing import count_stale, refresh
from regtui.registry.tensor_pages import tensor_page
from regtui.registry.versions import known_files
from tests.artifacts.model_files import evil_pickle, safetensors, written


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Return a folder of a trained model in several formats, and a file that is dangerous."""
    folder = tmp_path / "models"
    folder.mkdir()
    model = RandomForestClassifier(3, random_state=0).fit(*load_iris(return_X_y=True))
    joblib.dump(model, folder / "model.joblib")
    joblib.dump(model, folder / "small.joblib", compress=3)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    written(folder / "evil.pkl", evil_pickle())
    written(folder / "w.safetensors", safetensors({"a": b"123", "b": b"4567"}))
    written(folder / "notes.md", b"# Notes\n")
    return folder


def rows(registry: Registry, table: str) -> list[dict[str, object]]:
    return registry_rows(registry, f"select * from base.{table} order by all")


def registry_rows(registry: Registry, statement: str) -> list[dict[str, object]]:
    with registry.context.reading() as connection:
        found = connection.execute(statement)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def forget(registry: Registry, where: str = "true") -> None:
    """Take layouts away, as if an older program had made the registry."""
    with registry.context.writing() as authority:
        keys = f"(select key from base.layout where {where})"
        for table in ("tensor", "piece"):
            authority.connection.execute(f"delete from base.{table} where layout in {keys}")
        authority.connection.execute(f"delete from base.layout where {where}")


def read_again(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of files that are read from now on."""
    names: list[str] = []
    read = detect.read

    def listening(source: Source, name: str) -> Facts:
        names.append(name)
        return read(source, name)

    monkeypatch.setattr(detect, "read", listening)
    return names


def test_a_capture_knows_formats_and_safety_of_real_models(
    registry: Registry, models: Path
) -> None:
    version = registry.capture(models).version
    _, files = registry.files(version.reference)
    told = {file.path: (file.format, file.safety) for file in files}
    assert told == {
        "model.joblib": ("joblib", "needs-classes"),
        "small.joblib": ("joblib", "needs-classes"),
        "model.pkl": ("pickle", "needs-classes"),
        "evil.pkl": ("pickle", "dangerous"),
        "w.safetensors": ("safetensors", "no-code"),
        "notes.md": ("markdown", "no-code"),
    }
    (forest,) = (file for file in files if file.path == "model.joblib")
    assert "sklearn.ensemble._forest.RandomForestClassifier" in forest.globals
    assert forest.tensors > 6
    assert (forest.problem, forest.cut) == (None, False)


def test_tensors_are_listed_by_file_with_their_digests(registry: Registry, models: Path) -> None:
    registry.capture(models, model="m")
    _, found = registry.tensors("m@1")
    plain = [(t.tensor, t.dtype, t.shape, t.size) for t in found if t.path == "w.safetensors"]
    assert plain == [("a", "uint8", [3], 3), ("b", "uint8", [4], 4)]
    made = layout_of(models / "model.joblib", "model.joblib")
    listed = [(t.tensor, t.digest) for t in found if t.path == "model.joblib"]
    assert listed == [(tensor.name, digest) for tensor, digest in made.tensors]
    assert any(digest for _, digest in listed)


def test_the_same_tensors_have_the_same_digests_in_any_version(
    registry: Registry, tmp_path: Path
) -> None:
    one = written(tmp_path / "one.safetensors", safetensors({"a": b"12", "b": b"3"}))
    other = written(tmp_path / "other.safetensors", safetensors({"head": b"9", "a": b"12"}))
    registry.capture(one, model="m")
    registry.capture(other, model="m")
    found = [{t.tensor: t.digest for t in registry.tensors(f"m@{n}")[1]} for n in (1, 2)]
    assert found[0]["a"] == found[1]["a"]
    assert found[0]["b"] != found[1]["head"]


def test_a_second_capture_reads_no_file_again(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.capture(models, model="m")
    before = rows(registry, "layout")
    names = read_again(monkeypatch)
    captured = registry.capture(models, model="other")
    assert names == []
    assert rows(registry, "layout") == before
    assert captured.warnings == ["evil.pkl is dangerous to load: it names posix.system"]


@pytest.mark.parametrize("where", ["true", "safety = 'dangerous'"])
def test_missing_layouts_are_made_again_and_kept(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    registry.capture(models, model="m")
    expected, tensors = registry.files("m@1"), registry.tensors("m@1")
    pieces = sorted(str(row["digest"]) for row in rows(registry, "piece"))
    forget(registry, where)
    assert registry.files("m@1") == expected
    names = read_again(monkeypatch)
    assert (registry.files("m@1"), registry.tensors("m@1")) == (expected, tensors)
    assert names == []
    assert sorted(str(row["digest"]) for row in rows(registry, "piece")) == pieces


def test_layouts_of_older_readers_are_made_again(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.capture(models, model="m")
    with registry.context.writing() as authority:
        authority.connection.execute("update base.layout set reader = 0, format = 'old'")
    assert {file.format for file in registry.files("m@1")[1]}.isdisjoint({"old"})
    assert {row["reader"] for row in rows(registry, "layout")} == {detect.READER}
    assert len(rows(registry, "layout")) == 6


def test_a_refresh_makes_what_is_missing_and_nothing_else(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.capture(models, model="m")
    forget(registry, "format = 'joblib'")
    registry.path("m@1", "model.joblib").unlink()
    names = read_again(monkeypatch)
    done = refresh(registry.context)
    assert (done.files, done.made, done.unreadable) == (6, 1, 1)
    assert names == ["small.joblib"]
    assert refresh(registry.context).made == 0


def test_a_refresh_goes_through_all_pages(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regtui.registry.refreshing.PAGE", 3)
    for number in range(10):
        written(tmp_path / "run" / f"{number}.txt", str(number).encode())
    registry.capture(tmp_path / "run", model="m")
    forget(registry)
    done = refresh(registry.context)
    assert (done.files, done.made, done.unreadable) == (10, 10, 0)
    assert len(rows(registry, "layout")) == 10


@pytest.mark.parametrize(("damage", "problem"), [("flip", "is damaged"), ("gone", "not here")])
def test_bytes_that_are_damaged_or_missing_are_said_and_never_kept(
    registry: Registry, models: Path, damage: str, problem: str
) -> None:
    registry.capture(models, model="m")
    path = registry.path("m@1", "w.safetensors")
    forget(registry)
    content = path.read_bytes()
    path.unlink()
    if damage == "flip":
        path.write_bytes(content[:-1] + b"x")
    (file,) = (file for file in registry.files("m@1")[1] if file.path == "w.safetensors")
    assert file.safety == "unread"
    assert problem in str(file.problem)
    assert len(rows(registry, "layout")) == 5
    assert make_missing(registry.context, [file.digest])[file.digest].facts.safety == "unread"


def test_a_replica_that_can_not_be_written_answers_all_the_same(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.capture(models, model="m")
    expected = registry.files("m@1")
    digests = [file.digest for file in expected[1]]
    forget(registry)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise BadInput("not now")

    monkeypatch.setattr("regtui.registry.layouts.write_layouts", refuse)
    assert registry.files("m@1") == expected
    assert len(layouts(registry.context, digests)) == 6
    assert make_missing(registry.context, digests).keys() == set(digests)
    assert rows(registry, "layout") == []


def by_name(source: Source, name: str) -> Facts:
    """Read as a reader whose answer hangs on the name alone."""
    if name.endswith(".pkl"):
        return Facts("pickle", "dangerous", globals=("posix.system",))
    return Facts("text", "no-code")


def test_a_file_is_read_as_what_each_of_its_names_is_opened_as(
    registry: Registry, tmp_path: Path
) -> None:
    text = b"print(1)"
    registry.capture(written(tmp_path / "notes.txt", text), model="m")
    assert registry.files("m@1")[1][0].safety == "no-code"
    registry.capture(written(tmp_path / "train.py", text), model="n")
    assert registry.files("n@1")[1][0].safety == "dangerous"
    # One file is stored, and it is what its worst name makes of it.
    assert registry.files("m@1")[1][0].safety == "dangerous"
    assert len(rows(registry, "layout")) == 1


def test_a_warning_comes_with_the_name_that_makes_a_file_dangerous(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "read", by_name)
    assert registry.capture(written(tmp_path / "a.txt", b"same"), model="m").warnings == []
    assert registry.capture(written(tmp_path / "b.pkl", b"same"), model="m").warnings == [
        "b.pkl is dangerous to load: it names posix.system"
    ]
    with registry.context.writing() as authority:
        authority.connection.execute("update base.layout set reader = 0")
    assert refresh(registry.context).made == 1
    assert registry.files("m@1")[1][0].safety == "dangerous"


def test_two_names_in_one_capture_both_count(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "read", by_name)
    for name in ("a.txt", "b.pkl"):
        written(tmp_path / "run" / name, b"same")
    assert registry.capture(tmp_path / "run", model="m").warnings == [
        "a.txt is dangerous to load: it names posix.system"
    ]


def test_programs_are_no_cause_for_a_warning(registry: Registry, run: Path) -> None:
    captured = registry.capture(run, model="m")
    assert captured.warnings == []
    found = {file.path: file.safety for file in registry.files("m@1")[1]}
    assert found["serve.sh"] == "dangerous"


def test_a_capture_that_fails_in_its_unit_of_work_keeps_no_layouts(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = capture_layouts.keep

    def fail(*arguments: object) -> None:
        keep(*arguments)  # type: ignore[arg-type]
        raise BadInput("too late")

    monkeypatch.setattr(capture_layouts, "keep", fail)
    with pytest.raises(BadInput):
        registry.capture(models, model="m")
    assert rows(registry, "layout") == rows(registry, "piece") == rows(registry, "version") == []
    monkeypatch.undo()
    # Its files are in the store, and nothing is known of them yet.
    assert len(registry.capture(models, model="m").warnings) == 1
    assert len(rows(registry, "layout")) == 6


def test_a_reader_that_fails_stops_no_capture(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Source, name: str) -> Facts:
        raise RecursionError

    monkeypatch.setattr(detect, "read", fail)
    assert registry.capture(models, model="m").created
    assert {file.safety for file in registry.files("m@1")[1]} == {"unread"}


def test_a_healed_file_keeps_its_layout(registry: Registry, models: Path) -> None:
    registry.capture(models, model="m")
    before = rows(registry, "layout")
    shutil.rmtree(registry.home / "objects")
    assert registry.capture(models, model="m").created is False
    assert rows(registry, "layout") == before


def test_what_is_kept_of_files_is_told_without_reading_any(
    registry: Registry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.capture(models, model="m")
    forget(registry, "format = 'safetensors'")
    names = read_again(monkeypatch)

    known, is_all = known_files(registry.context, "m@1")

    by_path = {file.path: file for file in known}
    assert names == []
    assert not is_all
    assert (by_path["w.safetensors"].format, by_path["w.safetensors"].safety) == ("", "unread")
    assert by_path["evil.pkl"].safety == "dangerous"
    assert registry.files("m@1")[1] == known_files(registry.context, "m@1")[0]


def test_tensors_come_in_pages_in_the_order_of_the_file(registry: Registry, tmp_path: Path) -> None:
    file = written(tmp_path / "w.safetensors", safetensors({f"t{n}": bytes([n]) for n in range(5)}))
    registry.capture(file, model="m")
    digest = registry.files("m@1")[1][0].digest
    whole = registry.tensors("m@1")[1]

    def page(start: int, count: int) -> list[TensorAnswer] | None:
        return tensor_page(registry.context, "w.safetensors", digest, start, count)

    assert page(0, 100) == whole
    assert page(2, 2) == whole[2:4]
    assert page(5, 2) == []
    forget(registry)
    assert page(0, 100) is None


def test_the_doctor_makes_what_is_missing_or_made_by_older_readers(
    registry: Registry, models: Path
) -> None:
    registry.capture(models, model="m")
    assert count_stale(registry.context) == (6, 0)
    forget(registry, "format = 'joblib'")
    with registry.context.writing() as authority:
        authority.connection.execute("update base.layout set reader = 0 where format = 'pickle'")
    assert count_stale(registry.context)[1] > 1
    found = next(one for one in registry.doctor().checks if one.check == "layouts")
    assert (found.status, "regtui doctor --repair" in found.hint) == ("warning", True)
    assert registry.doctor().healthy
    found = next(one for one in registry.doctor(repair=True).checks if one.check == "layouts")
    assert found.status == "repaired"
    assert count_stale(registry.context) == (6, 0)


@pytest.mark.parametrize("name", ["a.b/c", ".hidden", "x.", "A.PKL", "deep/er/w.tar.gz", "none"])
def test_a_layout_is_stale_when_a_name_with_another_suffix_came(
    registry: Registry, tmp_path: Path, name: str
) -> None:
    registry.capture(written(tmp_path / "run" / name, b"same"), model="m")
    registry.capture(tmp_path / "run", model="n")
    assert count_stale(registry.context) == (1, 0)
    written(tmp_path / "other" / "b.npy", b"same")
    registry.capture(tmp_path / "other", model="o")
    assert count_stale(registry.context) == (1, 0)
    with registry.context.writing() as authority:
        authority.connection.execute(
            "update base.layout set facts = replace(facts, '.npy', '.other')"
        )
    assert count_stale(registry.context) == (1, 1)
