"""Many runs of the simulation; a seed that fails plays the same run again."""

import itertools
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.sync.simulation import run

SEEDS = int(os.environ.get("REGTUI_SEEDS", "222"))
FAST = 2
"""Seeds that every run of the tests plays; the others are for the slow suite."""

KEPT = (1003, 1008, 1078, 1140)
"""Seeds that failed once."""


def seeds(*chosen: Iterable[int], fast: int = 1) -> list[Any]:
    """Return seeds, of which the slow suite alone plays all but the first ones."""
    every = itertools.chain(*chosen)
    return [one if one < fast else pytest.param(one, marks=pytest.mark.slow) for one in every]


@pytest.mark.parametrize(
    "seed",
    seeds(range(SEEDS - SEEDS // 5), KEPT, fast=FAST),  # the others are played below
)
def test_everybody_converges_and_nothing_is_lost(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    run(tmp_path, seed, ahead=1 if seed in KEPT else 1 + seed % 3)


@pytest.mark.parametrize(
    "seed",
    seeds(range(SEEDS // 3)),
)
def test_who_often_only_reads_loses_nothing_that_waits(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    run(tmp_path, seed, ahead=1 + seed % 3, reads=0.5)


@pytest.mark.parametrize(
    "seed",
    seeds(range(SEEDS // 5)),
)
def test_requests_that_leave_before_the_last_answer_is_kept_lose_nothing(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    run(tmp_path, seed, ahead=1 + seed % 2, batch=1 + seed % 3)
