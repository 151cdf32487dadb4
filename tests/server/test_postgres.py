"""Several processes of a server on one Postgres."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.server.process import ServerProcess, command, init


@pytest.mark.slow
def test_two_processes_share_a_database(fresh_postgres: str, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    token = init(one, "--database", fresh_postgres)
    assert (one / "regtui-server.toml").stat().st_mode & 0o077 == 0
    other.mkdir(mode=0o700)
    first = ServerProcess(one)  # finds the database by what `init` wrote down
    second = ServerProcess(other, "--database", fresh_postgres)
    try:
        first.log_in(token)
        second.token, second.registry = first.token, first.registry

        def add(number: int) -> int:
            server = (first, second)[number % 2]
            with server.client() as client:
                made = client.post(server.path("users"), json={"name": f"u{number}"})
            return made.status_code

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(add, range(24))) == {200}
        for server in (first, second):
            with server.client() as client:
                users = client.get(server.path("users")).json()["users"]
            assert len(users) == 25
        with second.client() as client:
            assert client.post("/v1/logout").status_code == 200
        with first.client() as client:
            assert client.get("/v1/me").status_code == httpx.codes.UNAUTHORIZED
        early = tmp_path / "early"
        assert command("backup", "create", early, "--data", one).code == 0
        assert first.stop() == 0  # the other one serves the database still
        assert command("restore", early, "--data", one, "--replace").code == 9
    finally:
        first.stop()
        assert second.stop() == 0
    assert command("doctor", "--data", one).code == 0
    file = tmp_path / "backup"
    assert command("backup", "create", file, "--data", one).code == 0
    assert command("restore", file, "--data", one).code == 2
    assert command("restore", file, "--data", one, "--replace").code == 0
    alone = tmp_path / "alone"  # and back to a file
    assert command("restore", file, "--data", alone).code == 0
    assert len(command("user", "ls", "--data", alone, "--json").json["users"]) == 25


def test_a_database_that_does_not_answer_is_told_in_a_line(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    told = command("init", "--data", tmp_path / "data", "--admin", "ann", "--database", url)
    assert (told.code, told.out, told.error.count("\n")) == (7, "", 1)
