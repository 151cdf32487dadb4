"""Syncing in the app: by a key and by itself, with a server that answers, is away, or refuses."""

import threading
from pathlib import Path

import pytest

from regtui.registry.face.syncing import SyncingVerbs
from regtui.sync.client import OnStep, Synced
from regtui.tui import sync_pace
from regtui.tui.acting import READ_ONLY
from tests.tui.conftest import MakeApp
from tests.tui.driving import Driven, current, models_screen, press, screen_text, shows, until
from tests.tui.joined import Lab, app_on
from tests.tui.watching import running, told

TITLE = 0
"""The line that shows how it stands with the server."""


def title(app: object) -> str:
    return screen_text(app).splitlines()[TITLE]  # type: ignore[arg-type]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an app that syncs by itself do so all the time."""
    monkeypatch.setattr(sync_pace, "SHORTEST", 0.05)
    monkeypatch.setattr(sync_pace, "IDLE", 0.05)
    monkeypatch.setattr(sync_pace, "AWAY", 0.1)
    monkeypatch.setattr(sync_pace, "SOON", 0.01)


async def test_a_key_sends_what_waits_and_reads_what_is_new(lab: Lab, tmp_path: Path) -> None:
    ben = lab.person("ben")
    lab.capture(ben, "ben's", "nlp/other")
    ben.sync()
    lab.capture(lab.ann, "ann's")
    app = app_on(lab.ann, tmp_path)
    async with running(app) as pilot:
        assert "↑2" in title(app)

        await press(pilot, "s")

        await shows(pilot, "nlp/other")
        await until(pilot, lambda: "↑" not in title(app))
        assert "sent 2 changes, got " in told(app)
        assert "$ regtui sync" in told(app)
    ben.sync()
    assert ben.version("nlp/bert@1").author == "ann"


async def test_the_status_is_told_in_ascii_too(lab: Lab, tmp_path: Path) -> None:
    lab.capture(lab.ann, "ann's")
    app = app_on(lab.ann, tmp_path, ascii=True)
    async with running(app):
        assert "^2" in title(app)
        assert screen_text(app).isascii()


@pytest.mark.usefixtures("quick")
async def test_what_others_do_appears_by_itself_and_the_cursor_stays(
    lab: Lab, tmp_path: Path
) -> None:
    ben = lab.person("ben")
    for content in ("one", "two"):
        lab.capture(lab.ann, content)
    lab.ann.sync()
    app = app_on(lab.ann, tmp_path, by_itself=True)
    async with running(app) as pilot:
        models_screen(app).versions.focus()
        await press(pilot, "j")
        stood = current(app)

        ben.sync()
        lab.capture(ben, "three")
        ben.sync()

        await shows(pilot, "@3")
        assert current(app) == stood
        lab.capture(lab.ann, "four")
        await until(pilot, lambda: "↑" in title(app) or "@4" in screen_text(app))
        await shows(pilot, "@4")
    assert "regtui sync" not in told(app)  # nobody asked for it


@pytest.mark.usefixtures("quick")
async def test_a_server_that_is_killed_is_offline_and_gets_all_when_it_is_back(
    lab: Lab, tmp_path: Path
) -> None:
    lab.capture(lab.ann, "before")
    lab.ann.sync()
    app = app_on(lab.ann, tmp_path, by_itself=True)
    async with running(app) as pilot:
        lab.kill()
        await shows(pilot, "offline")
        lab.capture(lab.ann, "meanwhile")
        await until(pilot, lambda: "↑1 offline" in title(app))
        assert told(app) == ""  # the title tells it; nothing else hides the screen

        await press(pilot, "s")
        await until(pilot, lambda: "does not answer" in told(app))

        lab.revive()
        await until(pilot, lambda: "offline" not in title(app) and "↑" not in title(app))


@pytest.mark.usefixtures("quick")
async def test_a_token_that_is_revoked_is_told_once_and_work_goes_on(
    lab: Lab, tmp_path: Path
) -> None:
    ben = lab.person("ben")
    lab.capture(ben, "before")
    ben.sync()
    app = app_on(ben, tmp_path, by_itself=True)
    async with running(app) as pilot:
        lab.ann.change_user("ben", state="disabled")

        await shows(pilot, "signed out")
        assert told(app).count("your work is kept here; 8 signs you in") == 1
        lab.capture(ben, "work")
        await until(pilot, lambda: "↑1 signed out" in title(app))

        await press(pilot, "s")
        await shows(pilot, "Sign in to")


@pytest.mark.usefixtures("quick")
async def test_a_model_that_may_not_be_read_any_more_goes_while_one_looks_at_it(
    lab: Lab, tmp_path: Path
) -> None:
    ben = lab.person("ben")
    lab.ann.add_grant("ben", "contributor", "cv/*")
    lab.capture(lab.ann, "one", "nlp/bert")
    lab.capture(lab.ann, "two", "cv/digits")
    lab.ann.sync()
    ben.sync()
    app = app_on(ben, tmp_path, by_itself=True)
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/bert@1")
        await press(pilot, "enter", "right_square_bracket")

        lab.ann.remove_grant("ben", "nlp/*")

        await until(pilot, lambda: "may not be read any more" in told(app))
        await until(pilot, lambda: "nlp" not in screen_text(app))
        await press(pilot, "escape", "escape", "1")
        await shows(pilot, "cv/digits")


async def test_without_being_told_to_it_does_not_sync_by_itself(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    calls = note_calls(monkeypatch)
    app = app_on(lab.ann, tmp_path, by_itself=False)
    async with running(app) as pilot:
        await rounds(pilot)
        assert calls == []
        app.config.sync = True
        await until(pilot, lambda: calls)


async def test_the_network_is_not_asked_at_the_start(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_pace, "SHORTEST", 3600.0)
    calls = note_calls(monkeypatch)
    async with running(app_on(lab.ann, tmp_path, by_itself=True)) as pilot:
        await rounds(pilot)
        assert calls == []


async def test_an_app_that_changes_nothing_does_not_sync(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    lab.capture(lab.ann, "waits")
    calls = note_calls(monkeypatch)
    app = app_on(lab.ann, tmp_path, by_itself=True, read_only=True)
    async with running(app) as pilot:
        await press(pilot, "s")
        await rounds(pilot)
        assert told(app) == READ_ONLY
        assert calls == []


async def test_the_key_again_stops_it_and_leaving_does_not_wait_for_the_server(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(self: SyncingVerbs, *, on_step: OnStep, **_: object) -> Synced:
        done = Synced()
        while not go_on.wait(0.01):
            done.pulled += 1
            on_step("asking", done)
        go_on.wait(20)
        return done

    lab.capture(lab.ann, "waits")
    monkeypatch.setattr(SyncingVerbs, "sync", slow)
    app = app_on(lab.ann, tmp_path)
    async with running(app, (160, 40)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: "got" in title(app))
        await press(pilot, "s")
        assert "stopped" in told(app)
        assert "syncing" not in title(app)
        await pilot.press("s")
        await until(pilot, lambda: "syncing" in title(app))
        app.exit()
    go_on.set()


async def test_where_there_is_no_server_the_key_asks_for_one(make_app: MakeApp) -> None:
    app = make_app()
    async with running(app) as pilot:
        await press(pilot, "s")
        await shows(pilot, "Connect to a server")


def note_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    sync = SyncingVerbs.sync

    def noted(self: SyncingVerbs, **given: object) -> Synced:
        calls.append(1)
        return sync(self, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(SyncingVerbs, "sync", noted)
    return calls


async def rounds(pilot: Driven) -> None:
    """Let the app do what it would."""
    for _ in range(20):
        await pilot.pause(0.02)
