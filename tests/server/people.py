"""People with homes of their own at a running server."""

from pathlib import Path

from msgspec import Struct

from regtui.registry import Registry, open_registry
from tests.server.process import ServerProcess


class Person(Struct):
    """One person at one machine."""

    name: str
    registry: Registry

    @property
    def home(self) -> Path:
        return self.registry.home


def invite(server: ServerProcess, name: str, role: str, scope: str = "*") -> str:
    """Make somebody known with a role, and return a token of his."""
    with server.client() as client:
        client.post(server.path("users"), json={"name": name}).raise_for_status()
        grant = {"holder": name, "role": role, "scope": scope}
        client.post(server.path("grants"), json=grant).raise_for_status()
    return token_of(server, name)


def token_of(server: ServerProcess, name: str) -> str:
    """Return a token of somebody who is known."""
    with server.client() as client:
        made = client.post(server.path("tokens"), json={"user": name, "name": "test"})
        made.raise_for_status()
    token: str = made.json()["token"]
    return token


def join(server: ServerProcess, home: Path, name: str, role: str, scope: str = "*") -> Person:
    """Give somebody a role, and sign him in at a new home.

    The token's file lies below `REGTUI_CONFIG`: whoever calls sets that.
    """
    return _signed_in(server, home, name, invite(server, name, role, scope))


def sign_in(server: ServerProcess, home: Path, name: str) -> Person:
    """Sign somebody in at a home."""
    return _signed_in(server, home, name, token_of(server, name))


def _signed_in(server: ServerProcess, home: Path, name: str, token: str) -> Person:
    registry = open_registry(home)
    registry.add_remote(server.url)
    registry.login(token)
    return Person(name, registry)
