"""The watch screen: who watches what, what is being captured, what came of it, and what keys do."""

import json
import shutil
import time
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from regtui.capture import reports
from regtui.capture.events import happened
from regtui.capture.reports import Doing, Reporter
from regtui.registry import Registry
from regtui.registry.watch_rules import WatchRule
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.prompt import Confirm
from regtui.tui.screens.watch import WatchScreen
from regtui.tui.screens.watch_rule import RuleForm
from regtui.tui.widgets.watch_tables import DoingTable, ToldTable
from tests.capture.writers import checkpoint
from tests.tui.conftest import MakeApp
from tests.tui.driving import current, press, screen_text, shows, until
from tests.tui.watching import running, told


def doing(path: str, phase: reports.Phase = "waiting", **more: object) -> Doing:
    known = {"recogniser": "transformers", "step": 3, "reason": "", "size": 1000, "stored": 0}
    return Doing(path=path, phase=phase, removed=False, **{**known, **more})  # type: ignore[arg-type]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    checkpoint(tmp_path / "runs" / "bert", 3)
    return tmp_path / "runs"


@pytest.fixture
def reporter(sample: Registry, runs: Path) -> Reporter:
    """Return what reports as a watcher of the runs does."""
    found = Reporter(sample.home, runs, by_rules=False)
    found.renew([], more=0, is_there=True)
    return found


def last(app: RegtuiApp) -> str:
    """Return what the app said last."""
    return told(app).rpartition("\n---\n")[2]


def at_watch(app: RegtuiApp) -> WatchScreen:
    assert isinstance(app.screen, WatchScreen)
    return app.screen


async def test_a_registry_of_which_nothing_is_watched_says_what_to_do(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await press(pilot, "5")
        await shows(pilot, "nothing is watched; n watches a folder")
        await press(pilot, "w")
        assert last(app) == "watch a folder first"
        await press(pilot, "t")
        assert last(app) == "put the cursor on a folder first"


async def test_what_watchers_report_shows_as_it_changes(
    app: RegtuiApp, runs: Path, reporter: Reporter
) -> None:
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5")
        await shows(pilot, "by events")
        await shows(pilot, "1 folder watched")
        await shows(pilot, "nothing waits to be captured")

        waits = doing("bert/checkpoint-3", reason="trainer_state.json is missing")
        reporter.renew([waits], more=0, is_there=True)
        await shows(pilot, "trainer_state.json is missing")

        busy = doing("bert/checkpoint-3", "capturing", stored=430, size=1000)
        reporter.renew([busy, doing("bert/checkpoint-4", "queued")], more=0, is_there=True)
        await shows(pilot, "43 %")
        await shows(pilot, "queued")

        reporter.tell(happened("rotated", str(runs), "its trainer removed it", path="bert/x"))
        reporter.renew([], more=0, is_there=True)
        await shows(pilot, "its trainer removed it")
        assert "43 %" not in screen_text(app)

        reporter.close()
        await shows(pilot, "nothing is watched")
        await until(pilot, lambda: "watched" not in str(app.screen.query_one("TitleLine").render()))


async def test_the_cursor_stays_on_its_event_while_others_come(
    app: RegtuiApp, runs: Path, reporter: Reporter
) -> None:
    for number in range(40):
        reporter.tell(happened("skipped", str(runs), f"the rule {number}", path=f"x/{number}"))
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5", "tab", "tab")
        table = app.screen.query_one(ToldTable)
        assert table.has_focus
        await press(pilot, *"jjj")
        before = table.current
        assert before is not None

        reporter.tell(happened("skipped", str(runs), "one more", path="y"))
        reporter.renew([], more=0, is_there=True)
        await until(pilot, lambda: table.total == 41)
        assert table.current == before
        assert before.message in str(app.screen.query_one("#watch-detail", Static).render())


async def test_events_are_narrowed_down_by_folder_and_kind(
    app: RegtuiApp, sample: Registry, runs: Path, reporter: Reporter, tmp_path: Path
) -> None:
    other = Reporter(sample.home, tmp_path / "other", by_rules=False)
    other.tell(happened("missing", str(tmp_path / "other"), "there is no folder"))
    other.renew([doing("b")], more=0, is_there=False)
    reporter.tell(happened("labelled", str(runs), "best is a@1", path="a"))
    reporter.tell(happened("skipped", str(runs), "the rule is to keep last 1", path="c"))
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5")
        table, states = app.screen.query_one(ToldTable), app.screen.query_one(DoingTable)
        await until(pilot, lambda: table.total == 3)
        await press(pilot, "f")
        assert [row.event for row in table._pages[0]] == ["labelled"]
        await press(pilot, "f")
        assert {row.event for row in table._pages[0]} == {"skipped", "missing"}
        await press(pilot, "f", "j")
        folder = at_watch(app).current
        assert folder is not None
        assert {row.root for row in table._pages[0]} == {folder.path}
        assert states.total == (1 if folder.path.endswith("other") else 0)
        await shows(pilot, "not there yet")


async def test_the_version_of_an_event_is_one_key_away(
    app: RegtuiApp, sample: Registry, runs: Path, reporter: Reporter
) -> None:
    version = sample.version("vision/digits@2")
    reporter.tell(happened("captured", str(runs), "", path="x", version=version))
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5", "tab", "tab", "enter")
        await until(pilot, lambda: app.current_mode == "models")
        await until(pilot, lambda: current(app) == "vision/digits@2")


async def test_what_would_be_captured_is_explained(
    app: RegtuiApp, runs: Path, reporter: Reporter
) -> None:
    half = checkpoint(runs / "bert", 4)
    (half / "trainer_state.json").unlink()
    reporter.renew([doing("bert/checkpoint-4")], more=0, is_there=True)
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5", "t")
        await shows(pilot, "2 states, 1 would be captured now")
        await shows(pilot, "would be runs/bert")
        assert " bert/checkpoint-3  would be" in screen_text(app)
        await press(pilot, "escape", "tab", "enter")
        await shows(pilot, "1 state, 0 would be captured now")
        assert "would be runs/bert" not in screen_text(app)


async def test_a_folder_is_added_watched_and_left_alone(
    app: RegtuiApp, sample: Registry, runs: Path
) -> None:
    """All by keys, with a real watcher."""
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "5", "n")
        app.screen.query_one(Input).value = str(runs)
        await press(pilot, "enter")
        assert isinstance(app.screen, RuleForm)
        await shows(pilot, "1 state, 1 would be captured now")

        app.screen.query_one("#rule-keep", Input).value = "some"
        await shows(pilot, "'some' is no rule of what to keep")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, RuleForm)
        app.screen.query_one("#rule-keep", Input).value = "last 2"
        app.screen.query_one("#rule-model", Input).value = "team/{run}"
        app.screen.query_one("#rule-exclude", Input).value = "*.old, tmp"
        await shows(pilot, "would be team/bert")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Confirm)
        assert sample.watch_rules() == [
            WatchRule(path=str(runs), model="team/{run}", keep="last 2", exclude=("*.old", "tmp"))
        ]
        await shows(pilot, "by nobody")

        await pilot.press("y")
        try:
            await shows(pilot, "team/bert@1")
            assert "by events" in screen_text(app)
            assert sample.version("team/bert@1").params["step"] == 3
        finally:
            if not sample.stop_watchers():
                await until(pilot, sample.stop_watchers)
        await shows(pilot, "by nobody")

        await press(pilot, "x", "n")
        assert len(sample.watch_rules()) == 1
        await press(pilot, "x")
        await press(pilot, "y")
        assert sample.watch_rules() == []
        await shows(pilot, "nothing is watched")


async def test_a_file_is_no_folder_to_watch(app: RegtuiApp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with running(app, (120, 40)) as pilot:
        await press(pilot, "5", "n")
        line = app.screen.query_one(Input)
        line.value = str(tmp_path / "file")
        await press(pilot, "enter")
        await shows(pilot, "is no folder; watch the folder that it lies in")
        line.value = str(tmp_path / "later")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RuleForm))


async def test_a_watcher_is_started_and_stopped_by_one_key(
    app: RegtuiApp, sample: Registry, runs: Path
) -> None:
    sample.add_watch_rule(WatchRule(path=str(runs)))
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5")
        await shows(pilot, "by nobody")
        try:
            await pilot.press("w")
            await shows(pilot, "runs/bert@1")
            await press(pilot, "w")
            assert isinstance(app.screen, Confirm)
            await pilot.press("y")
            await until(pilot, lambda: "stopped process" in told(app))
            await shows(pilot, "by nobody")
        finally:
            sample.stop_watchers()


async def test_a_rule_is_changed_and_a_watched_folder_gets_one(
    app: RegtuiApp, sample: Registry, runs: Path, reporter: Reporter
) -> None:
    async with running(app, (80, 24)) as pilot:
        await press(pilot, "5", "x")
        assert "no rule watches this folder" in last(app)
        await press(pilot, "e", "escape")
        assert sample.watch_rules() == []
        await press(pilot, "e", "tab", "end", *["backspace"] * 3, *"final", "enter")
        assert [rule.keep for rule in sample.watch_rules()] == ["final"]
        await shows(pilot, "final")


async def test_a_read_only_app_watches_nothing(
    make_app: MakeApp, sample: Registry, runs: Path
) -> None:
    sample.add_watch_rule(WatchRule(path=str(runs)))
    app = make_app(read_only=True)
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5")
        for key in ("n", "e", "x", "w"):
            await press(pilot, key)
            assert isinstance(app.screen, WatchScreen)
            assert "read-only" in last(app)
        await press(pilot, "t")
        await shows(pilot, "would be captured now")
    assert len(sample.watch_rules()) == 1


async def test_files_that_mean_nothing_are_passed_over(
    app: RegtuiApp, sample: Registry, runs: Path, reporter: Reporter
) -> None:
    reporter.tell(happened("skipped", str(runs), "the rule", path="x"))
    reporter.renew()
    folder = sample.home / "watch"
    (folder / "0000.1.now").write_text("{", encoding="utf-8")
    (folder / "0000.told").write_bytes(b"\xff\xfe\n{}\n" + json.dumps({"event": 1}).encode())
    (sample.home / "watch.toml").write_text("watch = 3\n", encoding="utf-8")
    async with running(app, (120, 36)) as pilot:
        await press(pilot, "5")
        await shows(pilot, "watch.toml can't be read")
        await shows(pilot, "by events")  # who watches is told all the same
        (sample.home / "watch.toml").unlink()
        shutil.copy(folder / "0000.told", folder / "0001.told")
        await shows(pilot, "the rule")


def test_what_was_told_is_kept_within_bounds(sample: Registry, runs: Path) -> None:
    reporter = Reporter(sample.home, runs, by_rules=False)
    for number in range(3_000):
        reporter.tell(happened("skipped", str(runs), f"{number} {'x' * 400}", path="x"))

    size = sum(file.stat().st_size for file in (sample.home / "watch").glob("*.told*"))
    assert size < 3 * reports.TOLD_BYTES
    newest = reports.told(sample.home, limit=500)
    assert len(newest) == 500
    assert {one.message.partition(" ")[0] for one in newest} == {
        str(number) for number in range(2_500, 3_000)
    }


def test_a_report_counts_while_it_is_renewed(
    sample: Registry, runs: Path, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [one.root for one in reports.reports(sample.home)] == [str(runs)]
    later = time.time() + reports.LOST + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert reports.reports(sample.home) == []
    reports.sweep(sample.home)
    assert list((sample.home / "watch").glob("*.now")) == []
