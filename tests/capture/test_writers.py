"""Whether somebody writes a file is asked of the kernel."""

import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from regtui.capture.writers import ends_in_hole, is_written

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="leases are of Linux")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    return path


@only_linux
def test_a_file_that_is_open_for_writing_is_being_written(file: Path) -> None:
    assert is_written(file) is False
    with file.open("ab"):
        assert is_written(file) is True
    with file.open("rb") as reading:
        assert is_written(file) is False
        assert is_written(reading.fileno()) is False
    assert file.read_bytes() == b"weights"


@only_linux
def test_a_file_that_is_mapped_for_writing_is_being_written(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)
    mapped = mmap.mmap(descriptor, 7)
    os.close(descriptor)
    assert is_written(file) is True
    mapped.close()
    assert is_written(file) is False


@only_linux
def test_a_writer_in_another_process_is_seen_and_its_end(file: Path) -> None:
    program = "import sys; f = open(sys.argv[1], 'ab'); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writing:
        assert writing.stdout is not None
        writing.stdout.readline()
        assert is_written(file) is True
        os.kill(writing.pid, signal.SIGKILL)
        writing.wait()
        assert is_written(file) is False


def test_a_pipe_or_a_file_that_is_gone_is_no_answer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular"):
        is_written(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        is_written(tmp_path / "gone")


@only_linux
def test_space_that_was_only_reserved_shows(file: Path) -> None:
    assert not ends_in_hole(file)
    os.truncate(file, 1 << 20)
    assert ends_in_hole(file)
    (file.parent / "empty").touch()
    assert not ends_in_hole(file.parent / "empty")
