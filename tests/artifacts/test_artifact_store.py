import mmap
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3

from regtui.artifacts.checkout import checkout
from regtui.artifacts.copying import PIECE
from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import BadInput, RegtuiError
from regtui.core.manifest import FileEntry, content_digest

CAPTURE = """
import resource, sys
from pathlib import Path
from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import RegtuiError
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    print(len(ObjectStore(Path(sys.argv[2])).ingest(scan(Path(sys.argv[1])))))
except RegtuiError as error:
    print(type(error).__name__, error)
"""

PEAK = """
status = Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0])
"""


def objects(store: ObjectStore) -> list[Path]:
    return sorted((store.root / "objects").glob("??/*"))


def unfinished(store: ObjectStore) -> list[str]:
    return sorted(path.name for path in (store.root / "tmp").glob("*") if path.name != "lock")


def assert_whole(store: ObjectStore) -> None:
    for path in objects(store):
        assert blake3(path.read_bytes()).hexdigest() == path.parent.name + path.name
        assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_every_file_becomes_a_read_only_object_under_its_digest(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry]
) -> None:
    assert [entry.path for entry in captured] == [file.path for file in scan(checkpoint).files]
    for entry in captured:
        data = (checkpoint / entry.path).read_bytes()
        assert entry.digest == blake3(data).hexdigest()
        assert store.path_of(entry.digest).read_bytes() == data
        assert entry.size == len(data)
    assert_whole(store)
    assert unfinished(store) == []


def test_the_store_is_for_its_owner_alone(store: ObjectStore, captured: list[FileEntry]) -> None:
    folders = [store.root, *(path for path in store.root.rglob("*") if path.is_dir())]

    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 5 * PIECE + 3])
def test_files_of_every_size_around_a_piece_are_kept_whole(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)

    (entry,) = store.ingest(scan(tmp_path / "file"))

    assert entry == FileEntry("", size, False, blake3(data).hexdigest())
    assert store.path_of(entry.digest).read_bytes() == data


def test_the_same_bytes_are_stored_once(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("epoch=3.ckpt", "last.ckpt"):
        (tmp_path / "run" / name).write_bytes(b"x" * (PIECE + 1))
        (tmp_path / "run" / f"{name}.json").write_text("{}")

    assert len(store.ingest(scan(tmp_path / "run"))) == 4
    assert len(objects(store)) == 2


def test_capturing_again_gives_the_same_content_and_keeps_the_objects(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry]
) -> None:
    before = [path.stat().st_ino for path in objects(store)]

    again = store.ingest(scan(checkpoint))

    assert content_digest(again) == content_digest(captured)
    assert [path.stat().st_ino for path in objects(store)] == before
    assert unfinished(store) == []


def test_capturing_again_renews_the_objects_grace_period(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry]
) -> None:
    for path in objects(store):
        os.utime(path, (0, 0))

    store.ingest(scan(checkpoint))

    assert all(time.time() - path.stat().st_mtime < 60 for path in objects(store))


def test_an_object_of_the_wrong_size_is_replaced(
    store: ObjectStore, checkpoint: Path, captured: list[FileEntry]
) -> None:
    for path in objects(store):
        path.chmod(0o600)
        path.write_bytes(b"torn in two")

    store.ingest(scan(checkpoint))

    assert_whole(store)


def test_progress_adds_up_to_the_size_of_the_scan(store: ObjectStore, checkpoint: Path) -> None:
    (checkpoint / "last").symlink_to("model.safetensors")
    found = scan(checkpoint)
    done: list[int] = []

    store.ingest(found, on_progress=done.append)

    assert sum(done) == found.total_size


def test_what_is_not_there_is_told_apart(store: ObjectStore, captured: list[FileEntry]) -> None:
    assert store.has(captured[0].digest)
    assert not store.has("0" * 64)


def test_a_damaged_object_is_healed_by_the_next_capture(
    store: ObjectStore, captured: list[FileEntry], checkpoint: Path
) -> None:
    damaged = max(captured, key=lambda entry: entry.size)
    path = store.path_of(damaged.digest)
    path.chmod(0o644)
    path.write_bytes(b"x" * damaged.size)

    store.ingest(scan(checkpoint))

    assert blake3(path.read_bytes()).hexdigest() == damaged.digest


def test_what_is_set_aside_is_kept(store: ObjectStore, captured: list[FileEntry]) -> None:
    digest = captured[0].digest

    store.set_aside(digest)

    assert not store.has(digest)
    assert (store.root / "damaged" / digest).exists()


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_digests_become_paths(store: ObjectStore, digest: str) -> None:
    with pytest.raises(BadInput, match="is not a digest"):
        store.path_of(digest)


@pytest.mark.parametrize("how", ["rewritten", "grown", "replaced", "removed", "made a pipe"])
def test_a_file_that_changed_since_the_scan_is_refused(
    store: ObjectStore, checkpoint: Path, how: str
) -> None:
    found = scan(checkpoint)
    file = checkpoint / "model.safetensors"
    match how:
        case "rewritten":
            file.write_bytes(os.urandom(file.stat().st_size))
        case "grown":
            with file.open("ab") as stream:
                stream.write(b"more")
        case "replaced":
            (checkpoint / "new").write_bytes(file.read_bytes())
            (checkpoint / "new").rename(file)
        case _:
            file.unlink()
            if how == "made a pipe":
                os.mkfifo(file)

    with pytest.raises(RegtuiError, match=r"model\.safetensors changed while .* has finished"):
        store.ingest(found)
    assert objects(store) == []
    assert unfinished(store) == []


@pytest.mark.parametrize("how", ["written", "mapped", "written with its old times"])
def test_a_file_that_is_rewritten_in_place_while_it_is_read_is_refused(
    store: ObjectStore, tmp_path: Path, how: str
) -> None:
    file = tmp_path / "last.ckpt"
    file.write_bytes(bytes(4 * PIECE))
    before = file.stat()

    def rewrite() -> None:
        with file.open("r+b", buffering=0) as stream:
            if how == "mapped":
                with mmap.mmap(stream.fileno(), 0) as memory:
                    memory[-1] = 1
            else:
                os.pwrite(stream.fileno(), b"x", 4 * PIECE - 1)
        if how == "written with its old times":
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    def rewrite_meanwhile(_count: int) -> None:
        writer = threading.Thread(target=rewrite)
        writer.start()
        writer.join()

    with pytest.raises(RegtuiError, match=r"last\.ckpt changed while it was being captured"):
        store.ingest(scan(file), on_progress=rewrite_meanwhile)
    assert objects(store) == []
    assert unfinished(store) == []


def test_an_interrupted_capture_leaves_nothing_behind(store: ObjectStore, checkpoint: Path) -> None:
    def interrupt(_count: int) -> None:
        raise KeyboardInterrupt

    descriptors = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(KeyboardInterrupt):
        store.ingest(scan(checkpoint), on_progress=interrupt)

    assert objects(store) == []
    assert unfinished(store) == []
    assert len(list(Path("/dev/fd").iterdir())) == descriptors


def test_a_file_size_limit_is_a_full_disk(
    store: ObjectStore, checkpoint: Path, python: Callable[..., str]
) -> None:
    said = python(CAPTURE, checkpoint, store.root, PIECE + 5)

    assert said.startswith(f"RegtuiError the disk is full while writing to the store {store.root};")
    assert objects(store) == []
    assert unfinished(store) == []


def test_a_full_disk_leaves_nothing_behind(tiny_disk: Path, checkpoint: Path) -> None:
    store = ObjectStore(tiny_disk / "store")

    with pytest.raises(RegtuiError, match="the disk is full while writing to the store"):
        store.ingest(scan(checkpoint))
    assert objects(store) == []
    assert unfinished(store) == []


def test_a_disk_that_many_small_files_fill_leaves_nothing_behind(
    tiny_disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(300):
        (tmp_path / "many" / str(number)).write_text(str(number) * 1000)
    store = ObjectStore(tiny_disk / "store")

    with pytest.raises(RegtuiError, match="the disk is full while writing to the store"):
        store.ingest(scan(tmp_path / "many"))
    assert objects(store) == []
    assert unfinished(store) == []


def test_a_capture_that_is_killed_leaves_whole_objects_and_its_remains_are_swept(
    store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    for number in range(300):
        (tmp_path / "run" / str(number)).write_bytes(os.urandom(3000))
    for number in range(3):
        (tmp_path / "run" / f"large-{number}").write_bytes(os.urandom(2 * PIECE))
    command = [sys.executable, "-c", CAPTURE, str(tmp_path / "run"), str(store.root)]
    remains = 0
    for attempt in range(12):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and not unfinished(store):
                time.sleep(0.002)
            time.sleep(0.01 * attempt)
            process.kill()
        assert_whole(store)
        remains += len(unfinished(store))
        assert len(unfinished(store)) <= 1
        shutil.rmtree(store.root / "objects", ignore_errors=True)

    entries = store.ingest(scan(tmp_path / "run"))

    assert remains
    assert len(objects(store)) == len(entries) == 303
    assert_whole(store)
    assert unfinished(store) == []


def test_the_remains_of_a_capture_that_still_runs_are_left_alone(
    store: ObjectStore, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").write_text("other")
    during: list[list[str]] = []

    def capture_another(_count: int) -> None:
        store.ingest(scan(tmp_path / "other"))
        during.append(unfinished(store))

    entries = store.ingest(scan(checkpoint), on_progress=capture_another)

    assert all(len(names) == 1 for names in during)
    assert all(store.has(entry.digest) for entry in entries)


def test_two_captures_of_the_same_files_at_once_agree(store: ObjectStore, checkpoint: Path) -> None:
    results: list[list[FileEntry]] = []
    threads = [
        threading.Thread(target=lambda: results.append(store.ingest(scan(checkpoint))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 4
    assert len({content_digest(entries) for entries in results}) == 1
    assert_whole(store)
    assert unfinished(store) == []


def test_a_store_that_may_not_be_written_is_one_clear_error(
    checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(RegtuiError, match=r"writing to the store .* failed: Not a directory"):
        ObjectStore(tmp_path / "file" / "store").ingest(scan(checkpoint))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path, python: Callable[..., str]) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(128 << 20)

    said = python(CAPTURE + PEAK, tmp_path / "sparse", tmp_path / "store")

    assert int(said.split()[-1]) < 64 << 10


def test_where_the_disk_has_reflinks_a_capture_and_a_checkout_take_no_space(
    reflink_disk: Path,
) -> None:
    store = ObjectStore(reflink_disk / "store")
    (reflink_disk / "run").mkdir()
    (reflink_disk / "run" / "model.bin").write_bytes(os.urandom(40 << 20))
    os.sync()
    free = shutil.disk_usage(reflink_disk).free

    entries = store.ingest(scan(reflink_disk / "run"))
    checkout(store, entries, reflink_disk / "out")
    os.sync()

    assert free - shutil.disk_usage(reflink_disk).free < 10 << 20
    assert_whole(store)
    with (reflink_disk / "run" / "model.bin").open("r+b") as file:
        file.write(b"rewritten by the trainer")
    assert_whole(store)


def test_a_file_that_is_ours_alone_becomes_the_object_itself(
    store: ObjectStore, tmp_path: Path
) -> None:
    """The link that it has elsewhere is its last user's to remove."""
    data = os.urandom(PIECE + 5)
    file = tmp_path / "pinned.bin"
    file.write_bytes(data)
    file.chmod(0o640)
    inode = file.stat().st_ino
    found = scan(file)
    own = msgspec.structs.replace(found.files[0], own=True)

    [entry] = store.ingest(msgspec.structs.replace(found, files=(own,)))

    path = store.path_of(entry.digest)
    assert path.stat().st_ino == inode
    assert_whole(store)
    assert unfinished(store) == []
    file.unlink()
    assert path.read_bytes() == data


def test_what_is_not_ours_alone_is_copied(store: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(os.urandom(PIECE + 5))
    before = file.stat()

    [entry] = store.ingest(scan(file))

    assert store.path_of(entry.digest).stat().st_ino != before.st_ino
    after = file.stat()
    assert (before.st_mode, before.st_mtime_ns) == (after.st_mode, after.st_mtime_ns)


def test_a_pinned_file_may_lose_its_other_name_but_not_change(
    store: ObjectStore, tmp_path: Path
) -> None:
    file, pin = tmp_path / "model.bin", tmp_path / "pin.bin"
    file.write_bytes(b"weights")
    pin.hardlink_to(file)
    found = scan(pin)
    pinned = msgspec.structs.replace(
        found, files=(msgspec.structs.replace(found.files[0], names=2),)
    )
    file.unlink()

    with pytest.raises(RegtuiError, match="changed"):
        store.ingest(found)
    assert len(store.ingest(pinned)) == 1

    pin.write_bytes(b"weight!")
    with pytest.raises(RegtuiError, match="changed"):
        store.ingest(pinned)
