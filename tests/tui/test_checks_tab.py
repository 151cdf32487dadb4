"""The checks and the deployments of a version, in its detail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.acting import READ_ONLY
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.deployments import DeploymentsScreen
from regtui.tui.screens.report import Report
from regtui.tui.widgets.tabs.checks import ChecksTab
from tests.tui.driving import Driven, models_screen, press, screen_text, shows, until
from tests.tui.joined import app_on
from tests.tui.producing import produced
from tests.tui.watching import running, told


@pytest.fixture
def checked(sample: Registry) -> Registry:
    """Return the sample with two checks, one of which was run on a version."""
    sample.put_check("smoke", "nlp/*", {"run": "echo all is well"})
    sample.put_check("broken", "nlp/*", {"run": "sh -c 'echo it is not; exit 3'"})
    sample.report_check("nlp/sentiment@6", "smoke", "passed", figures={"f1": 0.91}, log="fine")
    return sample


@asynccontextmanager
async def at_tab(app: RegtuiApp, name: str) -> AsyncIterator[Driven]:
    async with running(app, (140, 40)) as pilot:
        screen = models_screen(app)
        screen.go_to("nlp/sentiment@6")
        await press(pilot)
        screen.detail.show_tab(name)
        screen.detail.focus_tab()
        await press(pilot)
        yield pilot


def rows(app: RegtuiApp) -> list[tuple[str, str]]:
    tab = models_screen(app).detail.shown
    assert isinstance(tab, ChecksTab)
    found = [tab.table.row(place) for place in range(tab.table.total)]
    return [(row.name, row.run.outcome if row.run else "") for row in found if row]


async def test_runs_stand_below_what_was_not_run_yet(checked: Registry, tmp_path: Path) -> None:
    app = app_on(checked, tmp_path)
    async with at_tab(app, "checks") as pilot:
        assert rows(app) == [("broken", ""), ("smoke", "passed")]
        text = screen_text(app)
        assert "not run yet" in text
        assert "f1=0.91" in text

        await press(pilot, "j")
        await press(pilot, "enter")
        assert isinstance(app.screen, Report)
        await shows(pilot, "$ regtui check log nlp/sentiment@6 smoke")
        assert "fine" in screen_text(app)


async def test_a_changed_check_makes_its_runs_stale(checked: Registry, tmp_path: Path) -> None:
    checked.put_check("smoke", "nlp/*", {"run": "echo otherwise"})
    app = app_on(checked, tmp_path)
    async with at_tab(app, "checks"):
        assert "stale" in screen_text(app)


async def test_r_runs_the_check_under_the_cursor(checked: Registry, tmp_path: Path) -> None:
    app = app_on(checked, tmp_path)
    async with at_tab(app, "checks") as pilot:
        await press(pilot, "r")
        await until(pilot, lambda: "broken of nlp/sentiment@6: failed" in told(app))
        assert "$ regtui check run nlp/sentiment@6 broken" in told(app)
        await until(pilot, lambda: rows(app) == [("broken", "failed"), ("smoke", "passed")])


async def test_shift_r_runs_all_checks(checked: Registry, tmp_path: Path) -> None:
    app = app_on(checked, tmp_path)
    async with at_tab(app, "checks") as pilot:
        await press(pilot, "R")
        await until(pilot, lambda: "2 checks of nlp/sentiment@6, 1 failed: broken" in told(app))
    assert len(checked.check_runs("nlp/sentiment@6")) == 3


async def test_what_nobody_trusts_here_is_asked_about_with_its_command(
    checked: Registry, tmp_path: Path
) -> None:
    checked.untrust_check("broken")
    app = app_on(checked, tmp_path)
    async with at_tab(app, "checks") as pilot:
        assert "untrusted" in screen_text(app)
        await press(pilot, "r")
        await shows(pilot, "echo it is not; exit 3")
        await press(pilot, "n")
        assert checked.check_runs("nlp/sentiment@6", "broken") == []

        await press(pilot, "r")
        await press(pilot, "y")
        await until(pilot, lambda: "broken of nlp/sentiment@6: failed" in told(app))


async def test_a_read_only_app_runs_no_checks(checked: Registry, tmp_path: Path) -> None:
    app = app_on(checked, tmp_path, read_only=True)
    async with at_tab(app, "checks") as pilot:
        await press(pilot, "r", "R")
    assert READ_ONLY in told(app)
    assert len(checked.check_runs("nlp/sentiment@6")) == 1


async def test_without_checks_the_tab_says_how_to_make_one(app: RegtuiApp) -> None:
    async with at_tab(app, "checks"):
        assert "`regtui check put FILE.toml` makes some" in screen_text(app)


async def test_the_deployments_of_a_version_lead_to_their_screen(
    sample: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on(produced(sample.home, monkeypatch), tmp_path)
    async with at_tab(app, "deployments") as pilot:
        text = screen_text(app)
        assert "production" in text
        assert "a canary" in text
        await press(pilot, "enter")
        assert isinstance(app.screen, DeploymentsScreen)


async def test_what_was_deployed_nowhere_says_how(app: RegtuiApp) -> None:
    async with at_tab(app, "deployments"):
        assert "it was deployed nowhere yet; d records that it is" in screen_text(app)
