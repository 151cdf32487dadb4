"""Three writers and three overlapping readers: no error, and nobody is overtaken for ever.

`REGTUI_SECONDS` says for how long (12 unless told otherwise; a minute is what is promised).
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import regtui
from regtui.core.errors import Busy
from tests.replica.ledger import check_replica

SECONDS = os.environ.get("REGTUI_SECONDS", "12")
HERE = Path(__file__).parent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 4 * int(SECONDS))]


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_writers_and_readers_share_one_replica_without_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    home = str(tmp_path / "home")
    writers = [start("writer.py", home, str(tmp_path / f"w{i}"), SECONDS) for i in range(3)]
    readers = [start("reader.py", home, SECONDS) for _ in range(3)]

    told = [process.communicate() for process in (*writers, *readers)]

    assert [error for _, error in told if error] == []
    waits = [
        fact["seconds"]
        for said, _ in told[:3]
        for fact in map(json.loads, said.splitlines())
        if "seconds" in fact
    ]
    bursts = [burst for said, _ in told[3:] for burst in json.loads(said)["bursts"]]
    print(
        f"{len(waits)} edits, the longest {max(waits):.2f} s; "
        f"{len(bursts)} bursts, the longest {max(bursts):.2f} s"
    )
    assert min(len(said.splitlines()) for said, _ in told[:3]) > 3
    check_replica(tmp_path / "home")


def test_a_writer_that_holds_on_is_named_when_the_deadline_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("REGTUI_WAIT", "0.5")
    home = tmp_path / "home"
    registry = regtui.open(home)
    registry.create_model("ranker")
    holder = (
        "import sys, regtui\n"
        "with regtui.open(sys.argv[1]).context.writing():\n"
        "    print('holding', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", holder, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        for use in (registry.models, lambda: registry.create_model("other")):
            with pytest.raises(Busy, match=rf"in use by .*python.* \(pid {process.pid}\)"):
                use()
        assert time.monotonic() - started < 10
        process.kill()
    assert registry.create_model("other") is True
