"""People for the core's tests: they work on one model, `nlp/bert`, with one version."""

import pytest

from tests.core.registry_state import Authority, Replica


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def ann(authority: Authority) -> Replica:
    return authority.person("ann")


@pytest.fixture
def ben(authority: Authority) -> Replica:
    return authority.person("ben")


@pytest.fixture
def model(ann: Replica, ben: Replica) -> str:
    """A model that everybody has seen."""
    entity = ann.create("nlp/bert", {"description": "first"}).entity
    ann.sync()
    ben.pull()
    return entity


@pytest.fixture
def version(ann: Replica, ben: Replica, model: str) -> str:
    """A version that everybody has seen."""
    entity = ann.capture(model, "weights", {"metrics/f1": {"value": 0.8, "step": 3}}).entity
    ann.sync()
    ben.pull()
    return entity
