"""What was refused is made again with other values; and an idle sync leaves the disk alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from tests.sync.world import Person, World


@pytest.fixture
def ben(tmp_path: Path) -> Iterator[Person]:
    """Return somebody whose edit was refused, and who may edit by now."""
    world = World(tmp_path)
    world.grant("ben", "contributor", "*")
    person = world.person("ben")
    file = tmp_path / "weights.bin"
    file.write_text("weights")
    person.registry.capture(file, model="bert")
    person.sync()
    world.grant("ben", "viewer", "*")
    person.registry.edit("bert@1", {"tags/env": "prod", "tags/team": "nlp", "metrics/f1": 0.5})
    person.sync()
    world.grant("ben", "contributor", "*")
    person.sync()
    yield person
    world.close()


def test_what_was_refused_is_made_with_other_values_and_sent(ben: Person) -> None:
    (refused,) = ben.registry.outbox()

    ben.registry.amend(refused.id, {"tags/env": "dev", "tags/team": None})

    assert [one.state for one in ben.registry.outbox()] == ["waiting"]
    assert ben.sync().accepted == 1
    version = ben.registry.version("bert@1")
    assert (version.tags, version.metrics) == ({"env": "dev"}, {"f1": 0.5})
    assert ben.registry.outbox() == []


@pytest.mark.parametrize(
    ("values", "said"),
    [({"tags/other": "x"}, "sets no 'tags/other'"), ({}, "no value is given")],
)
def test_other_values_than_it_set_are_refused_and_nothing_changes(
    ben: Person, values: dict[str, str], said: str
) -> None:
    (refused,) = ben.registry.outbox()

    with pytest.raises(BadInput, match=said):
        ben.registry.amend(refused.id, values)

    assert ben.registry.outbox() == [refused]


def test_what_is_not_in_the_outbox_is_not_amended(ben: Person) -> None:
    with pytest.raises(NotFound):
        ben.registry.amend("ffffffff", {"tags/env": "dev"})


def test_a_sync_that_brings_nothing_writes_nothing(ben: Person) -> None:
    ben.registry.discard()
    ben.sync()
    ben.sync()
    before = ben.replica.home.written()

    ben.sync()

    assert ben.replica.home.written() == before
