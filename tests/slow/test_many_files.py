"""A folder of many files: 30,000 unless `REGTUI_FILES` says otherwise."""

import os
import time
from pathlib import Path

import pytest

from tests.cli.process import Regtui
from tests.replica.ledger import check_replica

FILES = int(os.environ.get("REGTUI_FILES", "30000"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]


def test_a_folder_of_many_files_is_captured_shown_and_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    regtui = Regtui(tmp_path / "home", tmp_path / "config")
    for number in range(FILES):
        folder = tmp_path / "run" / f"{number % 100:02d}"
        if number < 100:
            folder.mkdir(parents=True)
        (folder / f"{number}.txt").write_text(str(number % (FILES // 2)), encoding="utf-8")
    started = time.monotonic()
    version = regtui.json("capture", tmp_path / "run", "--model", "many")["version"]
    captured = time.monotonic()
    assert version["files"] == FILES
    again = regtui.json("capture", tmp_path / "run", "--model", "many")
    assert again["created"] is False
    assert len(regtui.json("show", "many@1", "--files")["files"]) == FILES
    assert regtui.json("verify") == {
        "versions": 1,
        "files": FILES // 2,
        "bytes": sum(len(str(number)) for number in range(FILES // 2)),
        "damaged": [],
    }
    regtui.json("checkout", "many@1", tmp_path / "out")
    assert sum(len(files) for _, _, files in os.walk(tmp_path / "out")) == FILES
    print(f"{FILES} files captured in {captured - started:.1f} s")
    check_replica(regtui.home)
