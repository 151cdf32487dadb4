"""What is known of a run beside what its trainer wrote."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.capture.context import PARTS, run_context
from regtui.capture.hardware import hardware
from regtui.capture.packages import packages_in, site_folders
from regtui.capture.processes import process, writing_process
from regtui.capture.redaction import HIDDEN

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="this system does not show what processes have open"
)

WRITER = """
import sys, time
with open(sys.argv[1], "wb") as file:
    file.write(b"x"); file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return the folder of a run, and the process that has a file of it open for writing."""
    run, home = tmp_path / "runs" / "7", tmp_path / "home"
    run.mkdir(parents=True)
    home.mkdir()
    arguments = [sys.executable, "-c", WRITER, str(run / "model.pt"), "--hub-token", "geheim"]
    variables = {**os.environ, "CUDA_VISIBLE_DEVICES": "1", "MY_PASSWORD": "geheim"}
    with subprocess.Popen(
        arguments, cwd=home, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield run, running.pid
        running.communicate()


@needs_proc
def test_the_process_that_writes_is_found(writer: tuple[Path, int]) -> None:
    run, pid = writer
    found = writing_process(run)

    assert found is not None
    assert found.pid == pid
    assert found.command[0] == sys.executable
    assert found.command[-2:] == ("--hub-token", HIDDEN)
    assert found.folder == str(run.parents[1] / "home")
    assert found.environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert "geheim" not in repr(found)
    assert found.started is not None
    assert found.packages()["pytest"] == pytest.__version__


@needs_proc
def test_a_run_that_nobody_writes_has_no_process(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert writing_process(tmp_path / "run") is None


@needs_proc
def test_a_process_that_has_ended_tells_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert process(ended.pid) is None


@needs_proc
def test_the_context_of_a_run_that_goes_on(writer: tuple[Path, int]) -> None:
    run, _ = writer
    found = run_context(run, ended=1)

    assert found.values["command"][0] == sys.executable
    assert found.values["system"]
    assert found.values["started"] > 1_600_000_000_000
    assert "ended" not in found.values
    assert "pytest" in found.packages
    assert "geheim" not in repr(found)


def test_the_context_of_a_run_that_has_ended(tmp_path: Path) -> None:
    found = run_context(tmp_path, ended=1_790_000_000_000)
    assert found.values["ended"] == 1_790_000_000_000
    assert found.packages == {}


@needs_proc
@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_left_out(writer: tuple[Path, int], part: str) -> None:
    run, _ = writer
    found = run_context(run, parts=frozenset(PARTS) - {part})

    left_out = {
        "git": "git" not in found.values,
        "diff": found.diff is None,
        "command": not {"command", "folder", "python"} & found.values.keys(),
        "environment": "environment" not in found.values,
        "packages": found.packages == {},
        "hardware": not hardware().keys() & found.values.keys(),
    }
    assert left_out[part]


def test_packages_are_named_as_they_are_installed_under(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in (
        "scikit_learn-1.5.0.dist-info", "Foo.Bar-2.0-py3.11.egg-info", "numpy", "broken-info",
        "torch-2.9.0+cu126.dist-info",
    ):  # fmt: skip
        (folder / name).mkdir(parents=True)
    assert site_folders(tmp_path) == [folder.resolve()]
    assert packages_in([folder, tmp_path / "nowhere"]) == {
        "foo-bar": "2.0",
        "scikit-learn": "1.5.0",
        "torch": "2.9.0+cu126",
    }
