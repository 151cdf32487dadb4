"""Signing in from the app: with a token, with a code, with a history of its own; and out again."""

from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.screens.device import DeviceCode
from tests.tui.conftest import MakeApp
from tests.tui.driving import press, screen_text, shows, until
from tests.tui.joined import Lab, app_on
from tests.tui.watching import rewrite, running, told


async def test_an_empty_registry_joins_a_server_with_a_token_that_is_not_shown(
    lab: Lab, tmp_path: Path
) -> None:
    lab.capture(lab.ann, "ann's")
    lab.ann.sync()
    lab.ann.add_user("ben")
    lab.ann.add_grant("ben", "viewer", "nlp/*")
    token = lab.token("ben")
    app = app_on(lab.empty("ben"), tmp_path)
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "n")  # of the first steps
        await rewrite(pilot, "ftp://nowhere")
        await shows(pilot, "is no address of a server")
        await rewrite(pilot, lab.server.url, "enter")
        await press(pilot, "enter")
        await rewrite(pilot, token)
        assert token not in screen_text(app)
        await press(pilot, "enter")

        await until(pilot, lambda: "got" in told(app))
        await shows(pilot, "nlp/bert")
        assert "signed in as ben \n$ regtui login" in told(app)
        assert "ben" in screen_text(app).splitlines()[0]
        assert token not in told(app)


async def test_a_token_that_is_not_good_is_refused_and_the_app_goes_on(
    lab: Lab, tmp_path: Path
) -> None:
    registry = lab.empty("ben")
    registry.add_remote(lab.server.url)
    app = app_on(registry, tmp_path)
    async with running(app) as pilot:
        await press(pilot, "escape", "s", "enter")
        await rewrite(pilot, "regtui_wrong", "enter")
        await until(pilot, lambda: "ask an admin for another token" in told(app))
        assert "signed out" in screen_text(app).splitlines()[0]


async def test_a_machine_is_let_in_by_the_code_that_it_shows(lab: Lab, tmp_path: Path) -> None:
    registry = lab.empty("laptop")
    registry.add_remote(lab.server.url)
    app = app_on(registry, tmp_path)
    async with running(app) as pilot:
        await press(pilot, "escape", "s", *"code")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DeviceCode))
        assert isinstance(app.screen, DeviceCode)
        code = app.screen.code
        await shows(pilot, code)

        lab.ann.settle_device(code, approves=True)

        await until(pilot, lambda: "signed in as ann" in told(app))


async def test_a_registry_with_a_history_is_published_after_a_yes(
    lab: Lab, sample: Registry, make_app: MakeApp, tmp_path: Path
) -> None:
    solo = lab.empty("solo")
    lab.capture(solo, "solo's", "cv/digits")
    app = app_on(solo, tmp_path)
    async with running(app) as pilot:
        await press(pilot, "s")
        await rewrite(pilot, lab.server.url, "enter")
        await press(pilot, "enter")
        await rewrite(pilot, lab.token("ann"), "enter")
        await shows(pilot, "Publish this registry at")
        await shows(pilot, "cv/digits  1 version")
        assert "not published" in screen_text(app).splitlines()[0]
        await press(pilot, "y")
        await until(pilot, lambda: "$ regtui sync --publish" in told(app))
        await until(pilot, lambda: "sent 2 changes" in told(app))
    lab.ann.sync()
    assert lab.ann.version("cv/digits@1").author == "ann"


async def test_one_signs_out_after_a_yes_and_what_is_here_stays(lab: Lab, tmp_path: Path) -> None:
    lab.capture(lab.ann, "ann's")
    app = app_on(lab.ann, tmp_path)
    async with running(app) as pilot:
        await press(pilot, "8", "i")
        await shows(pilot, "2 changes wait till then")
        await press(pilot, "y")

        await shows(pilot, "signed out")
        assert "$ regtui logout" in told(app)
        assert lab.ann.version("nlp/bert@latest").author == "ann"


@pytest.mark.parametrize("key", ["i", "n", "x", "c"])
async def test_an_app_that_changes_nothing_signs_nobody_in(make_app: MakeApp, key: str) -> None:
    app = make_app(read_only=True)
    async with running(app) as pilot:
        await press(pilot, "8", key)
        assert "this app is read-only" in told(app)
