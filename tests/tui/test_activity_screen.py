"""The activity screen: the feed as it goes on, and what its keys do."""

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from regtui.registry import Registry
from regtui.registry.history import ChangeAnswer, OperationAnswer
from regtui.tui.app import RegtuiApp
from regtui.tui.operation_text import operation_text, shown
from regtui.tui.screens.activity import ActivityScreen
from regtui.tui.widgets.activity_table import ActivityTable
from tests.tui.conftest import MakeApp
from tests.tui.driving import (
    Driven,
    at_rest,
    current,
    models_screen,
    press,
    screen_text,
    shows,
    until,
)
from tests.tui.watching import rewrite, running, told

AtActivity = Callable[..., AbstractAsyncContextManager[Driven]]


@pytest.fixture
def at_activity(app: RegtuiApp) -> AtActivity:
    """Return what runs the app on the activity screen."""

    @asynccontextmanager
    async def run(size: tuple[int, int] = (100, 34)) -> Any:
        async with running(app, size) as pilot:
            await press(pilot, "7")
            yield pilot

    return run


def activity(app: RegtuiApp) -> ActivityScreen:
    assert isinstance(app.screen, ActivityScreen)
    return app.screen


def seq(app: RegtuiApp) -> int:
    """Return the number of the operation under the cursor."""
    operation = activity(app).current
    assert operation is not None
    return operation.seq


def rows(app: RegtuiApp) -> list[str]:
    """Return the lines of the list, without its scroll bar."""
    return [line[:78].rstrip() for line in screen_text(app).splitlines()[3:10]]


async def test_operations_stand_newest_first_with_intents_together(
    app: RegtuiApp, at_activity: AtActivity
) -> None:
    async with at_activity():
        lines = screen_text(app).splitlines()

    assert "19 operations" in lines[1]
    assert lines[3].split()[:5] == ["#19", "ann", "39d", "cli", "archived"]
    assert lines[4].split()[:2] == ["╭", "#18"]
    assert lines[5].split()[:2] == ["╰", "#17"]


async def test_the_detail_tells_what_became_of_each_value(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    sample.edit("nlp/sentiment@5", {"tags/env": "test", "metrics/f1": {"value": 0.5, "step": 7}})
    async with at_activity((160, 48)):
        text = screen_text(app)

    assert "version.edit on nlp/sentiment@5" in text
    assert "tags/env: prod → test" in text
    assert "metrics/f1: 0.89 at step 500 → 0.5 at step 7" in text
    assert "session  " in text


async def test_what_is_done_elsewhere_comes_on_top_and_the_cursor_stays_on_its_row(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        await press(pilot, "j", "j")
        assert seq(app) == 17

        sample.edit("nlp/sentiment@5", {"tags/a": "1"})
        await shows(pilot, "#20")
        await at_rest(pilot)

        assert seq(app) == 17
        assert activity(app).table.cursor == 3


async def test_further_down_nothing_moves_when_something_is_done(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    async with at_activity((80, 20)) as pilot:
        await press(pilot, "G")
        before = rows(app)

        sample.edit("nlp/sentiment@5", {"tags/a": "1"})
        await shows(pilot, "20 operations")
        await at_rest(pilot)

        assert rows(app) == before
        assert seq(app) == 1


async def test_only_the_thread_of_the_screen_asks_the_list_where_it_stands(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking: set[str] = set()

    def lines(_: ActivityTable) -> int:
        asking.add(threading.current_thread().name)
        return 10

    async with at_activity() as pilot:
        monkeypatch.setattr(ActivityTable, "lines", property(lines))
        sample.edit("nlp/sentiment@5", {"tags/a": "1"})
        await shows(pilot, "#20")
        await at_rest(pilot)

    assert asking == {threading.current_thread().name}


async def test_the_filter_narrows_down_and_esc_shows_everything_again(
    app: RegtuiApp, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        await press(pilot, "slash")
        await rewrite(pilot, "nlp/sentiment@champion author:ben", "enter")

        assert " 1 operation" in screen_text(app)
        assert seq(app) == 9

        await press(pilot, "slash", "escape")
        assert "19 operations" in screen_text(app)
        await press(pilot, "escape")
        assert app.focused is activity(app).table


async def test_ctrl_l_clears_the_filter(app: RegtuiApp, at_activity: AtActivity) -> None:
    async with at_activity() as pilot:
        await press(pilot, "slash")
        await rewrite(pilot, "author:ben")
        assert "10 operations" in screen_text(app)

        await press(pilot, "ctrl+l")

        assert "19 operations" in screen_text(app)


async def test_what_is_wrong_with_the_filter_shows_under_its_character(
    app: RegtuiApp, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        await press(pilot, "slash")
        await rewrite(pilot, "author:ann kind:version.fly")

        lines = screen_text(app).splitlines()
        assert lines[2].index("^") == lines[1].index("kind:")
        assert "there is no kind 'version.fly'" in lines[2]
        assert told(app) == ""
        assert "#19" in screen_text(app)


async def test_a_filtered_feed_follows_what_matches(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        await press(pilot, "slash")
        await rewrite(pilot, "nlp/sentiment", "enter")
        count = activity(app).table.total

        sample.edit("vision/digits@2", {"tags/a": "1"})
        sample.edit("nlp/sentiment@5", {"tags/a": "1"})
        await shows(pilot, "#21")
        await at_rest(pilot)

        assert activity(app).table.total == count + 1
        assert "#20" not in screen_text(app)


async def test_undo_says_what_it_will_do_and_does_it_after_a_yes(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        activity(app).table.go_to("11")  # moved champion from @3 to @5
        await press(pilot, "U")

        text = screen_text(app)
        assert "Undo #9" in text
        assert "moved champion from @3 to @5" in text
        assert "moved champion from @5 to @3" in text
        await press(pilot, "n")
        assert sample.version("nlp/sentiment@champion").number == 5

        await press(pilot, "U")
        await press(pilot, "y")

        assert sample.version("nlp/sentiment@champion").number == 3
        assert "$ regtui undo 9" in told(app)
        await shows(pilot, "(undone) moved champion from @3 to @5")


async def test_what_can_not_be_undone_says_why_and_asks_nothing(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    sample.set_alias("nlp/sentiment@1", "champion")
    async with at_activity() as pilot:
        activity(app).table.go_to("12")
        await press(pilot, "U")

        assert "can't undo #9" in told(app)
        assert app.screen is activity(app)


async def test_a_read_only_app_undoes_nothing(make_app: MakeApp) -> None:
    app = make_app(read_only=True)
    async with running(app) as pilot:
        await press(pilot, "7", "U")

        assert "read-only" in told(app)


async def test_v_verifies_the_history_and_tells_the_outcome(
    app: RegtuiApp, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        await press(pilot, "V")

        assert "19 operations" in told(app)
        assert "are what they were" in told(app)
        assert "$ regtui audit verify" in told(app)


async def test_a_history_that_was_changed_is_reported(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    async with at_activity() as pilot:
        with sample.context.writing() as authority:
            authority.connection.execute(
                "update base.operation set bytes = replace(bytes, 'champion', 'champioM') "
                "where seq = 9"
            )
        await press(pilot, "V")

        await shows(pilot, "The history is not what was done")
        await press(pilot, "escape")
        assert app.screen is activity(app)


async def test_v_again_stops_the_verification(
    app: RegtuiApp, at_activity: AtActivity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(_: Registry, *, on_progress: Callable[[int], None]) -> None:
        while True:  # until it is stopped
            on_progress(1)

    monkeypatch.setattr(Registry, "verify_history", verify)
    async with at_activity() as pilot:
        await pilot.press("V")
        await shows(pilot, "looked at; V stops it")
        await press(pilot, "V")

        await until(pilot, lambda: "stopped" in told(app))
        await at_rest(pilot)
        assert "V stops it" not in screen_text(app)


async def test_leaving_ends_a_verification_that_runs(
    app: RegtuiApp, at_activity: AtActivity, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []

    def verify(_: Registry, *, on_progress: Callable[[int], None]) -> None:
        try:
            while True:
                on_progress(1)
        finally:
            ended.append(True)

    monkeypatch.setattr(Registry, "verify_history", verify)
    async with at_activity() as pilot:
        await pilot.press("V")
        await shows(pilot, "looked at; V stops it")
        await pilot.press("q")

    assert ended == [True]


@pytest.mark.parametrize(("row", "expected"), [("11", "nlp/sentiment@5"), ("4", "vision/digits@3")])
async def test_enter_goes_to_the_version(
    app: RegtuiApp, at_activity: AtActivity, row: str, expected: str
) -> None:
    async with at_activity() as pilot:
        activity(app).table.go_to(row)
        await press(pilot, "enter")

        assert current(app) == expected


async def test_enter_goes_to_the_model(app: RegtuiApp, at_activity: AtActivity) -> None:
    async with at_activity() as pilot:
        await press(pilot, "G", "enter")

        branch = models_screen(app).model_tree.current
        assert branch is not None
        assert branch.path == "nlp/sentiment"


async def test_what_has_no_screen_is_said(
    app: RegtuiApp, sample: Registry, at_activity: AtActivity
) -> None:
    sample.put_dataset("reviews", {"uri": "s3://r"})
    async with at_activity() as pilot:
        await press(pilot, "enter")

        assert "dataset" in told(app)
        assert app.current_mode == "activity"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"value": 0.5, "step": None}, "0.5"),
        ({"value": "NaN", "step": 3}, "NaN at step 3"),
        ({"uri": "s3://a"}, '{"uri":"s3://a"}'),
        (True, "true"),
        (None, ""),
    ],
)
def test_a_value_is_one_line(value: object, text: str) -> None:
    assert shown(value) == text


def test_nothing_that_people_wrote_steers_the_terminal() -> None:
    change = ChangeAnswer(path="tags/x", before="a", after="b\x1b]52;c;eA==\x07\nc", result="lost")
    operation = OperationAnswer(
        seq=1,
        waiting=False, id="i", kind="version.edit", actor="ann", via="cli", session="s",
        time="2026-09-21T10:00:00.000Z", model="m", number=1, alias=None, dataset=None,
        entity="e", changes=[change], undoes=None, undone_by=None, group=None, summary="edited",
    )  # fmt: skip

    text = operation_text(operation).plain

    assert "\x1b" not in text
    assert "(lost)" in text
