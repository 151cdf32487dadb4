"""Intents of more operations than a server takes at once."""

from pathlib import Path
from unittest.mock import patch

import pytest

import regtui
from regtui.core.errors import BadInput
from regtui.core.operations import decode_operation
from regtui.registry.reminting import Reminter
from tests.sync.test_cases import capture
from tests.sync.world import Person


def versions(person: Person, count: int) -> list[str]:
    for number in range(count):
        capture(person, f"content {number}")
    return [f"bert@{number + 1}" for number in range(count)]


def test_what_no_server_would_take_is_refused_at_once_and_whole(ann: Person) -> None:
    three = versions(ann, 3)
    ann.sync()
    with (
        patch("regtui.replica.authority.GROUP_LIMIT", 2),
        pytest.raises(BadInput, match="2 changes at once"),
    ):
        ann.registry.edit_all(three, {"tags/a": "b"})
    assert ann.registry.outbox() == []
    ann.registry.edit_all(three, {"tags/a": "b"})
    assert ann.sync().accepted == 3


def test_one_of_a_solo_registry_is_published_as_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    solo = regtui.open(tmp_path / "solo")
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
        solo.capture(tmp_path / name, model="m")
    solo.edit_all(["m@1", "m@2", "m@3"], {"tags/a": "b"})
    rows = solo.sql("select bytes from base.operation order by seq").rows
    operations = [decode_operation(row[0].encode()) for row in rows]
    edits = [one for one in operations if one.kind == "version.edit"]
    assert len({one.group for one in edits}) == 1
    reminter = Reminter("019a0000-0000-7000-8000-000000000000", operations[0].replica)
    context = solo.context
    with (
        patch("regtui.registry.reminting.GROUP_LIMIT", 2),
        context.replica.writing(context.actor, "cli", "s") as authority,
    ):
        made = [reminter.remint(one, authority) for one in edits]
    groups = [one.group for one in made]
    assert groups[0] == groups[1]
    assert groups[2] not in {None, groups[0]}
