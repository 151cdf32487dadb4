"""I20: a kill between every two operations of a sync leaves the state of before or of after.

Places are counted and not drawn: each statement, file operation, request and answer of a sync is
one. The next sync goes on by itself.
"""

import os
import shutil
from pathlib import Path

import pytest

from regtui.core.identity import model_id
from regtui.core.operations import Change, EditBody
from sync_server.examine import examine
from tests.sync.crashing import Dying
from tests.sync.world import Person, World

STRIDE = 31
"""Which part of the places the fast suite tries."""

CLOSER = int(os.environ.get("REGTUI_STRIDE", "5"))
"""Which part the slow suite tries; 1 is each of them."""


def every(start: int) -> list[object]:
    """Return the first places and how far apart they are: closer in the slow suite."""
    return [
        pytest.param(start, STRIDE, id="some"),
        pytest.param(1, CLOSER, id="more", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ]


def dying(world: World, home: str) -> Dying:
    person = Dying(world, "ann", world.folder / home)
    person.connect(8)
    person.wire_dies()
    return person


def edit_nine(person: Person, text: str) -> None:
    """Change more than a page of models in one unit of work."""
    with person.replica.writing(person.registry.context.actor, "cli", "s") as authority:
        for number in range(9):
            model = model_id(f"m{number:02}", 0)
            document = authority.view.document(model)
            assert document is not None
            change = Change(text, saw=document.stamp("description"))
            authority.submit("model.edit", model, model, EditBody({"description": change}))


def check_healed(world: World, ann: Person, ben: Person) -> None:
    """Let everybody sync, and check that nothing was lost or done twice."""
    ben.sync()
    ann.sync()
    assert ann.documents == ben.documents
    assert ann.table("select count(*) from base.outbox") == [(0,)]
    assert ann.table("select count(*) from base.shadow") == [(0,)]
    assert ann.table("select count(*) from base.staged") == [(0,)]


@pytest.mark.parametrize(("start", "stride"), every(3))
def test_a_sync_that_is_killed_anywhere_is_whole_or_did_not_happen(
    world: World, ben: Person, start: int, stride: int
) -> None:
    ann = dying(world, "dying")
    for place in range(12):  # more than a page
        ben.registry.create_model(f"m{place:02}")
    ben.sync()
    ann.sync()
    place = start
    while True:
        edit_nine(ben, f"{place}")
        ben.sync()
        ann.registry.edit("m11", {"description": f"{place}", "tags/x": f"{place}"})
        before = ann.documents
        with ann.death.at(place):
            ann.sync()
        found, ended = ann.documents, ann.death.count < place
        if not ended:
            ann.replica.close()  # whatever the process had in mind is gone
            ann.connect(8)
            ann.wire_dies()
        done = ann.client.sync()
        assert found in (before, ann.documents), f"neither before nor after: killed at {place}"
        assert done.rejected == 0
        check_healed(world, ann, ben)
        assert ben.registry.model("m11").description == f"{place}"
        if ended:
            break
        place += stride
    assert place > 40
    assert examine(world.database) == []
    ann.replica.close()


@pytest.mark.parametrize(("start", "stride"), every(5))
def test_a_first_sync_that_is_killed_anywhere_goes_on(
    world: World, ben: Person, start: int, stride: int
) -> None:
    for number in range(26):  # four pages, of which two are kept at once
        ben.registry.create_model(f"m{number:02}")
    ben.sync()
    template = dying(world, "template")
    template.registry.create_model("template", {"description": "waits"})
    template.replica.close()
    place, ended = start, False
    while not ended:
        home = Path(world.folder, f"home{place}")
        shutil.copytree(template.replica.home.path, home)  # a copy: it takes a key, too
        ann = Dying.__new__(Dying)
        ann.take_over(world, "ann", home)
        ann.connect(8, ahead=2)
        ann.wire_dies()
        before = ann.documents
        with ann.death.at(place):
            ann.sync()
        found, ended = ann.documents, ann.death.count < place
        ann.sync()
        assert found in (before, ann.documents), f"neither before nor after: killed at {place}"
        check_healed(world, ann, ben)
        assert ben.registry.model("template").description == "waits"
        ann.replica.close()
        place += stride
    assert place > 40
    assert examine(world.database) == []
