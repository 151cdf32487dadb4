import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from regtui.artifacts.scan import Scan, scan
from regtui.core.errors import BadInput, NotFound

AS_NOBODY = """
import os, sys
from pathlib import Path
from regtui.artifacts.scan import scan
from regtui.core.errors import RegtuiError
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
try:
    scan(Path())
except RegtuiError as error:
    print(type(error).__name__, error)
"""


def paths(found: Scan) -> list[str]:
    return [file.path for file in found.files]


def test_files_are_listed_by_manifest_path_with_size_and_executable_bit(checkpoint: Path) -> None:
    found = scan(checkpoint)

    assert not found.single
    assert [(file.path, file.size, file.executable) for file in found.files] == [
        ("config.json", 2, False),
        ("model.safetensors", (9 << 20) + 17, False),
        ("run.sh", 10, True),
        ("tokenizer/deep/empty", 0, False),
        ("tokenizer/vocab.txt", 4, False),
    ]
    assert found.total_size == (9 << 20) + 33


def test_a_single_file_has_an_empty_manifest_path(checkpoint: Path) -> None:
    found = scan(checkpoint / "config.json")

    assert found.single
    assert paths(found) == [""]
    assert found.files[0].real_path == str(checkpoint / "config.json")


def test_replica_homes_and_skipped_folders_are_left_out(checkpoint: Path, tmp_path: Path) -> None:
    (checkpoint / "tokenizer" / ".regtui").mkdir()
    (checkpoint / "tokenizer" / ".regtui" / "db").touch()
    (checkpoint / ".Regtui").touch()  # the same name to a disk that can't tell capitals apart
    (checkpoint / "home").mkdir()
    (checkpoint / "home" / "db").touch()
    (tmp_path / "elsewhere").symlink_to(checkpoint / "home")

    skip = [tmp_path / "elsewhere", tmp_path / "not there"]

    assert len(scan(checkpoint, skip=skip).files) == 5


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "3f1c").write_text("weights")
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.bin").symlink_to("../blobs/3f1c")
    (tmp_path / "snapshot" / "again").symlink_to("../blobs")

    found = scan(tmp_path / "snapshot")

    assert [(file.path, file.size) for file in found.files] == [("again/3f1c", 7), ("model.bin", 7)]


def test_the_same_folder_met_twice_side_by_side_is_no_circle(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    (tmp_path / "b").symlink_to("a")

    assert paths(scan(tmp_path)) == ["a/file", "b/file"]


@pytest.mark.parametrize("target", [".", "..", "me"])
def test_a_link_that_leads_in_a_circle_is_refused(checkpoint: Path, target: str) -> None:
    (checkpoint / "tokenizer" / "me").symlink_to(target)

    with pytest.raises(BadInput, match="tokenizer/me leads in a circle"):
        scan(checkpoint)


def test_a_link_that_leads_to_nothing_is_refused(checkpoint: Path) -> None:
    (checkpoint / "last.ckpt").symlink_to("gone")

    with pytest.raises(BadInput, match=r"last\.ckpt leads to nothing"):
        scan(checkpoint)


def test_a_name_that_other_disks_do_not_take_is_refused(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regtui.core.manifest.NAME_LIMIT", 8)

    with pytest.raises(BadInput, match="is too long"):
        scan(checkpoint)


def test_a_pipe_is_refused(checkpoint: Path) -> None:
    os.mkfifo(checkpoint / "pipe")

    with pytest.raises(BadInput, match="pipe is a pipe, socket or device"):
        scan(checkpoint)


def test_a_socket_is_refused(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkpoint)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

    with pytest.raises(BadInput, match="socket is a pipe, socket or device"):
        scan(checkpoint)


def test_a_device_is_refused() -> None:
    with pytest.raises(BadInput, match="/dev/null is a pipe, socket or device"):
        scan(Path("/dev/null"))


def test_a_name_that_is_not_utf8_is_refused(checkpoint: Path) -> None:
    Path(os.fsdecode(os.fsencode(checkpoint) + b"/caf\xe9")).touch()

    with pytest.raises(BadInput, match=r"caf\\xe9 is not valid UTF-8"):
        scan(checkpoint)


def test_names_are_kept_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "caf\u00e9").touch()
    (tmp_path / "cafe\u0301").touch()

    assert paths(scan(tmp_path)) == ["cafe\u0301", "caf\u00e9"]


def test_a_missing_path_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file or folder .*/gone"):
        scan(tmp_path / "gone")


def test_a_folder_without_any_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs" / "empty").mkdir(parents=True)

    with pytest.raises(BadInput, match=r"there is no file in .*/runs"):
        scan(tmp_path / "runs")


def test_an_unreadable_file_is_one_clear_error(
    checkpoint: Path, python: Callable[..., str]
) -> None:
    (checkpoint / "config.json").chmod(0)

    assert "RegtuiError" in (said := python(AS_NOBODY, checkpoint))
    assert "config.json may not be read; check its owner and mode" in said


def test_an_unreadable_folder_is_one_clear_error(
    checkpoint: Path, python: Callable[..., str]
) -> None:
    (checkpoint / "tokenizer").chmod(0)

    said = python(AS_NOBODY, checkpoint)
    (checkpoint / "tokenizer").chmod(0o755)

    assert "RegtuiError no permission for reading" in said
    assert "/tokenizer; check its owner and mode" in said
