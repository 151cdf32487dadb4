"""A home, the command line on it, and a run folder with something to capture."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import Regtui


@pytest.fixture
def regtui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Regtui]:
    """Yield the command line on a home that is not there yet."""
    monkeypatch.setenv("REGTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("REGTUI_WAIT", "30")  # which completion sets where nobody did
    here = Regtui(tmp_path / "home", tmp_path / "config")
    yield here
    here.end_started()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run folder with three files, one of them executable."""
    return make_run(tmp_path / "runs" / "7")


@pytest.fixture
def ranker(regtui: Regtui, ranker_home: Path) -> Regtui:
    """Return the command line on a registry that holds `team/ranker@1`, its champion."""
    shutil.copytree(ranker_home, regtui.home)
    return regtui


@pytest.fixture(scope="session")
def ranker_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry to copy: a copy takes a tenth of the time of a capture."""
    folder = tmp_path_factory.mktemp("ranker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_HOME", str(folder / "home"))
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        answer = Regtui(folder / "home", folder / "config")(
            "capture", make_run(folder / "runs" / "7"), "--model", "team/ranker",
            "--metric", "ndcg=0.71@1000", "--param", "lr=3e-4", "--tag", "env=prod",
            "--alias", "champion",
        )  # fmt: skip
    assert answer.code == 0, answer
    return folder / "home"


def make_run(folder: Path) -> Path:
    (folder / "logs").mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights" * 100)
    (folder / "logs" / "train.txt").write_text("step 1\n", encoding="utf-8")
    (folder / "serve.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "serve.sh").chmod(0o755)
    return folder
