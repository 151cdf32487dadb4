import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.manifest import FileEntry


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "store")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A folder as a trainer leaves it: a large file, small ones, an empty one, a script."""
    folder = tmp_path / "checkpoint-500"
    (folder / "tokenizer" / "deep").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(os.urandom((9 << 20) + 17))
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer" / "vocab.txt").write_text("a\nb\n")
    (folder / "tokenizer" / "deep" / "empty").touch()
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def captured(store: ObjectStore, checkpoint: Path) -> list[FileEntry]:
    return store.ingest(scan(checkpoint))


@pytest.fixture
def python() -> Callable[..., str]:
    """Run a program with arguments in a Python process of its own, and return what it prints."""

    def run(program: str, *arguments: object) -> str:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    return run


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB; needs the right to mount."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as folder:
        yield folder


@pytest.fixture
def reflink_disk(tmp_path: Path) -> Iterator[Path]:
    """A btrfs disk; needs its tools and the right to mount."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    must("mkfs.btrfs", "-q", str(image))
    with mounted(tmp_path / "disk", "-o", "loop", str(image)) as folder:
        yield folder


@contextmanager
def mounted(folder: Path, *how: str) -> Iterator[Path]:
    folder.mkdir()
    must("mount", *how, str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def must(*command: str) -> None:
    """Run the command, or skip the test where this machine can't."""
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"this machine can't {command[0]}")
