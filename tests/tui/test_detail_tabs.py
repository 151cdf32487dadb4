"""The detail of a version: what each tab shows, and what its keys do."""

import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from regtui.core.errors import Damaged
from regtui.core.operations import CaptureBody
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.changes import changes
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.prompt import Confirm
from regtui.tui.widgets.curves import Curves
from regtui.tui.widgets.detail import Detail
from regtui.tui.widgets.tabs import history, overview
from regtui.tui.widgets.tabs.discussion import DiscussionTab
from regtui.tui.widgets.tabs.files import FilesTab
from regtui.tui.widgets.tabs.history import HistoryTab
from regtui.tui.widgets.tabs.metrics import MetricsTab
from regtui.tui.widgets.tabs.params import ParamsTab
from regtui.tui.widgets.virtual_table import PAGE
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
from tests.tui.sample import opened, safetensors


class Evil:
    """What a pickle of it does when it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return eval, ("1 + 1",)


@asynccontextmanager
async def at_tab(
    app: RegtuiApp, name: str, *, model: str = "nlp/sentiment", size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Driven]:
    """Run the app with the focus in a tab of the newest version of a model."""
    async with app.run_test(size=size) as pilot:
        await at_rest(pilot)
        screen = models_screen(app)
        screen.model_tree.go_to(model)
        await at_rest(pilot)
        screen.versions.focus()
        screen.detail.show_tab(name)
        screen.detail.focus_tab()
        await at_rest(pilot)
        yield pilot


def detail(app: RegtuiApp) -> Detail:
    return models_screen(app).detail


def text_of(app: RegtuiApp) -> str:
    """Return what is on the screen below the line of tabs."""
    region = detail(app).shown.region
    lines = screen_text(app).splitlines()[region.y : region.bottom]
    return "\n".join(line[region.x :] for line in lines)


def line_with(app: RegtuiApp | str, text: str) -> str:
    """Return the line of the detail that has a text, from there on."""
    shown = app if isinstance(app, str) else text_of(app)
    found = [line for line in shown.splitlines() if text in line]
    assert found, f"{text!r} does not show:\n{shown}"
    return found[0][found[0].index(text) :]


def row_of(app: RegtuiApp, name: str) -> list[str]:
    """Return the words of the detail's line that begins with a name."""
    return next(line.split() for line in text_of(app).splitlines() if line.split()[:1] == [name])


def notices(app: RegtuiApp) -> str:
    """Return what the app has said."""
    return "\n".join(notice.message for notice in app._notifications)


def put_place(registry: Registry, reference: str, context: dict[str, Any]) -> None:
    """Add a place with a context to a version, as a watcher does."""
    found = registry.version(reference)
    with registry.context.writing() as authority:
        version = authority.view.document(found.id)
        assert version is not None
        place = {
            "host": "gpu1", "folder": "/runs", "name": "7", "at": 1, "context": context,
            "author": authority.actor.id,
        }  # fmt: skip
        body = CaptureBody(
            digest=version.facts["digest"], nonce=version.facts.get("nonce", ""),
            size=found.size, files=found.files,
            set=changes({"places/gpu1": place}, "version", version),
        )  # fmt: skip
        authority.submit("version.capture", version.stream, version.id, body)


# Overview


async def test_the_overview_tells_facts_place_and_card(app: RegtuiApp) -> None:
    async with at_tab(app, "overview"):
        text = screen_text(app)

    assert "nlp/sentiment@6  :" in text
    assert "f1 0.91  ★ best of 6  ▲ +0.02 on champion @5" in text
    assert "639 B in 2 files" in text
    assert "s3://corpora/reviews-2026.parquet" in text
    assert "Tells positive from negative reviews" in text
    assert line_with(text, "license").startswith("license   apache-2.0")
    assert "---" not in text.split("Card of")[1].split("split")[0]


async def test_a_link_opens_only_when_it_is_chosen(
    app: RegtuiApp, sample: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.edit_card("nlp/sentiment", lambda _: "see [the paper](https://example.org/paper.pdf)")
    went: list[str] = []
    monkeypatch.setattr(app, "open_url", went.append)

    async with at_tab(app, "overview") as pilot:
        assert "the paper (https://example.org/paper.pdf)" in screen_text(app)
        await press(pilot, "f")
        assert went == []
        await press(pilot, "enter")

    assert went == ["https://example.org/paper.pdf"]


async def test_a_card_never_reaches_the_terminal_as_control_characters(
    app: RegtuiApp, sample: Registry
) -> None:
    sample.edit_card("nlp/sentiment", lambda _: "before \x1b]52;c;ZXZpbA==\x07 after")

    async with at_tab(app, "overview"):
        text = screen_text(app)

    assert "\x1b" not in text
    assert "before \N{REPLACEMENT CHARACTER}]52;c;" in text


# Metrics


async def test_metrics_stand_beside_the_version_before_and_their_curve_follows_the_cursor(
    app: RegtuiApp,
) -> None:
    async with at_tab(app, "metrics") as pilot:
        f1 = row_of(app, "f1")
        first = line_with(app, "Metric")
        await press(pilot, "j", "j")
        last = line_with(app, "Metric")

    assert f1[:5] == ["f1", "0.91★", "▲", "+0.02", "0.91"]
    assert [line.split()[-1] for line in (first, last)] == ["f1", "loss"]


async def test_keys_smooth_the_curves_and_cut_their_beginning(app: RegtuiApp) -> None:
    async with at_tab(app, "metrics") as pilot:
        curves = app.screen.query_one(Curves)
        await press(pilot, "plus")
        assert "f1 (smoothed 0.6)" in screen_text(app)
        await press(pilot, "greater_than_sign")
        assert "f1 (smoothed 0.6, last 1/2)" in screen_text(app)
        await press(pilot, "less_than_sign", "plus", "plus", "plus")
        assert curves.look == ""


async def test_without_a_series_a_metric_is_drawn_over_the_versions(app: RegtuiApp) -> None:
    async with at_tab(app, "metrics", model="vision/digits"):
        text = screen_text(app)

    assert "number" in text
    assert "vision/digits" in text


async def test_in_a_small_room_a_sparkline_stands_for_the_curve(app: RegtuiApp) -> None:
    async with at_tab(app, "metrics", size=(80, 24)):
        assert "▁▄▅▆▇▇▇████ 0 to 0.7712" in screen_text(app)


# Params


async def test_params_show_what_the_version_before_had(app: RegtuiApp) -> None:
    async with at_tab(app, "params"):
        assert line_with(app, "Param ").split() == ["Param", "Value", "In", "@5"]
        assert line_with(app, "layers").split() == ["layers", "6", "5"]
        assert line_with(app, "optimizer").split() == ["optimizer", "adamw"]


async def test_what_somebody_else_changes_shows_and_the_cursor_stays_on_its_row(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_tab(app, "params") as pilot:
        await press(pilot, "j", "j")
        table = app.screen.query_one(ParamsTab).table

        sample.edit("nlp/sentiment@6", {"params/augment": True, "params/layers": 12})
        await until(pilot, lambda: "augment" in screen_text(app))
        await at_rest(pilot)

        assert table.current is not None
        assert table.current.name == "optimizer"
        assert line_with(app, "layers").split() == ["layers", "12", "5"]
        assert "Params 4" in screen_text(app)


# Files


async def test_a_file_opens_with_its_tensors_and_esc_goes_back_step_by_step(app: RegtuiApp) -> None:
    async with at_tab(app, "files") as pilot:
        assert line_with(app, "model.safetensors").split()[1:4] == ["✓", "no-code", "626"]
        await press(pilot, "j", "enter")
        assert line_with(app, "encoder.0.weight").split()[:4] == [
            "encoder.0.weight", "float32", "32", "128",
        ]  # fmt: skip
        await press(pilot, "escape")
        assert app.focused is app.screen.query_one(FilesTab).table
        await press(pilot, "escape")
        assert app.focused is models_screen(app).versions


async def test_a_dangerous_file_can_not_be_mistaken(
    make_app: MakeApp, sample: Registry, tmp_path: Path
) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(Evil()))
    sample.capture(file, model="evil")
    app = make_app()

    async with at_tab(app, "files", model="evil") as pilot:
        listed = line_with(app, "model.pkl")
        await press(pilot, "enter")
        view = screen_text(app)

    assert "✗ DANGEROUS" in listed
    assert "builtins.eval" in listed
    assert "model.pkl  ✗ DANGEROUS" in view
    assert "it names builtins.eval" in view


async def test_tensors_come_in_pages_wherever_one_jumps_to(
    make_app: MakeApp, sample: Registry, tmp_path: Path
) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(safetensors({f"layer.{n:05}": [0.0] for n in range(1_000)}))
    sample.capture(file, model="large")
    app = make_app()

    async with at_tab(app, "files", model="large") as pilot:
        await press(pilot, "enter", "G")
        await shows(pilot, "layer.00999")
        held = app.screen.query_one(FilesTab).view.tensors.here

    last = 999 // PAGE
    assert held == {0, 1, last - 1, last}


async def test_files_of_which_nothing_is_kept_are_read_aside(
    make_app: MakeApp, sample: Registry
) -> None:
    with sample.context.writing() as authority:
        for table in ("layout", "tensor", "piece"):
            authority.connection.execute(f"delete from base.{table}")
    app = make_app()

    async with at_tab(app, "files") as pilot:
        await shows(pilot, "safetensors  ")

        assert "✓ no-code" in line_with(app, "config.json")
        assert "reading" not in line_with(app, "model.safetensors")


# Lineage and context


async def test_opening_a_parent_goes_there(app: RegtuiApp) -> None:
    async with at_tab(app, "lineage") as pilot:
        assert "s3://corpora/reviews-2026.parquet" in line_with(app, "dataset reviews")
        await press(pilot, "j", "j", "j", "enter")

        assert current(app) == "nlp/sentiment@4"


async def test_the_context_is_told_place_by_place_in_facts_that_fold(
    make_app: MakeApp, sample: Registry
) -> None:
    packages = {f"package-{n}": "1.0" for n in range(20)}
    put_place(
        sample,
        "nlp/sentiment@6",
        {"git": {"commit": "3f9c01", "dirty": False}, "gpus": ["a", "b"], "packages": packages},
    )
    app = make_app()

    async with at_tab(app, "context") as pilot:
        folded = text_of(app)
        await press(pilot, *"jjjjjj", "enter")
        unfolded = text_of(app)

    assert line_with(folded, "gpu1").split() == ["gpu1", "/runs/7"]
    assert line_with(folded, "gpus").split() == ["gpus", "a", "b"]
    assert line_with(folded, "commit").split() == ["commit", "3f9c01"]
    assert "▸ packages" in folded
    assert "package-14" not in folded
    assert "▾ packages" in unfolded
    assert "package-14" in unfolded


# Discussion


async def test_a_line_says_something_and_keeps_what_is_typed_meanwhile(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_tab(app, "discussion") as pilot:
        assert "Better on long reviews; latency needs a look." in screen_text(app)
        await press(pilot, "m", *"zoom [ in")
        opened(sample.home).add_comment("nlp/sentiment@6", "me too")
        await shows(pilot, "me too")
        assert app.screen.query_one(DiscussionTab).line.value == "zoom [ in"

        await press(pilot, "enter")
        await shows(pilot, "Talk")

    said = [one.text for one in sample.comments("nlp/sentiment@6")]
    assert said[-2:] == ["me too", "zoom [ in"]


async def test_only_ones_own_comments_can_be_changed(app: RegtuiApp, sample: Registry) -> None:
    async with at_tab(app, "discussion") as pilot:
        await press(pilot, "j", "e")
        assert not isinstance(app.screen, Editor)
        assert "only who said it may change it" in notices(app)

        await press(pilot, "k", "e")
        assert isinstance(app.screen, Editor)
        app.screen.show_text("Better.\n\nReally.")
        await press(pilot, "ctrl+s")
        await shows(pilot, "Really.")

        await press(pilot, "D")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "y")
        await until(pilot, lambda: "Really." not in screen_text(app))

    assert [one.author for one in sample.comments("nlp/sentiment@6")] == ["ben"]


async def test_what_is_pasted_with_several_lines_goes_on_in_an_editor(
    app: RegtuiApp, sample: Registry
) -> None:
    async with at_tab(app, "discussion") as pilot:
        await press(pilot, "m", "a")
        line = app.screen.query_one(DiscussionTab).query_one(Input)
        line.post_message(events.Paste("first\nsecond"))
        await until(pilot, lambda: isinstance(app.screen, Editor))
        await at_rest(pilot)

        assert isinstance(app.screen, Editor)
        assert app.screen.text == "afirst\nsecond"
        await press(pilot, "ctrl+s")
        assert line.value == ""

    assert sample.comments("nlp/sentiment@6")[-1].text == "afirst\nsecond"


# History


async def test_the_history_marks_what_was_undone(make_app: MakeApp, sample: Registry) -> None:
    sample.edit("nlp/sentiment@6", {"tags/env": "prod"})
    sample.undo()
    app = make_app()

    async with at_tab(app, "history"):
        text = screen_text(app)

    assert "undone: " in text
    assert "captured nlp/sentiment@6" in text
    assert text.index("undid #") < text.index("undone: ") < text.index("captured")


async def test_more_of_the_history_comes_as_one_goes_on(
    make_app: MakeApp, sample: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 4)
    monkeypatch.setattr(history, "AHEAD", 1)
    for number in range(8):
        sample.edit("nlp/sentiment@6", {"tags/n": str(number)})
    app = make_app()

    async with at_tab(app, "history", size=(80, 20)) as pilot:
        tab = app.screen.query_one(HistoryTab)
        first = tab.table.total
        for _ in range(5):
            await press(pilot, "G")

        assert first < 11
        assert tab.table.total == 11
        assert tab.table.current is not None
        assert tab.table.current.summary == "captured nlp/sentiment@6"


# All of them


async def test_keys_go_through_the_tabs_and_the_focus_goes_with_them(app: RegtuiApp) -> None:
    async with at_tab(app, "overview") as pilot:
        seen = []
        for key in ("right_square_bracket", "l", "h", "left_square_bracket", "h"):
            await press(pilot, key)
            seen.append(detail(app).shown.NAME)
            assert detail(app).shown.has_focus_within

    assert seen == ["metrics", "params", "metrics", "overview", "history"]


async def test_zoom_gives_the_detail_the_whole_screen_and_esc_takes_it_back(app: RegtuiApp) -> None:
    async with at_tab(app, "metrics", size=(80, 24)) as pilot:
        small = detail(app).size
        await press(pilot, "z")
        large = detail(app).size
        await press(pilot, "escape")
        back = detail(app).size
        assert detail(app).has_focus_within

    assert (large.width, large.height > 18, back) == (80, True, small)


async def test_on_a_tiny_screen_the_detail_has_it_for_as_long_as_one_is_there(
    app: RegtuiApp,
) -> None:
    async with at_tab(app, "params", size=(60, 12)) as pilot:
        assert "optimizer" in screen_text(app)
        await press(pilot, "escape")
        assert "optimizer" not in screen_text(app)
        assert app.focused is models_screen(app).versions
        await press(pilot, "enter")
        assert "optimizer" in screen_text(app)


async def test_the_next_version_shows_with_the_cursor_on_the_same_metric(app: RegtuiApp) -> None:
    async with at_tab(app, "metrics") as pilot:
        table = app.screen.query_one(MetricsTab).table
        await until(pilot, lambda: table.total)
        await press(pilot, "j", "escape", "j")
        await until(pilot, lambda: row_of(app, "latency_ms")[1] == "17.5")
        assert table.current is not None
        assert table.current.name == "latency_ms"


async def test_where_nothing_is_to_be_shown_a_sentence_says_so(app: RegtuiApp) -> None:
    async with at_tab(app, "params", model="vision/digits") as pilot:
        assert "no params" in screen_text(app)
        await models_screen(app).action_do("filter")
        await press(pilot, *"author:nobody", "enter")
        await shows(pilot, "there is no version under the cursor")


async def test_what_can_not_be_read_says_so_instead_of_showing_another_version(
    app: RegtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_tab(app, "overview") as pilot:

        def fail(_: Registry, __: VersionAnswer) -> None:
            raise Damaged("the shelf has fallen down")

        monkeypatch.setattr(overview, "_look", fail)
        await press(pilot, "escape", "j")
        await shows(pilot, "the shelf has fallen down")

        assert "nlp/sentiment@6  :" not in screen_text(app)


async def test_walking_down_a_list_reads_the_tab_in_sight_alone(
    app: RegtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    for made in (MetricsTab, ParamsTab, HistoryTab):
        show = made.show

        async def told(
            tab: MetricsTab | ParamsTab | HistoryTab, version: VersionAnswer, _show: object = show
        ) -> None:
            shown.append(tab.NAME)
            await _show(tab, version)  # type: ignore[operator]

        monkeypatch.setattr(made, "show", told)

    async with at_tab(app, "params") as pilot:
        shown.clear()
        await press(pilot, "escape", "j", "j")

    assert set(shown) == {"params"}
