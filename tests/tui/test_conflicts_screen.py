"""The conflicts screen: what people set without seeing each other, and what the server refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.registry import Registry, open_registry
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.conflicts import ConflictsScreen
from regtui.tui.screens.editor import Editor
from tests.sync.world import Person, World
from tests.tui.conftest import MakeApp
from tests.tui.driving import Driven, press, screen_text, shows, until
from tests.tui.joined import app_on
from tests.tui.watching import rewrite, running, told

CARD = "# Bert\n\nTells {} from {}.\n\n## Use\n\nAll.\n"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[Person, Person]]:
    """Return two people who have the same model."""
    world = World(tmp_path / "world")
    for name in ("ann", "ben"):
        world.grant(name, "contributor", "*")
    ann, ben = world.person("ann"), world.person("ben")
    file = tmp_path / "weights.bin"
    file.write_text("weights")
    ann.registry.capture(file, model="bert", description="the first")
    ann.registry.edit("bert", {"card": CARD.format("good", "bad")})
    ann.sync()
    ben.sync()
    yield ann, ben
    world.close()


def quarrel(ann: Person, ben: Person) -> None:
    """Let both change the same without seeing each other; ann comes first."""
    ann.registry.edit("bert@1", {"description": "ann's"})
    ben.registry.edit("bert@1", {"description": "ben's"})
    ann.registry.edit("bert", {"card": CARD.format("good", "evil")})
    ben.registry.edit("bert", {"card": CARD.format("fine", "bad")})
    ann.sync()
    ben.sync()


@pytest.fixture
def contested(people: tuple[Person, Person]) -> Registry:
    """Return ben's registry, with a conflict about a description and one about a card."""
    ann, ben = people
    quarrel(ann, ben)
    return left(ben)


@pytest.fixture
def refused(people: tuple[Person, Person], tmp_path: Path) -> Registry:
    """Return ben's registry, with three operations that were refused and one that waits."""
    _, ben = people
    ben.world.grant("ben", "viewer", "*")
    file = tmp_path / "weights.bin"
    file.write_text("others")
    ben.registry.capture(file, model="other")
    ben.registry.edit("bert@1", {"tags/env": "prod", "metrics/f1": 0.5})
    ben.sync()
    ben.world.grant("ben", "contributor", "*")
    ben.sync()
    ben.registry.edit("bert@1", {"tags/stage": "late"})
    return left(ben)


def left(person: Person) -> Registry:
    """Return somebody's registry, which other processes may open now."""
    home = person.replica.home.path
    person.replica.close()
    return open_registry(home, via="app")


async def at_conflicts(pilot: Driven) -> ConflictsScreen:
    await press(pilot, "6")
    screen = pilot.app.screen
    assert isinstance(screen, ConflictsScreen)
    return screen


def on_field(app: RegtuiApp, field: str) -> None:
    """Put the cursor on the conflict about a field."""
    screen = app.screen
    assert isinstance(screen, ConflictsScreen)
    table = screen.conflicts
    rows = [table.row(place) for place in range(table.total)]
    table.go_to(str(1 + [row.field for row in rows if row].index(field)))


async def test_a_conflict_is_told_with_what_was_what_stands_and_what_is_wanted(
    contested: Registry, tmp_path: Path
) -> None:
    app = app_on(contested, tmp_path)
    async with running(app, (160, 48)) as pilot:
        assert "⚠2" in screen_text(app).splitlines()[0]
        await at_conflicts(pilot)
        on_field(app, "description")
        await press(pilot)
        text = screen_text(app)

    assert "bert@1  description" in text
    for name, author, value in (
        ("before", "ann", "the first"),
        ("stands", "ann", "ann's"),
        ("mine", "ben", "ben's"),
    ):
        assert name in text
        assert f"by {author}" in text
        assert value in text


async def test_of_texts_the_lines_that_differ_are_told_apart_with_signs(
    contested: Registry, tmp_path: Path
) -> None:
    app = app_on(contested, tmp_path)
    async with running(app, (80, 40)) as pilot:
        await at_conflicts(pilot)
        on_field(app, "card")
        await shows(pilot, "-Tells good from evil.")
        await shows(pilot, "+Tells fine from bad.")


@pytest.mark.parametrize(
    ("key", "value", "option"), [("t", "ann's", "--theirs"), ("m", "ben's", "--mine")]
)
async def test_a_key_settles_a_conflict_and_tells_the_command(
    contested: Registry, tmp_path: Path, key: str, value: str, option: str
) -> None:
    app = app_on(contested, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        on_field(app, "description")
        await press(pilot, key)

        await until(pilot, lambda: option in told(app))
        assert "$ regtui resolve " in told(app)
    assert contested.version("bert@1").description == value
    assert len(contested.conflicts()) == 1


async def test_enter_asks_which_value_shall_stand(contested: Registry, tmp_path: Path) -> None:
    app = app_on(contested, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        on_field(app, "description")
        await press(pilot, "enter")
        await shows(pilot, "which value shall stand?")
        await press(pilot, *"take", "enter")

        await until(pilot, lambda: "--take" in told(app))
    assert contested.version("bert@1").description == "ben's"


async def test_a_text_is_settled_in_the_editor_once_no_mark_is_left(
    contested: Registry, tmp_path: Path
) -> None:
    app = app_on(contested, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        on_field(app, "card")
        await press(pilot, "e")
        assert isinstance(app.screen, Editor)
        assert "<<<<<<< what stands, by ann" in app.screen.text
        app.screen.show_text(app.screen.text + "more\n")
        await press(pilot, "ctrl+s")
        assert "both sides are still in the text" in told(app)

        app.screen.show_text("# Bert\n\nBoth.\n")
        await press(pilot, "ctrl+s")

        await until(pilot, lambda: not isinstance(app.screen, Editor))
    assert contested.card("bert") == "# Bert\n\nBoth.\n"
    assert [one.field for one in contested.conflicts()] == ["description"]


async def test_settled_conflicts_are_shown_when_wanted_and_not_settled_again(
    contested: Registry, tmp_path: Path
) -> None:
    app = app_on(contested, tmp_path)
    async with running(app, (160, 40)) as pilot:
        await at_conflicts(pilot)
        on_field(app, "description")
        await press(pilot, "t")
        await until(pilot, lambda: len(contested.conflicts()) == 1)
        await press(pilot, "f")
        on_field(app, "description")
        await press(pilot)
        await shows(pilot, "settled by ben")

        await press(pilot, "m")

        assert "it is settled already" in told(app)


async def test_what_was_refused_is_a_tree_with_its_reasons(
    refused: Registry, tmp_path: Path
) -> None:
    app = app_on(refused, tmp_path)
    async with running(app, (160, 40)) as pilot:
        title = screen_text(app).splitlines()[0]
        assert "✗3" in title
        assert "↑1" in title
        screen = await at_conflicts(pilot)
        rows = [screen.outbox.row(place) for place in range(screen.outbox.total)]

    shown = [(row.entry.kind, row.entry.state, row.depth) for row in rows if row]
    assert shown == [
        ("model.create", "refused", 0),
        ("version.capture", "refused", 1),
        ("version.edit", "refused", 0),
        ("version.edit", "waiting", 0),
    ]


async def test_what_was_refused_is_made_again(refused: Registry, tmp_path: Path) -> None:
    app = app_on(refused, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        await press(pilot, "j", "j", "r")

        await until(pilot, lambda: "1 change made again" in told(app))
        assert "$ regtui outbox retry " in told(app)
    states = [(one.kind, one.state) for one in refused.outbox()]
    assert states.count(("version.edit", "waiting")) == 2
    assert refused.version("bert@1").tags["env"] == "prod"


async def test_what_was_refused_is_made_with_other_values(
    refused: Registry, tmp_path: Path
) -> None:
    app = app_on(refused, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        await press(pilot, "j", "j", "e", *"tags", "enter")
        await rewrite(pilot, "dev", "enter")
        await press(pilot, "enter")

        await until(pilot, lambda: "1 change made otherwise" in told(app))
        assert "--set tags/env=dev" in told(app)
    assert refused.version("bert@1").tags["env"] == "dev"
    assert refused.version("bert@1").metrics["f1"] == 0.5


@pytest.mark.parametrize(("keys", "kept"), [(("x", "y"), 1), (("X", "y"), 0), (("X", "n"), 3)])
async def test_what_was_refused_is_let_go_after_a_yes(
    refused: Registry, tmp_path: Path, keys: tuple[str, ...], kept: int
) -> None:
    app = app_on(refused, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        await press(pilot, *keys)
        await press(pilot)
    assert len([one for one in refused.outbox() if one.state == "refused"]) == kept


async def test_what_waits_is_not_retried_and_why_is_said(refused: Registry, tmp_path: Path) -> None:
    app = app_on(refused, tmp_path)
    async with running(app) as pilot:
        await at_conflicts(pilot)
        await press(pilot, "G", "r")
        assert "it waits for the server and was not refused" in told(app)


async def test_without_a_server_the_screen_says_what_to_do(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await at_conflicts(pilot)
        text = screen_text(app)
        await press(pilot, "m", "r")

    assert "no open conflicts" in text
    assert "no server decides about this registry; s connects to one" in text
    assert "put the cursor on" in told(app)
