"""Real clients, a real server and sockets: kills, a network that misbehaves, a disk that is full.

`REGTUI_KILLS` says how often a client is killed (6 unless told otherwise), `REGTUI_SEED` where
connections are cut.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import regtui
from regtui.core.errors import RegtuiError
from regtui.registry.registry import Registry
from tests.cli.process import Regtui
from tests.proxy import Faults, Proxy, proxy
from tests.server.conftest import server_process
from tests.server.process import ServerProcess, command

KILLS = int(os.environ.get("REGTUI_KILLS", "6"))
WORKING = Path(__file__).with_name("working.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

__all__ = ["server_process"]


@pytest.fixture(autouse=True)
def _configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("REGTUI_TOKEN", raising=False)


def join(server: ServerProcess, home: Path, url: str | None = None) -> Registry:
    """Make a home that is signed in as the admin."""
    person = Regtui(home, Path(os.environ["REGTUI_CONFIG"]))
    for words in (("remote", "add", url or server.url), ("login", "--token", server.token)):
        told = person.process("--home", home, *words)
        assert told.code == 0, told
    return regtui.open(home)


def check_whole(server: ServerProcess, *homes: Path) -> None:
    """Check that server and replicas find nothing wrong with themselves, and are alike."""
    registries = [regtui.open(home) for home in homes]
    for _ in range(2):
        for registry in registries:
            done = registry.sync()
            assert (done.pending, done.rejected) == (0, 0)
    shown = {str(sorted(map(str, registry.models()))) for registry in registries}
    assert len(shown) == 1
    for registry in registries:
        assert registry.outbox() == []
        problems = [one for one in registry.doctor().checks if one.status == "problem"]
        assert problems == []
        assert registry.verify_history().ok
    assert command("doctor", "--data", server.data).code == 0


def tags(home: Path) -> set[str]:
    return set(regtui.open(home).model("shared").tags)


def test_kill_9_of_a_client_that_syncs_loses_nothing(
    server_process: ServerProcess, tmp_path: Path
) -> None:
    chance = random.Random(int(os.environ.get("REGTUI_SEED", "11")))
    home, other = tmp_path / "home", tmp_path / "other"
    registry = join(server_process, home)
    join(server_process, other)
    registry.create_model("shared")
    registry.sync()
    made: set[str] = set()
    accepted: set[str] = set()
    for turn in range(KILLS):
        words = [sys.executable, str(WORKING), str(home), f"t{turn}"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = process.stdout.readline()
            time.sleep(chance.uniform(0, 4))
            process.send_signal(signal.SIGKILL)
            said += process.stdout.read()
        assert process.returncode == -signal.SIGKILL, said
        for line in said[: said.rfind("\n") + 1].splitlines():
            verb, *rest = line.split()
            if verb == "made":
                made.add(rest[0])
            elif verb == "synced":
                assert rest == ["0", "0"]
                accepted = set(made)
        regtui.open(other).sync()
        assert accepted <= tags(other)
        assert made <= tags(home)
    check_whole(server_process, home, other)
    assert made
    assert made <= tags(other)


def port_of(server: ServerProcess) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def test_a_network_that_cuts_at_any_byte_loses_nothing(
    server_process: ServerProcess, tmp_path: Path
) -> None:
    seed = int(os.environ.get("REGTUI_SEED", "12"))
    print(f"REGTUI_SEED={seed}")
    chance = random.Random(seed)
    home, other = tmp_path / "home", tmp_path / "other"
    join(server_process, other)
    with proxy(port_of(server_process)) as network:
        registry = join(server_process, home, f"http://127.0.0.1:{network.port}")
        registry.create_model("shared")
        registry.sync()
        failed = 0
        for turn in range(40):
            network.faults = faults(chance)
            registry.edit("shared", {f"tags/t{turn}": "x" * chance.randint(1, 900)})
            if turn % 5 == 0:
                regtui.open(other).edit("shared", {f"tags/other{turn}": "x"}) if turn else None
                regtui.open(other).sync()
            try:
                registry.sync()
            except RegtuiError:
                failed += 1
            check_shows(registry, turn)
        settle(network)
        check_whole(server_process, home, other)
    assert network.cut > 10
    assert failed > 0
    assert {f"t{turn}" for turn in range(40)} <= tags(other)


def faults(chance: random.Random) -> Faults:
    """Draw what goes wrong next: cuts anywhere, halves, doubles, late twins."""
    size = chance.choice([40, 400, 4000])
    cuts: list[tuple[int | None, int | None]] = [
        (chance.randint(1, size), None)
        if chance.random() < 0.5
        else (None, chance.randint(1, size))
        for _ in range(chance.randint(0, 5))
    ]
    return Faults(
        cuts=cuts,
        delay=chance.choice([0.0, 0.0, 0.02]),
        halve=chance.random() < 0.3,
        duplicate=chance.random() < 0.4,
        late=chance.choice([0.0, 0.2, 1.0]),
    )


def check_shows(registry: Registry, turn: int) -> None:
    found = set(registry.model("shared").tags)
    assert {f"t{one}" for one in range(turn + 1)} <= found


def settle(network: Proxy) -> None:
    """Let the network be good again, and what is under way arrive."""
    network.faults = Faults()
    time.sleep(1.5)


def test_a_disk_that_is_full_leaves_the_state_of_before(
    server_process: ServerProcess, tmp_path: Path
) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    join(server_process, home)
    writer = join(server_process, other)
    for number in range(40):
        writer.create_model(f"m{number:02}", {"card": f"{number} " * 20_000})
    writer.sync()
    person = Regtui(home, Path(os.environ["REGTUI_CONFIG"]))
    size = (home / "registry.duckdb").stat().st_size
    answer = person.process("--home", home, "sync", file_limit=size + 4096)
    assert answer.code not in {0, -signal.SIGXFSZ}, answer
    assert "full" in answer.error
    assert regtui.open(home).models() == []
    assert person.process("--home", home, "sync").code == 0
    assert len(regtui.open(home).models()) == 40
    check_whole(server_process, home, other)
