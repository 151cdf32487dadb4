"""The deployments screen: what is live where, what was, and what can be done about it."""

from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from rich.theme import Theme

from regtui.registry import Registry
from regtui.registry.answers_production import DeploymentAnswer
from regtui.tui.acting import READ_ONLY
from regtui.tui.app import RegtuiApp
from regtui.tui.deployment_view import blocks, cell_text, places
from regtui.tui.screens.deployments import DeploymentsScreen
from tests.tui.driving import Driven, models_screen, press, screen_text, shows, until
from tests.tui.joined import app_on
from tests.tui.producing import produced
from tests.tui.watching import running, told


@pytest.fixture
def production(sample: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the sample with something deployed in three environments."""
    return produced(sample.home, monkeypatch)


@pytest.fixture
def app(production: Registry, tmp_path: Path) -> RegtuiApp:
    """Return ann's app on it."""
    return app_on(production, tmp_path)


async def at_deployments(pilot: Driven) -> DeploymentsScreen:
    await press(pilot, "4")
    screen = pilot.app.screen
    assert isinstance(screen, DeploymentsScreen)
    return screen


def live(registry: Registry, environment: str) -> list[str]:
    found = registry.deployments(environment=environment)
    return sorted(one.version for one in found if one.state == "live")


async def test_models_stand_below_each_other_and_environments_side_by_side(
    app: RegtuiApp,
) -> None:
    async with running(app, (120, 36)) as pilot:
        screen = await at_deployments(pilot)
        rows = [screen.grid.row(place) for place in range(screen.grid.total)]
        assert [(row.called, sorted(row.cells)) for row in rows if row] == [
            ("nlp/sentiment", ["production", "staging"]),
            ("vision/digits eu-1", ["edge"]),
            ("vision/digits us-1", ["edge"]),
        ]
        assert screen.grid.environment == "production"
        await shows(pilot, "https://api.test/sentiment")
        assert "@2 pending" in screen_text(app)

        await press(pilot, "l")
        assert screen.grid.environment == "staging"
        await press(pilot, "h", "h", "j")
        assert [one.version for one in screen.running] == ["vision/digits@3"]


async def test_enter_shows_the_history_of_the_environment_and_esc_leaves_it(
    app: RegtuiApp,
) -> None:
    async with running(app, (160, 40)) as pilot:
        screen = await at_deployments(pilot)
        await press(pilot, "enter")
        rows = [screen.timeline.row(place) for place in range(screen.timeline.total)]
        assert [(row.version[-2:], row.state) for row in rows if row] == [
            ("@6", "live"),
            ("@5", "live"),
            ("@3", "stopped"),
            ("@4", "rolled_back"),
            ("@3", "stopped"),
        ]
        assert "went back: worse on long reviews" in screen_text(app)
        assert "history of production" in screen_text(app)

        await press(pilot, "j", "j", "x")
        assert "it is stopped already" in told(app)
        await press(pilot, "escape")
        assert app.screen is screen
        assert app.focused is screen.grid
        await press(pilot, "escape")
        assert app.screen is not screen


async def test_r_and_y_roll_back(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        await at_deployments(pilot)
        await press(pilot, "r")
        await shows(pilot, "production goes from nlp/sentiment@6 back to nlp/sentiment@5")
        await press(pilot, "y")

        await until(pilot, lambda: "$ regtui deploy rollback nlp/sentiment production" in told(app))
    assert "nlp/sentiment@6" not in live(production, "production")


async def test_x_ends_a_deployment_after_a_yes(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        await at_deployments(pilot)
        await press(pilot, "l")
        await press(pilot, "x")
        await press(pilot, "y")

        await until(pilot, lambda: "$ regtui deploy stop " in told(app))
    assert live(production, "staging") == []


async def test_t_takes_a_deployment_to_a_state_that_may_follow(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app) as pilot:
        await at_deployments(pilot)
        await press(pilot, "j", "j", "h")
        await press(pilot, "t")
        text = screen_text(app)
        assert "it serves" in text
        assert "draining" not in text
        await press(pilot, *"live", "enter")
        await press(pilot, "enter")

        await until(pilot, lambda: "vision/digits@2 is live in edge/us-1" in told(app))
    assert live(production, "edge") == ["vision/digits@2", "vision/digits@3"]


async def test_d_deploys_the_version_elsewhere(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        await at_deployments(pilot)
        await press(pilot, "l")
        await press(pilot, "d")
        await press(pilot, *"edge", "enter")
        await press(pilot, *"eu-1", "enter")

        await until(pilot, lambda: "regtui deploy nlp/sentiment@6 edge --target eu-1" in told(app))
    assert "nlp/sentiment@6" in live(production, "edge")


async def test_d_on_a_version_says_what_is_there(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/sentiment@2")
        await press(pilot)
        await press(pilot, "d")
        assert "staging, open, @6 is there" in screen_text(app)
        await press(pilot, *"staging", "enter")
        await press(pilot, "enter")

        await until(pilot, lambda: "nlp/sentiment@2 is live in staging" in told(app))
    assert live(production, "staging") == ["nlp/sentiment@2"]


async def test_n_makes_an_environment(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        screen = await at_deployments(pilot)
        await press(pilot, "n")
        await press(pilot, *"lab", "enter")
        await press(pilot, *"open", "enter")

        await until(pilot, lambda: "$ regtui env put lab --open" in told(app))
        await until(pilot, lambda: "lab" in screen.grid._names)
    assert {one.environment: one.protected for one in production.environments()}["lab"] is False


async def test_v_goes_to_the_version_and_y_copies_the_name(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app) as pilot:
        screen = await at_deployments(pilot)
        assert screen.current is not None
        await press(pilot, "y")
        assert app.clipboard == screen.current.deployment

        await press(pilot, "v")
        row = models_screen(app).versions.current
        assert row is not None
        assert row.version.reference == "nlp/sentiment@6"


async def test_what_others_deploy_shows_by_itself(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        screen = await at_deployments(pilot)
        before = screen.grid.total
        production.deploy("vision/digits@3", "production")

        await until(pilot, lambda: screen.grid.total == before + 1)


async def test_a_read_only_app_offers_nothing_that_acts(
    production: Registry, tmp_path: Path
) -> None:
    app = app_on(production, tmp_path, read_only=True)
    async with running(app) as pilot:
        screen = await at_deployments(pilot)
        for key in ("r", "d", "x", "t", "n"):
            await press(pilot, key)
            assert app.screen is screen
    assert READ_ONLY in told(app)


async def test_an_empty_screen_says_what_to_do(sample: Registry, tmp_path: Path) -> None:
    app = app_on(sample, tmp_path)
    async with running(app) as pilot:
        await at_deployments(pilot)
        assert "there is no environment yet; n makes one" in screen_text(app)
        sample.put_environment("staging", {})
        await shows(pilot, "nothing is deployed; d on a version records that it is")


def printed(one: DeploymentAnswer) -> str:
    names = ("label", "heading", "success", "warning", "error", "primary", "accent")
    console = Console(width=100, color_system=None, theme=Theme(dict.fromkeys(names, "")))
    with console.capture() as capture:
        for block in blocks([one], {one.id: [1, 5, 3]}):
            console.print(block.content)
    return capture.get()


def test_health_has_a_sign_and_a_word_and_usage_its_figures(production: Registry) -> None:
    one = production.deployments("nlp/sentiment", environment="staging")[0]
    hour = {"requests": 12_345, "errors": 7, "p50": 0.0181, "p95": 1.25}
    told_of = msgspec.structs.replace(
        one,
        health="silent",
        last_beat="2026-10-30T12:00:00.000000Z",
        usage={"hour": hour, "day": hour},
    )

    assert cell_text([told_of]) == ("✗ @6 silent 5d ann", "error")
    text = printed(told_of)
    assert "silent, heard of" in text
    for part in ("last hour", "12,345", "7", "18.1 ms", "1.25 s", "▁█▅"):
        assert part in text


def test_what_runs_beside_another_on_one_target_is_one_cell(production: Registry) -> None:
    rows = places(production.deployments("nlp/sentiment", environment="production"))

    assert len(rows) == 1
    assert cell_text(rows[0].cells["production"])[0].startswith("? @6 +1 ")


async def test_lists_tell_what_is_live_and_what_is_asked_for(app: RegtuiApp) -> None:
    async with running(app, (160, 40)) as pilot:
        await shows(pilot, "?1 ● prod")
        tree = {one.path: one for one in map(models_screen(app).model_tree.row, range(6)) if one}
        assert (tree["nlp/sentiment"].live, tree["nlp/sentiment"].asked) == (3, 2)
        assert (tree[""].live, tree["vision"].live) == (4, 1)
        assert "●3 ?2" in screen_text(app)


async def test_without_production_lists_have_no_column_for_it(
    sample: Registry, tmp_path: Path
) -> None:
    app = app_on(sample, tmp_path)
    async with running(app, (160, 40)):
        assert "Live" not in [column.title for column in models_screen(app).versions.columns]


async def test_what_was_heard_by_hours_is_a_sparkline(app: RegtuiApp, production: Registry) -> None:
    one = production.deployments("nlp/sentiment", environment="production")[0]
    production.beat(one.deployment, requests=120, errors=1, latencies=[0.02] * 20)
    async with running(app, (120, 36)) as pilot:
        await at_deployments(pilot)
        await shows(pilot, "120")
        assert production.usage(one.deployment).buckets
