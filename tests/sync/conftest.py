from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.sync import client
from tests.server.conftest import fresh_postgres, postgres_url
from tests.sync.world import Person, World, signed_in

__all__ = ["ann", "ben", "fresh_postgres", "postgres_url", "world"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A server with two maintainers."""
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(client, "ROUNDS", 40)  # one that goes on for ever fails
    made = World(tmp_path)
    for name in ("ann", "ben"):
        made.grant(name, "maintainer", "*")
    yield made
    made.close()


@pytest.fixture
def ann(world: World) -> Iterator[Person]:
    person = signed_in(world, "ann")
    yield person
    person.replica.close()


@pytest.fixture
def ben(world: World) -> Iterator[Person]:
    person = signed_in(world, "ben")
    yield person
    person.replica.close()
