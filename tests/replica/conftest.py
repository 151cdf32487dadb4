"""A replica of its own for every test, and who acts on it."""

from pathlib import Path

import pytest

import regtui
from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import user_id
from regtui.registry import Registry
from regtui.replica.unit import Replica


@pytest.fixture(autouse=True)
def _configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    return Replica(tmp_path / "home")


@pytest.fixture
def registry(replica: Replica) -> Registry:
    """Return the verbs over the same replica."""
    return regtui.open(replica.home.path)


@pytest.fixture
def ann() -> Actor:
    return Actor(user_id("ann"), "ann", (Grant(Role.ADMIN, "*"),))


@pytest.fixture
def ben() -> Actor:
    """Return somebody who may look and nothing more."""
    return Actor(user_id("ben"), "ben", (Grant(Role.VIEWER, "*"),))
