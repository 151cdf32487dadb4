"""A registry of its own for every test, and a run folder to capture."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import regtui
from regtui.core.errors import Busy
from regtui.registry import Registry
from regtui.replica.unit import Replica


@pytest.fixture
def registry(tmp_path: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return regtui.open(shutil.copytree(empty_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home to copy: a copy takes a tenth of the time of making one."""
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        regtui.open(folder / "home").count()
    return folder / "home"


@pytest.fixture
def ranker(tmp_path: Path, ranker_home: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a registry with two versions of `ranker` of the same content; one is the champion."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return regtui.open(shutil.copytree(ranker_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def ranker_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranker")
    registry = regtui.open(shutil.copytree(empty_home, folder / "home"))
    run = make_run(folder / "runs" / "7")
    registry.capture(
        run, model="ranker", metrics={"f1": (0.5, 10)}, tags={"env": "prod"}, alias="champion"
    )
    registry.capture(run, model="ranker", new=True)
    return registry.home


@pytest.fixture
def keep_readers_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes every reader wait too long from now on, as a writer without end does."""

    def busy(_: Replica) -> None:
        raise Busy("others hold the registry")

    return lambda: monkeypatch.setattr(Replica, "reading", busy)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs" / "7")


def make_run(folder: Path) -> Path:
    """Return a run folder with three files, one of them executable."""
    (folder / "sub").mkdir(parents=True)
    (folder / "model.bin").write_bytes(bytes(range(250)) * 20)
    (folder / "sub" / "train.log").write_text("step 1\n", encoding="utf-8")
    (folder / "serve.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "serve.sh").chmod(0o755)
    return folder
