"""The settings: the server, who may do what there, and what a person chose in this app."""

from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from regtui.tui.screens.settings import SettingsScreen
from tests.tui.conftest import MakeApp
from tests.tui.driving import Driven, press, screen_text, shows, until
from tests.tui.joined import Lab, app_on
from tests.tui.watching import rewrite, running, told

PLACES = ("server", "people", "teams", "grants", "tokens", "replicas", "policies", "app")


async def at_tab(pilot: Driven, name: str) -> SettingsScreen:
    await press(pilot, "8")
    screen = pilot.app.screen
    assert isinstance(screen, SettingsScreen)
    screen.tabs.choose(name)
    await press(pilot)
    return screen


def on_row(app: RegtuiApp, text: str) -> None:
    """Put the cursor on the row that shows a text."""
    screen = app.screen
    assert isinstance(screen, SettingsScreen)
    rows = [screen.table.row(place) for place in range(screen.table.total)]
    place = next(n for n, row in enumerate(rows) if row is not None and text in row.cells)
    screen.table.go_to(str(place + 1))


async def test_an_admin_looks_after_people_teams_grants_tokens_and_replicas(
    lab: Lab, tmp_path: Path
) -> None:
    ann = lab.ann
    app = app_on(ann, tmp_path)
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "escape")  # the first steps
        await at_tab(pilot, "server")
        await shows(pilot, lab.server.url)
        await shows(pilot, "admin in *")

        await at_tab(pilot, "people")
        await press(pilot, "n")
        await rewrite(pilot, "ben", "enter")
        await until(pilot, lambda: "$ regtui user add ben" in told(app))
        await shows(pilot, "ben")
        on_row(app, "ben")
        await press(pilot, "x")
        await press(pilot, "y")
        await until(pilot, lambda: ann.user("ben").state == "disabled")
        await until(pilot, lambda: "regtui user set ben --state disabled" in told(app))
        await shows(pilot, "disabled")
        on_row(app, "ben")
        await press(pilot, "x")
        await until(pilot, lambda: ann.user("ben").state == "active")

        await at_tab(pilot, "teams")
        await press(pilot, "n")
        await rewrite(pilot, "nlp", "enter")
        await rewrite(pilot, "ann ben", "enter")
        await until(pilot, lambda: "$ regtui team add nlp ann ben" in told(app))
        await shows(pilot, "ann, ben")

        await looks_after_rights(pilot, app, ann)


async def looks_after_rights(pilot: Driven, app: RegtuiApp, ann: Registry) -> None:
    await at_tab(pilot, "grants")
    await press(pilot, "n")
    await press(pilot, *"team", "enter")
    await rewrite(pilot, "nlp/*", "enter")
    await press(pilot, *"viewer", "enter")
    await until(pilot, lambda: "$ regtui grant add team:nlp viewer 'nlp/*'" in told(app))
    on_row(app, "team:nlp")
    await press(pilot, "x")
    await press(pilot, "y")
    await until(pilot, lambda: [one.holder for one in ann.grants()] == ["ann"])

    await at_tab(pilot, "tokens")
    await press(pilot, "n")
    await press(pilot, *"ben", "enter")
    await press(pilot, "enter")
    await shows(pilot, "It is shown this once")
    assert "regtui_" in screen_text(app)
    await press(pilot, "escape")
    await shows(pilot, "ben")
    on_row(app, "ben")
    await press(pilot, "x")
    await press(pilot, "y")
    await until(pilot, lambda: [one.state for one in ann.tokens("ben")] == ["revoked"])
    (token,) = ann.tokens("ben")
    await until(pilot, lambda: f"$ regtui token revoke {token.id[-8:]}" in told(app))

    await at_tab(pilot, "replicas")
    await shows(pilot, "(this one)")
    await press(pilot, "x")
    await shows(pilot, "It is the registry that is open here.")
    await press(pilot, "n")


async def test_who_is_no_admin_sees_himself_and_is_told_what_he_may_not(
    lab: Lab, tmp_path: Path
) -> None:
    app = app_on(lab.person("ben"), tmp_path)
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "escape")
        screen = await at_tab(pilot, "people")
        await shows(pilot, "contributor in nlp/*")
        assert screen.table.total == 1
        await press(pilot, "n")
        await rewrite(pilot, "carl", "enter")
        await until(pilot, lambda: "admin" in told(app))


async def test_a_server_that_does_not_answer_is_told_in_the_place_of_its_rows(
    lab: Lab, tmp_path: Path
) -> None:
    app = app_on(lab.ann, tmp_path)
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "escape")
        lab.kill()
        await at_tab(pilot, "grants")
        await shows(pilot, "does not answer")
        await shows(pilot, "f5 asks again")
        lab.revive()
        await press(pilot, "f5")
        await shows(pilot, "admin")


@pytest.mark.parametrize("tab", PLACES)
async def test_without_a_server_every_tab_says_what_to_do(make_app: MakeApp, tab: str) -> None:
    app = make_app()
    async with running(app, (80, 24)) as pilot:
        screen = await at_tab(pilot, tab)
        text, total = screen_text(app), screen.table.total
        await press(pilot, "e", "x", "c")
        assert isinstance(app.screen, SettingsScreen) or tab == "app"
    if tab == "app":
        assert "Sync by itself" in text
    else:
        assert any(said in text for said in ("connects to one", "signs in", "writes a policy"))
    assert total == 0 or tab == "app"


async def test_theme_and_syncing_are_chosen_and_kept(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await at_tab(pilot, "app")
        await press(pilot, "enter", *"high-contrast", "enter")
        await until(pilot, lambda: app.theme == "high-contrast")
        on_row(app, "Sync by itself")
        await press(pilot, "e")
        await shows(pilot, "no, with the key alone")
    kept = AppConfig(tmp_path / "app.toml")
    assert kept.theme == "high-contrast"
    assert not kept.sync


async def test_a_key_is_chosen_works_at_once_and_is_kept(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    async with running(app) as pilot:
        await at_tab(pilot, "app")
        on_row(app, "app.watch")
        await press(pilot, "e")
        await rewrite(pilot, "u")
        await shows(pilot, "does both")
        await rewrite(pilot, "W, 5", "enter")
        await until(pilot, lambda: app.config.keys == {"app.watch": "W,5"})
        await press(pilot, "W")
        assert app.current_mode == "watch"
        await at_tab(pilot, "app")
        on_row(app, "app.watch")
        await press(pilot, "x")
        await press(pilot, "W")
        assert app.current_mode == "settings"
        await press(pilot, "5")
        assert app.current_mode == "watch"
    assert AppConfig(tmp_path / "app.toml").keys == {}
