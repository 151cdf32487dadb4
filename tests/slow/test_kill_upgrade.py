"""SIGKILL while a replica of an older schema is brought up to date: it opens, and nothing is lost.

`REGTUI_KILLS` says how many are killed (6 unless told otherwise), `REGTUI_SEED` when.
"""

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from regtui.replica.migrate import latest
from tests.cli.process import Regtui
from tests.replica.ledger import check_replica
from tests.replica.test_upgrades import SCHEMAS, recorded, unpacked

KILLS = int(os.environ.get("REGTUI_KILLS", "6"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + KILLS * 30)]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_upgrade_that_was_killed_is_done_by_the_next_command(
    schema: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    seed = int(os.environ.get("REGTUI_SEED", str(random.SystemRandom().randrange(10**6))))
    print(f"REGTUI_SEED={seed}")
    chance = random.Random(seed)
    expected = sorted(version["id"] for version in recorded(schema)["versions"])
    for turn in range(KILLS):
        home = unpacked(schema, tmp_path / f"home-{turn}")
        monkeypatch.setenv("REGTUI_HOME", str(home))
        regtui = Regtui(home, tmp_path / "config")
        process = regtui.start(*(["ls"] if turn % 2 else ["edit", "team/alpha@1", "-d", "new"]))
        time.sleep(chance.uniform(0.05, 0.6))
        process.kill()
        process.communicate()
        found = regtui.json("ls", "state:any")["versions"]
        assert sorted(version["id"] for version in found) == expected
        assert regtui.json("sql", "select 1 as one") == [{"one": 1}]
        assert f"before-{latest():04d}" in " ".join(path.name for path in home.glob("backups/*"))
        check_replica(home)
        shutil.rmtree(home)
