"""Aliases: set, made, removed and moved back from the list of versions."""

from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import alias_id, user_id
from regtui.core.operations import AliasBody, AliasSet, Change, encode_operation
from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from tests.tui.acts import at_version, mark, press, told, write
from tests.tui.driving import models_screen, screen_text

FIVE, SIX = "nlp/sentiment@5", "nlp/sentiment@6"


def places(registry: Registry) -> dict[str, int | None]:
    return {alias.alias: alias.number for alias in registry.aliases("nlp/sentiment")}


def contest(registry: Registry) -> None:
    """Let ben, elsewhere and not knowing what stands here, point champion to version 4."""
    ben = Actor(user_id("ben"), "ben", (Grant(Role.ADMIN, "*"),))
    model = registry.model("nlp/sentiment").id
    operation = AliasSet(
        id=f"01a20b10-0000-7000-8000-{ben.id[-12:]}",
        replica=ben.id,
        n=1,
        at=1,
        actor=ben.id,
        stream=model,
        entity=alias_id(model, "champion"),
        body=AliasBody("champion", {"version": Change(registry.version("nlp/sentiment@4").id)}),
        via="cli",
        session="s",
    )
    with registry.context.writing() as authority:
        authority.receive(encode_operation(operation), ben)


async def test_an_alias_that_is_there_moves_to_the_version(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "a")
        assert "champion  moves here from @5" in screen_text(app)
        await press(pilot, "enter")
        assert places(sample) == {"candidate": 6, "champion": 6}
        assert "champion points to nlp/sentiment@6, was at @5" in told(app)
        assert "$ regtui alias set nlp/sentiment@6 champion" in told(app)
        await press(pilot, "u")

    assert places(sample) == {"candidate": 6, "champion": 5}


async def test_a_new_alias_is_typed(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "a")
        await write(pilot, "Shadow", "enter")

    assert places(sample)["shadow"] == 6


async def test_a_name_that_can_be_no_alias_says_why(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "a")
        await write(pilot, "latest")
        assert "is reserved" in screen_text(app)
        await press(pilot, "enter", "escape")

    assert "latest" not in places(sample)


async def test_an_alias_is_taken_away(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "a")
        await write(pilot, "remove", "enter")

    assert places(sample) == {"champion": 5}
    assert "$ regtui alias rm nlp/sentiment@candidate" in told(app)


async def test_a_contested_alias_says_so_and_can_be_set(app: RegtuiApp, sample: Registry) -> None:
    contest(sample)
    (conflict,) = sample.conflicts()
    async with at_version(app, SIX) as pilot:
        await press(pilot, "a")
        assert "champion  moves here from @5 (contested: `regtui resolve" in screen_text(app)
        assert conflict.id[:8] in screen_text(app)
        await press(pilot, "enter")

    assert places(sample)["champion"] == 6


async def test_an_alias_goes_back_to_where_it_pointed_before(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, FIVE) as pilot:
        await press(pilot, "R")
        assert "champion  goes from @5 back to @3" in screen_text(app)
        assert "candidate  is at @6 and was nowhere before" in screen_text(app)
        await press(pilot, "enter")

    assert places(sample) == {"candidate": 6, "champion": 3}
    assert "nlp/sentiment@champion is at nlp/sentiment@3, was at nlp/sentiment@5" in told(app)


async def test_a_model_without_aliases_has_none_to_move_back(app: RegtuiApp) -> None:
    async with at_version(app, "vision/digits@3") as pilot:
        await press(pilot, "R")
        assert app.screen is models_screen(app)
        assert "vision/digits has no aliases" in told(app)


async def test_no_alias_is_set_to_what_was_archived_meanwhile(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, "nlp/sentiment@4") as pilot:
        await mark(pilot, app, ["nlp/sentiment@4"])  # the row stays marked as it was
        sample.change_state("version", "nlp/sentiment@4", "archive")
        await press(pilot, "a")
        assert app.screen is models_screen(app)
        assert "nlp/sentiment@4 is archived" in told(app)
