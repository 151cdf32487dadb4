"""Copies: what a version or model is called, on the clipboard."""

import json

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from tests.tui.acts import at_model, at_version, press, told, write
from tests.tui.conftest import MakeApp

SIX = "nlp/sentiment@6"


@pytest.mark.parametrize(
    ("words", "attribute"),
    [("reference", "reference"), ("short", "short_id"), ("digest", "digest")],
)
async def test_a_name_of_a_version_is_copied(
    app: RegtuiApp, sample: Registry, words: str, attribute: str
) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "y")
        await write(pilot, words, "enter")

    assert app.clipboard == getattr(sample.version(SIX), attribute)
    assert "copied" in told(app)


async def test_the_reference_comes_first_and_the_alias_after_it(app: RegtuiApp) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "y", "enter")
        assert app.clipboard == SIX
        await press(pilot, "y", "down", "enter")
        assert app.clipboard == "nlp/sentiment@candidate"


async def test_everything_of_a_version_is_copied_as_json(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "y")
        await write(pilot, "json", "enter")

    version = json.loads(app.clipboard)["version"]
    assert (version["id"], version["number"]) == (sample.version(SIX).id, 6)


async def test_the_path_of_one_of_several_files_is_copied(app: RegtuiApp, sample: Registry) -> None:
    async with at_version(app, SIX) as pilot:
        await press(pilot, "y")
        await write(pilot, "path", "enter")
        await write(pilot, "safetensors", "enter")

    assert app.clipboard == str(sample.path(SIX, "model.safetensors"))


async def test_the_path_of_a_single_file_is_copied_at_once(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_version(app, "vision/名刺@1") as pilot:
        await press(pilot, "y")
        await write(pilot, "path", "enter")

    assert app.clipboard == str(sample.path("vision/名刺@1"))


async def test_a_path_of_a_file_that_is_gone_is_not_copied(
    app: RegtuiApp, sample: Registry
) -> None:
    sample.path("vision/名刺@1").unlink()
    async with at_version(app, "vision/名刺@1") as pilot:
        await press(pilot, "y")
        await write(pilot, "path", "enter")

    assert app.clipboard == ""
    assert "are not here" in told(app)


async def test_what_a_model_is_called_is_copied_in_a_read_only_app_too(
    make_app: MakeApp, sample: Registry
) -> None:
    app = make_app(read_only=True)
    async with at_model(app, "vision/名刺") as pilot:
        await press(pilot, "y", "enter")
        assert app.clipboard == "vision/名刺"
        await press(pilot, "y", "down", "enter")
        assert app.clipboard == sample.model("vision/名刺").id
        await press(pilot, "y")
        await write(pilot, "json", "enter")

    assert json.loads(app.clipboard)["model"]["versions"] == 1
