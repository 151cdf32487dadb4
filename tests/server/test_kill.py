"""What was acknowledged is there after kill -9, however often."""

import os
import random
import signal
import threading
import time
from typing import Any

import httpx
import pytest

from sync_server.backup import create_backup
from sync_server.database import Database
from sync_server.examine import examine
from tests.server.process import ServerProcess, command, init

KILLS = int(os.environ.get("REGTUI_KILLS", "6"))
WRITERS = 4


class Load:
    """Writers that remember what was acknowledged to them."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.users: set[str] = set()
        self.tokens: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.broken: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=[n]) for n in range(WRITERS)]

    def start(self) -> None:
        for one in self._threads:
            one.start()

    def end(self) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _write(self, number: int) -> None:
        done = 0
        while not self._over.is_set():
            try:
                with self.server.client() as client:
                    while not self._over.is_set():
                        done += 1
                        self._round(client, f"u{number}-{done}")
            except httpx.TransportError:
                time.sleep(0.02)

    def _round(self, client: httpx.Client, name: str) -> None:
        path = self.server.path
        if self._good(client.post(path("users"), json={"name": name})):
            self.users.add(name)
        made = client.post(path("tokens"), json={"user": name, "name": "x"})
        if made.status_code == 404 and name not in self.users:
            return
        if self._good(made):
            told = made.json()
            identity = told["known"]["id"]
            self.tokens[identity] = told["token"]
            if self._good(client.delete(path(f"tokens/{identity}"))):
                self.revoked.add(identity)

    def _good(self, answer: httpx.Response) -> bool:
        if answer.is_success:
            return True
        self.broken.append(answer.text)
        return False


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Any) -> None:
    chance = random.Random(7)
    data = tmp_path / "data"
    token = init(data)
    server = ServerProcess(data)
    server.log_in(token)
    load = Load(server)
    load.start()
    try:
        for _ in range(KILLS):
            time.sleep(0.5 + chance.random())
            assert server.stop(signal.SIGKILL) == -signal.SIGKILL
            server.start()
        time.sleep(0.5)
    finally:
        load.end()
    with server.client() as client:
        users = {one["name"] for one in client.get(server.path("users")).json()["users"]}
        tokens = {one["id"]: one for one in client.get(server.path("tokens")).json()["tokens"]}
    server.close()
    assert load.broken == []
    assert len(load.users) > KILLS
    assert load.users <= users
    assert load.tokens.keys() <= tokens.keys()
    assert all(tokens[one]["revoked"] is not None for one in load.revoked)
    assert command("doctor", "--data", data).code == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_backups_under_load_are_whole(server_process: ServerProcess, tmp_path: Any) -> None:
    load = Load(server_process)
    load.start()
    database = Database(f"sqlite:///{server_process.data / 'registry.sqlite'}")
    try:
        for place in range(8):
            known = set(load.users)
            create_backup(database, tmp_path / f"backup{place}")
            copy = Database(f"sqlite:///{tmp_path / f'backup{place}'}")
            assert examine(copy) == []
            with copy.reading() as connection:
                bodies = [bytes(one[0]) for one in connection.exec_driver_sql(
                    "select body from entity where kind = 'user'"
                )]  # fmt: skip
            copy.close()
            for name in known:
                assert any(f'"name":"{name}"'.encode() in body for body in bodies)
            time.sleep(0.1)
    finally:
        load.end()
        database.close()
    assert load.broken == []
