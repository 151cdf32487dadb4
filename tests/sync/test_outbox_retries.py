"""What was refused and is tried again: on what others did meanwhile, with all that it had."""

from pathlib import Path

import pytest

from tests.sync.test_cases import capture
from tests.sync.world import Person, World, signed_in

CARD = "".join(f"line {number}\n" for number in range(12))


@pytest.fixture
def ben(world: World, ann: Person) -> Person:
    ann.registry.create_model("bert", {"card": CARD})
    ann.sync()
    world.grant("ben", "maintainer", "*")
    ben = signed_in(world, "ben")
    ben.sync()
    return ben


def refused(world: World, ben: Person) -> None:
    """Let what ben did be refused, and him have his right again."""
    world.grant("ben", "viewer", "*")
    assert ben.sync().rejected > 0
    world.grant("ben", "maintainer", "*")
    ben.sync()


def test_a_text_that_is_tried_again_keeps_what_others_wrote(
    world: World, ann: Person, ben: Person
) -> None:
    ben.registry.edit("bert", {"card": CARD.replace("line 1\n", "line 1 by ben\n")})
    refused(world, ben)
    ann.registry.edit("bert", {"card": CARD.replace("line 10\n", "line 10 by ann\n")})
    ann.sync()
    ben.sync()
    ben.registry.retry()
    ben.sync()
    ann.sync()
    card = ann.registry.card("bert")
    assert "line 1 by ben\n" in card
    assert "line 10 by ann\n" in card


@pytest.mark.parametrize("sends", [True, False])
def test_a_capture_that_is_tried_again_has_its_files(
    world: World, ben: Person, ann: Person, tmp_path: Path, sends: bool
) -> None:
    capture(ben, "mine")
    refused(world, ben)
    ben.registry.retry()
    if sends:
        assert ben.sync().accepted == 1
        ann.sync()
        assert ann.registry.version("bert@1").files == 1
    ben.registry.checkout("bert@latest", tmp_path / "out")
    assert [path.read_text() for path in (tmp_path / "out").rglob("*.bin")] == ["mine"]
    assert ben.registry.doctor().healthy


def test_a_capture_that_is_let_go_leaves_nothing(world: World, ben: Person) -> None:
    capture(ben, "mine")
    refused(world, ben)
    assert ben.table("select count(*) from base.file") == [(1,)]  # it may be tried again
    ben.registry.discard()
    assert ben.table("select count(*) from base.file") == [(0,)]


def test_captures_of_one_content_each_have_their_files(world: World, ben: Person) -> None:
    capture(ben, "same")
    capture(ben, "same", model="other")
    refused(world, ben)
    listed = "select count(*), count(distinct version) from base.file"
    assert ben.table(listed) == [(2, 2)]
    ben.registry.retry()
    assert ben.table(listed) == [(2, 2)]
    assert ben.sync().rejected == 0
    assert [ben.registry.version(f"{model}@1").files for model in ("bert", "other")] == [1, 1]
    assert ben.registry.doctor().healthy
