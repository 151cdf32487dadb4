"""The server as its operator has it: commands, and a process on a socket."""

import atexit
import functools
import json
import os
import shutil
import signal
import ssl
import tempfile
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from tests.server.forking import Forked

DEADLINE = 30


class Finished(Struct):
    """What a command did."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(*words: object) -> Finished:
    """Run a command to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        code = Forked([*map(str, words)], clean_environment(), output, errors).wait(DEADLINE)
        told = []
        for file in (output, errors):
            file.seek(0)
            told.append(file.read().decode())
    return Finished(code, *told)


def clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("REGTUI_")}


class ServerProcess:
    """A running server.

    Attributes:
        url: Where it listens.
        token: A lasting token of its admin.
        registry: Id of its registry.
        data: Its data folder.
    """

    def __init__(self, data: Path, *options: object) -> None:
        self.data = data
        self.options = options
        self.token = ""
        self.registry = ""
        self.start()

    def start(self) -> None:
        self.log = (self.data / "log").open("ab")
        words = ["run", "--data", str(self.data), "--port", "0", *map(str, self.options)]
        self.process = Forked(words, clean_environment(), None, self.log)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), (self.data / "log").read_text()
        self.url = line.removeprefix("listening on ").strip()

    def log_in(self, token: str) -> None:
        """Exchange the token of `init`."""
        told = httpx.post(f"{self.url}/v1/login", json={"token": token}, verify=_trust()).json()
        self.token, self.registry = told["token"], told["registry"]

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=DEADLINE, verify=_trust())

    def path(self, rest: str) -> str:
        return f"/v1/registries/{self.registry}/{rest}"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(how)
        code = self.process.wait(DEADLINE)
        self.close()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return what each client reads anew otherwise, which takes longer than its requests."""
    return httpx.create_ssl_context()


def copied(data: Path) -> str:
    """Make a registry as `init` does, from a copy: each has the same id; return its token."""
    folder, token = _made_once()
    shutil.copytree(folder, data)
    return token


@functools.cache
def _made_once() -> tuple[Path, str]:
    folder = Path(tempfile.mkdtemp(prefix="regtui-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / "data", init(folder / "data")


def init(data: Path, *options: object) -> str:
    """Make a registry `lab` with the admin ann; return the token that she logs in with."""
    made = command(
        "init", "--data", data, "--admin", "ann", "--registry", "lab", "--json", *options
    )
    assert made.code == 0, made.error
    return str(made.json["token"])
