"""SIGKILL at random points: what was acknowledged is there and verifies, nothing half-done shows.

`REGTUI_KILLS` says how many processes are killed (24 unless told otherwise).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import regtui
from tests.replica.ledger import check_replica

KILLS = int(os.environ.get("REGTUI_KILLS", "24"))
WRITER = Path(__file__).with_name("writer.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + KILLS * 20)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return tmp_path / "home"


def write_and_be_killed(home: Path, folder: Path, seconds: float) -> list[dict[str, Any]]:
    """Start a writer, kill it that many seconds after it began, and return what it acknowledged."""
    command = [sys.executable, str(WRITER), str(home), str(folder), "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said = ready + process.stdout.read()
    assert process.returncode == -signal.SIGKILL, "it ended by itself"
    whole = said[: said.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def test_every_acknowledged_version_survives_kills_at_random_points(
    home: Path, tmp_path: Path
) -> None:
    seed = int(os.environ.get("REGTUI_SEED", str(random.SystemRandom().randrange(10**6))))
    print(f"REGTUI_SEED={seed}")
    chance = random.Random(seed)
    acknowledged: list[dict[str, Any]] = []

    for _ in range(KILLS):
        acknowledged += write_and_be_killed(home, tmp_path / "runs", chance.uniform(0, 0.7))
        if home.exists():
            regtui.open(home).versions("", limit=5)  # the next one finds an open door

    registry = regtui.open(home)
    versions = {fact["version"]: fact for fact in acknowledged if "digest" in fact}
    edits = {fact["version"]: fact["step"] for fact in acknowledged if "step" in fact}
    found = {short: registry.version(short) for short in versions}
    assert [s for s, fact in versions.items() if found[s].digest != fact["digest"]] == []
    assert [s for s, step in edits.items() if found[s].steps.get("step", -1) < step] == []
    assert registry.verify().damaged == []
    check_replica(home)


def test_a_kill_while_the_replica_is_made_leaves_none_or_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    command = [sys.executable, str(WRITER)]

    for turn in range(max(KILLS // 3, 4)):
        home = tmp_path / f"home-{turn}"
        arguments = [*command, str(home), str(tmp_path / "runs"), "60"]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and not home.exists():
                time.sleep(0.001)
            time.sleep(turn % 12 * 0.01)
            process.kill()
        regtui.open(home).models()
        check_replica(home)
