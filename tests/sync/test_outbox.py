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


@pytest.fixture
def cat(tmp_path: Path) -> Iterator[Person]:
    """Return somebody whose move of an alias was refused, and who may move it by now."""
    world = World(tmp_path)
    world.grant("cat", "contributor", "*")
    person = world.person("cat")
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
        person.registry.capture(tmp_path / name, model="nlp/bert")
    person.registry.capture(tmp_path / "one", model="nlp/other")
    person.sync()
    world.grant("cat", "viewer", "*")
    person.registry.set_alias("nlp/bert@1", "champion")
    person.sync()
    world.grant("cat", "contributor", "*")
    person.sync()
    yield person
    world.close()


@pytest.mark.parametrize("spelled", ["nlp/bert@2", "2", 2, "latest", ":id", "id"])
def test_an_alias_is_amended_by_any_reference_of_a_version(cat: Person, spelled: str | int) -> None:
    identity = cat.registry.version("nlp/bert@2").id
    given = spelled.replace("id", identity) if isinstance(spelled, str) else spelled
    (refused,) = cat.registry.outbox()

    cat.registry.amend(refused.id, {"version": given})

    assert cat.sync().accepted == 1
    assert cat.registry.version("nlp/bert@champion").number == 2


@pytest.mark.parametrize(
    ("given", "error"), [("nlp/other@1", BadInput), ("nlp/bert@9", NotFound), ("x y", BadInput)]
)
def test_an_alias_is_amended_by_a_version_of_its_model_alone(
    cat: Person, given: str, error: type[Exception]
) -> None:
    (refused,) = cat.registry.outbox()

    with pytest.raises(error):
        cat.registry.amend(refused.id, {"version": given})

    assert cat.registry.outbox() == [refused]


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
