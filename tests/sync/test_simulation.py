"""Many runs of the simulation; a seed that fails plays the same run again."""

import os
from pathlib import Path

import pytest

from tests.sync.simulation import run

SEEDS = int(os.environ.get("REGTUI_SEEDS", "40"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_everybody_converges_and_nothing_is_lost(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    run(tmp_path, seed)
