"""Models: made, archived, deleted and brought back from the tree."""

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from tests.tui.acts import at_model, press, told, write
from tests.tui.driving import models_screen, screen_text


async def test_a_model_is_made_beside_the_one_under_the_cursor(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_model(app, "nlp/sentiment") as pilot:
        await press(pilot, "n")
        await write(pilot, "Toxicity", "enter")
        assert sample.model("nlp/toxicity").display_name == "nlp/Toxicity"
        assert "$ regtui model create nlp/Toxicity" in told(app)
        assert models_screen(app).model_tree.current is not None
        await press(pilot, "u")

    assert [model.model for model in sample.models("nlp")] == ["nlp/sentiment"]


async def test_a_model_is_made_in_the_folder_under_the_cursor(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_model(app, "vision") as pilot:
        await press(pilot, "n")
        await write(pilot, "[red]", "enter")

    assert sample.model("vision/[red]").versions == 0


async def test_a_malformed_name_is_refused_while_one_types(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_model(app, "vision") as pilot:
        await press(pilot, "n")
        await write(pilot, "a b", "enter")
        assert "contains ' '" in screen_text(app)
        await press(pilot, "escape")

    assert len(sample.models()) == 3


async def test_a_name_that_is_taken_makes_nothing(app: RegtuiApp) -> None:
    async with at_model(app, "vision") as pilot:
        await press(pilot, "n")
        await write(pilot, "digits", "enter")

    assert "there is a model vision/digits already" in told(app)


@pytest.mark.parametrize(("key", "state"), [("A", "archived"), ("D", "deleted")])
async def test_a_model_leaves_after_a_yes_and_comes_back_by_undo(
    app: RegtuiApp, sample: Registry, key: str, state: str
) -> None:
    async with at_model(app, "vision/digits") as pilot:
        await press(pilot, key)
        assert "vision/digits and its 3 versions will leave the lists" in screen_text(app)
        await press(pilot, "n")
        assert sample.model("vision/digits").state == "active"
        await press(pilot, key, "y")
        assert [m.model for m in sample.models(state=state)] == ["vision/digits"]
        await press(pilot, "u")

    assert sample.model("vision/digits").state == "active"


async def test_a_model_that_went_meanwhile_is_told_of(app: RegtuiApp, sample: Registry) -> None:
    async with at_model(app, "vision/digits") as pilot:
        await press(pilot, "D")
        sample.change_state("model", "vision/digits", "delete")
        await press(pilot, "y")

    assert "the model 'vision/digits' is deleted" in told(app)
