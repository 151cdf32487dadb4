"""Hooks with a server: they run for what it accepted, by whoever made it, once in each home."""

from pathlib import Path

import pytest

from tests.sync.world import Person, World, signed_in


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_HOOKS", "off")


def capture(person: Person, folder: Path, content: str) -> None:
    file = folder / f"{content}.bin"
    file.write_text(content)
    person.registry.capture(file, model="nlp/bert")


def ran(person: Person) -> list[str]:
    return [run.summary for run in person.registry.run_hooks()]


def test_what_waits_runs_none_and_what_was_accepted_runs_each_once_in_every_home(
    ann: Person, ben: Person, tmp_path: Path
) -> None:
    for person in (ann, ben):
        person.sync()
        person.registry.add_hook(["version"], "true")
    capture(ann, tmp_path, "one")
    assert ran(ann) == []
    ann.sync()
    ben.sync()

    assert ran(ann) == ran(ben) == ["captured nlp/bert@1"]
    ann.sync()
    ben.sync()
    assert ran(ann) == ran(ben) == []


def test_the_history_that_a_first_sync_brings_is_no_news(
    world: World, ann: Person, tmp_path: Path
) -> None:
    capture(ann, tmp_path, "one")
    ann.sync()
    world.grant("carl", "viewer", "*")
    carl = signed_in(world, "carl")
    carl.registry.add_hook(["*"], "true")
    carl.sync()

    assert ran(carl) == []
    capture(ann, tmp_path, "two")
    ann.sync()
    carl.sync()
    assert ran(carl) == ["captured nlp/bert@2"]
