import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regtui.artifacts.checkout import checkout
from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import BadInput, Damaged, RegtuiError
from regtui.core.manifest import FileEntry, content_digest

CHECKOUT = """
import resource, sys
from pathlib import Path
from regtui.artifacts.checkout import checkout
from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import RegtuiError
store = ObjectStore(Path(sys.argv[2]))
entries = store.ingest(scan(Path(sys.argv[1])))
resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, 5 << 20))
try:
    checkout(store, entries, Path(sys.argv[3]))
except RegtuiError as error:
    print(type(error).__name__, error)
"""

names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20
).filter(lambda name: name not in {".", "..", ".regtui"})
trees = st.dictionaries(
    st.lists(names, min_size=1, max_size=3).map(tuple),
    st.tuples(st.binary(max_size=200), st.booleans()),
    min_size=1,
    max_size=8,
)


def tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        os.fspath(path.relative_to(folder)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".regtui-" in path.name]


def test_a_checkout_is_what_was_captured(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry], tmp_path: Path
) -> None:
    checkout(store, captured, tmp_path / "new" / "folder" / "out")

    assert tree(tmp_path / "new" / "folder" / "out") == tree(checkpoint)
    assert leftovers(tmp_path / "new" / "folder") == []


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=trees)
def test_whatever_is_captured_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, files: dict[tuple[str, ...], tuple[bytes, bool]]
) -> None:
    root = tmp_path_factory.mktemp("round")
    for parts, (data, executable) in files.items():
        path = root.joinpath("in", *parts)
        if len("/".join(parts).encode()) > 200 or any(
            parent.is_file() for parent in path.parents if parent.is_relative_to(root)
        ):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.write_bytes(data)
            path.chmod(0o755 if executable else 0o644)
    (root / "in" / "always").touch()
    store = ObjectStore(root / "store")
    entries = store.ingest(scan(root / "in"))

    checkout(store, entries, root / "out")

    assert tree(root / "out") == tree(root / "in")
    again = store.ingest(scan(root / "out"))
    assert content_digest(again) == content_digest(entries)


def test_files_get_usual_permissions(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    mask = os.umask(0o027)
    try:
        checkout(store, captured, tmp_path / "out")
    finally:
        os.umask(mask)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes["config.json"] == 0o640
    assert modes["run.sh"] == modes["tokenizer"] == 0o750
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o750


def test_an_empty_folder_may_be_the_target_and_keeps_its_mode(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir(mode=0o700)

    checkout(store, captured, tmp_path / "out")

    assert tree(tmp_path / "out") == tree(checkpoint)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_links_share_the_stores_bytes_and_executables_are_copied(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry], tmp_path: Path
) -> None:
    checkout(store, captured, tmp_path / "out", link=True)

    assert tree(tmp_path / "out") == tree(checkpoint)
    by_path = {entry.path: store.path_of(entry.digest) for entry in captured}
    assert (tmp_path / "out" / "config.json").samefile(by_path["config.json"])
    assert not (tmp_path / "out" / "run.sh").samefile(by_path["run.sh"])


def test_links_become_copies_on_another_disk(
    store: ObjectStore, tmp_path: Path, tiny_disk: Path
) -> None:
    (tmp_path / "file").write_text("weights")
    (entry,) = store.ingest(scan(tmp_path / "file"))
    named = FileEntry("model.bin", entry.size, entry.executable, entry.digest)

    checkout(store, [named], tiny_disk / "out", link=True)

    assert (tiny_disk / "out" / "model.bin").read_text() == "weights"


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../up", "a/../../up", "a//b", "./a", "a/.", "nul\0", "\udce9"]
)
def test_a_path_that_leaves_the_folder_is_refused(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path, path: str
) -> None:
    entry = FileEntry(path, captured[0].size, False, captured[0].digest)

    with pytest.raises(BadInput):
        checkout(store, [*captured, entry], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("config.json", "is in this version twice"),
        ("config.json/x", "'config.json' is both a file and a folder"),
        ("tokenizer", "'tokenizer' is both a file and a folder"),
        ("tokenizer/deep", "'tokenizer/deep' is both a file and a folder"),
    ],
)
def test_paths_that_exclude_each_other_are_refused(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path, path: str, said: str
) -> None:
    entry = FileEntry(path, captured[0].size, False, captured[0].digest)

    with pytest.raises(BadInput, match=said):
        checkout(store, [*captured, entry], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_refused(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("precious")

    with pytest.raises(BadInput, match="out is not empty"):
        checkout(store, captured, tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "precious"


def test_a_file_is_no_target(store: ObjectStore, captured: list[FileEntry], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")

    with pytest.raises(BadInput, match="out exists and is not a folder"):
        checkout(store, captured, tmp_path / "out")


def test_the_current_folder_is_no_target(
    store: ObjectStore,
    captured: list[FileEntry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    with pytest.raises(BadInput, match="here is the current folder"):
        checkout(store, captured, Path())


def test_a_mount_point_is_no_target(
    store: ObjectStore, captured: list[FileEntry], tiny_disk: Path
) -> None:
    with pytest.raises(BadInput, match="disk is a mount point"):
        checkout(store, captured, tiny_disk)
    assert leftovers(tiny_disk.parent) == []


def test_a_target_that_is_taken_meanwhile_is_left_alone(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    def take(_count: int) -> None:
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "theirs").touch()

    with pytest.raises(BadInput, match="out was made by somebody else meanwhile"):
        checkout(store, captured, tmp_path / "out", on_progress=take)
    assert list(tree(tmp_path / "out")) == ["theirs"]
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize("harm", ["missing", "flipped", "cut"])
def test_damage_is_named_and_leaves_nothing_behind(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path, harm: str, link: bool
) -> None:
    entry = next(entry for entry in captured if entry.path == "model.safetensors")
    path = store.path_of(entry.digest)
    path.chmod(0o600)
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        os.truncate(path, entry.size - 1)
    else:
        with path.open("r+b") as file:
            file.seek(entry.size - 3)
            byte = file.read(1)[0]
            file.seek(entry.size - 3)
            file.write(bytes([byte ^ 1]))

    with pytest.raises(Damaged, match=entry.digest) as caught:
        checkout(store, captured, tmp_path / "out", link=link)
    assert "model.safetensors" in str(caught.value)
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []


def test_a_folder_that_is_deeper_than_calls_go_leaves_nothing_behind(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    lost = FileEntry("a/" * 1500 + "x", 1, False, "0" * 64)

    with pytest.raises(Damaged, match="is missing"):
        checkout(store, [*captured, lost], tmp_path / "out")
    assert list(tmp_path.glob("*out*")) == []


def test_a_path_that_this_disk_does_not_take_leaves_nothing_behind(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    deep = FileEntry("a/" * 2040 + "x", captured[0].size, False, captured[0].digest)

    with pytest.raises(RegtuiError, match="too long"):
        checkout(store, [*captured, deep], tmp_path / "out")
    assert list(tmp_path.glob("*out*")) == []


def test_an_interrupted_checkout_leaves_nothing_behind(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    def interrupt(_count: int) -> None:
        raise KeyboardInterrupt

    descriptors = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(KeyboardInterrupt):
        checkout(store, captured, tmp_path / "out", on_progress=interrupt)

    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []
    assert len(list(Path("/dev/fd").iterdir())) == descriptors


def test_a_full_disk_is_one_clear_error_and_leaves_nothing_behind(
    store: ObjectStore, captured: list[FileEntry], tiny_disk: Path
) -> None:
    with pytest.raises(RegtuiError, match=r"the disk is full while writing .*/disk/out"):
        checkout(store, captured, tiny_disk / "out")
    assert list(tiny_disk.iterdir()) == []


def test_a_file_size_limit_is_a_full_disk(
    checkpoint: Path, tmp_path: Path, python: Callable[..., str]
) -> None:
    said = python(CHECKOUT, checkpoint, tmp_path / "store", tmp_path / "out")

    assert said.startswith("RegtuiError the disk is full while writing")
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "out").exists()


def test_progress_adds_up_to_the_size_of_the_version(
    store: ObjectStore, captured: list[FileEntry], tmp_path: Path
) -> None:
    done: list[int] = []

    checkout(store, captured, tmp_path / "out", on_progress=done.append)

    assert sum(done) == sum(entry.size for entry in captured)
