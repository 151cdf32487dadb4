"""Policies in the settings: listed, tried, written with a dry run first, and taken away."""

from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.acting import READ_ONLY
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.settings import SettingsScreen
from tests.tui.driving import Driven, press, screen_text, shows, until
from tests.tui.joined import app_on
from tests.tui.producing import POLICY, produced
from tests.tui.watching import running, told

STRICT = '[[policy]]\nname = "careful"\nmodels = "nlp/*"\nalias = "champion"\nsigned = true\n'


@pytest.fixture
def production(sample: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the sample with a policy."""
    return produced(sample.home, monkeypatch)


@pytest.fixture
def app(production: Registry, tmp_path: Path) -> RegtuiApp:
    """Return ann's app on it."""
    return app_on(production, tmp_path)


async def at_policies(pilot: Driven) -> SettingsScreen:
    await press(pilot, "8", "h", "h")
    screen = pilot.app.screen
    assert isinstance(screen, SettingsScreen)
    assert screen.tabs.chosen == "policies"
    return screen


async def test_the_policies_are_listed_without_a_server(app: RegtuiApp) -> None:
    async with running(app, (120, 36)) as pilot:
        screen = await at_policies(pilot)
        assert screen.current is not None
        assert screen.current.cells[:3] == ("production", "nlp/*", "@production")
        assert "1 approval, " in screen_text(app)


async def test_t_tries_a_policy_on_the_versions_that_are_there(app: RegtuiApp) -> None:
    async with running(app, (120, 36)) as pilot:
        await at_policies(pilot)
        await press(pilot, "t")
        text = screen_text(app)

    assert "6 of 6 versions would pass" in text
    assert "✓ nlp/sentiment@5  (is there now)" in text
    assert "$ regtui policy test production" in text


async def test_n_writes_a_policy_and_puts_it_after_a_dry_run(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app, (120, 36)) as pilot:
        await at_policies(pilot)
        await press(pilot, "n")
        editor = app.screen
        assert isinstance(editor, Editor)
        editor.show_text("[[policy]]\nname = ")
        await press(pilot, "ctrl+s")
        assert "the text is no TOML" in told(app)
        assert isinstance(app.screen, Editor)

        app.screen.show_text(STRICT)
        await press(pilot, "ctrl+s")
        await shows(pilot, "0 of 6 versions would pass; out of policy, though it is there:")
        await press(pilot, "n")
        assert app.screen is editor
        assert [one.policy for one in production.policies()] == ["production"]

        await press(pilot, "ctrl+s")
        await press(pilot, "y")
        await until(pilot, lambda: "careful protects @champion of nlp/*" in told(app))
        await shows(pilot, "careful")
    assert production.policy("careful").definition == {"alias": "champion", "signed": True}


async def test_e_changes_a_policy(app: RegtuiApp, production: Registry) -> None:
    async with running(app, (120, 36)) as pilot:
        await at_policies(pilot)
        await press(pilot, "e")
        editor = app.screen
        assert isinstance(editor, Editor)
        assert 'metadata = ["card.license", "description"]' in editor.text
        editor.show_text(editor.text.replace("approvals = 1", "approvals = 2"))
        await press(pilot, "ctrl+s")
        await press(pilot, "y")

        await until(pilot, lambda: "regtui policy put" in told(app))
    wanted = {key: POLICY[key] for key in POLICY if key not in {"name", "models"}}
    assert production.policy("production").definition == {**wanted, "approvals": 2}


async def test_a_policy_that_somebody_changed_meanwhile_is_not_put_over(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app, (120, 36)) as pilot:
        await at_policies(pilot)
        await press(pilot, "e")
        editor = app.screen
        assert isinstance(editor, Editor)
        production.put_policies([{**POLICY, "signed": True}])
        editor.show_text(editor.text + "four_eyes = true\n")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "somebody changed the policy production" in told(app))
        assert isinstance(app.screen, Editor)
    assert production.policy("production").definition["signed"] is True


async def test_x_takes_a_policy_away_after_a_yes(app: RegtuiApp, production: Registry) -> None:
    async with running(app, (120, 36)) as pilot:
        await at_policies(pilot)
        await press(pilot, "x")
        await press(pilot, "y")

        await until(pilot, lambda: "$ regtui policy rm production" in told(app))
        await shows(pilot, "nothing is protected; n writes a policy")
    assert production.policies() == []


async def test_a_read_only_app_tries_policies_and_changes_none(
    production: Registry, tmp_path: Path
) -> None:
    app = app_on(production, tmp_path, read_only=True)
    async with running(app, (120, 36)) as pilot:
        screen = await at_policies(pilot)
        await press(pilot, "e", "x", "enter")
        assert app.screen is screen
        await press(pilot, "t")
        assert app.screen is not screen
    assert READ_ONLY in told(app)
