"""The core needs nothing but itself: no clock, no files, no network, no other part of ours."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
before = set(sys.modules)
import msgspec, blake3, uuid
needed = set(sys.modules)
import regtui.core.judgement
after = set(sys.modules)
print(json.dumps([sorted(after - before), sorted(after - needed)]))
"""
IMPURE = {
    "asyncio", "concurrent.futures", "duckdb", "httpx", "multiprocessing", "random", "secrets",
    "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "urllib.request",
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> tuple[set[str], set[str]]:
    """What judging loads in a fresh interpreter: in all, and beyond msgspec, blake3 and uuid."""
    command = [sys.executable, "-c", SCRIPT]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    everything, beyond = json.loads(out)
    return set(everything), set(beyond)


def test_judging_loads_nothing_of_ours_outside_the_core(loaded: tuple[set[str], set[str]]) -> None:
    ours = {name for name in loaded[0] if name.split(".")[0] in {"regtui", "sync_server"}}
    assert {name for name in ours if not name.startswith("regtui.core")} == {"regtui"}


def test_judging_loads_nothing_that_touches_the_world(loaded: tuple[set[str], set[str]]) -> None:
    assert not loaded[1] & IMPURE
