"""SIGKILL of single commands, from their start to their end: acknowledged means kept.

`REGTUI_KILLS` says how many are killed (24 unless told otherwise), `REGTUI_SEED` when.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Regtui
from tests.replica.ledger import check_replica

KILLS = int(os.environ.get("REGTUI_KILLS", "24"))
LONGEST_START = 20.0
"""Seconds that the command after a kill may take on a busy machine; a lost lock would take 30."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + KILLS * 30)]


@pytest.fixture
def regtui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Regtui:
    monkeypatch.setenv("REGTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return Regtui(tmp_path / "home", tmp_path / "config")


def killed(regtui: Regtui, seconds: float, *arguments: str | Path) -> Any:
    """Run a command, kill it after so long, and return what it printed before, if anything."""
    process = regtui.start(*arguments, "--json")
    time.sleep(seconds)
    process.kill()
    out, _ = process.communicate()
    return json.loads(out) if out.endswith("\n") else None


def test_what_a_killed_command_acknowledged_is_kept(regtui: Regtui, tmp_path: Path) -> None:
    seed = int(os.environ.get("REGTUI_SEED", str(random.SystemRandom().randrange(10**6))))
    chance = random.Random(seed)
    versions: dict[str, str] = {}
    tags: dict[str, str] = {}
    slowest, acknowledged = 0.0, 0
    for turn in range(KILLS):
        run = tmp_path / "runs" / str(turn)
        run.mkdir(parents=True)
        (run / "weights").write_bytes(os.urandom(200_000 * (1 + turn % 40)))
        longest = 0.2 if turn % 4 == 0 else 1.2
        if versions and turn % 3 == 0:
            reference = chance.choice(sorted(versions))
            given = ["--tag", f"t{turn}={turn}", "--metric", f"f1={turn}"]
            answer = killed(regtui, chance.uniform(0, longest), "edit", reference, *given)
            tags |= {} if answer is None else {f"t{turn}": reference}
        else:
            given = ["--model", f"m{turn % 2}", "--alias", "newest"]
            answer = killed(regtui, chance.uniform(0, longest), "capture", run, *given)
            if answer is not None:
                versions[answer["version"]["short_id"]] = answer["version"]["digest"]
        acknowledged += answer is not None
        started = time.monotonic()
        assert regtui.process("ls", "--json").code == 0
        slowest = max(slowest, time.monotonic() - started)
        if turn % 20 == 0:
            check_replica(regtui.home)
    print(f"REGTUI_SEED={seed}: {acknowledged} of {KILLS} acknowledged, next one {slowest:.2f} s")
    assert slowest < LONGEST_START
    check_replica(regtui.home)
    for reference, digest in versions.items():
        assert regtui.json("show", reference)["version"]["digest"] == digest
    for tag, reference in tags.items():
        assert tag in regtui.json("show", reference)["version"]["tags"]
    assert regtui.json("verify")["damaged"] == []
    regtui("capture", tmp_path / "runs" / "0", "--model", "last")
    assert [path for path in (regtui.home / "tmp").iterdir() if path.is_dir()] == []
