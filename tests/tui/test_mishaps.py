"""What happens to registry, terminal or disk while the app is open: a message, no more."""

import shutil
from pathlib import Path

import pytest
from textual import events

from regtui.registry import Registry
from regtui.replica.locks import ReplicaLock
from regtui.tui.app import RegtuiApp
from regtui.tui.typing_ahead import MOST
from tests.tui.conftest import MakeApp
from tests.tui.driving import at_rest, models_screen, press, screen_text, shows

SIZE = (120, 36)


async def test_a_registry_that_is_deleted_says_so_and_is_not_made_anew(
    app: RegtuiApp, sample: Registry
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        shutil.rmtree(sample.home)
        await press(pilot, "f5", "j", "j", "j")
        await shows(pilot, "is gone")

    assert not sample.home.exists()


async def test_an_edit_of_a_registry_that_is_gone_is_refused(
    app: RegtuiApp, sample: Registry
) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        shutil.rmtree(sample.home)
        await press(pilot, "u")
        await shows(pilot, "is gone")

    assert not sample.home.exists()


async def test_a_registry_that_comes_back_shows_again(app: RegtuiApp, sample: Registry) -> None:
    away = sample.home.with_name("away")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        sample.home.rename(away)
        await press(pilot, "f5")
        await shows(pilot, "is gone")
        away.rename(sample.home)
        sample.edit("vision/digits", {"description": "back"})

        await shows(pilot, "9 versions · ann")


async def test_a_damaged_registry_says_what_to_do(app: RegtuiApp, sample: Registry) -> None:
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        database = sample.context.replica.home.database
        database.write_bytes(b"\0" * database.stat().st_size)
        await press(pilot, "f5")

        await shows(pilot, "damaged")


async def test_a_busy_registry_is_waited_for_without_blocking(
    app: RegtuiApp, sample: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_WAIT", "0.2")
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        with ReplicaLock(sample.home).exclusive():
            await pilot.press("u")
            await shows(pilot, "is in use by")
            await pilot.press("j", "j")
        monkeypatch.setenv("REGTUI_WAIT", "30")
        await press(pilot, "u")

        await shows(pilot, "undid")


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (300, 100)])
async def test_any_size_of_the_terminal_and_back(app: RegtuiApp, size: tuple[int, int]) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await shows(pilot, "8 Settings")
        await at_rest(pilot)
        before = screen_text(app)
        await pilot.resize_terminal(*size)
        await press(pilot, "j", "k", "tab")
        await pilot.resize_terminal(80, 24)
        models_screen(app).model_tree.focus()
        await at_rest(pilot)

        assert screen_text(app) == before


async def test_a_configuration_that_cant_be_read_is_told_and_left_alone(
    sample: Registry, tmp_path: Path
) -> None:
    from regtui.tui.config import AppConfig

    file = tmp_path / "app.toml"
    file.write_text("[app\ntheme = 3", encoding="utf-8")
    app = RegtuiApp(sample, config=AppConfig(file))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        await shows(pilot, "can't be used")
        await press(pilot, "ctrl+t")

    assert file.read_text(encoding="utf-8") == "[app\ntheme = 3"


async def test_keys_that_clash_are_told_and_the_usual_ones_work(make_app: MakeApp) -> None:
    app = make_app(keys={"table.down": "k"})
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await shows(pilot, "the key 'k' does both")
        await at_rest(pilot)
        await press(pilot, "j")

        assert models_screen(app).model_tree.cursor == 1


async def test_chosen_keys_work_and_show(make_app: MakeApp) -> None:
    app = make_app(keys={"app.undo": "Z", "table.down": "n,down"})
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await at_rest(pilot)
        models_screen(app).versions.focus()
        await press(pilot, "n")

        assert models_screen(app).versions.cursor == 1
        assert "Z Undo" in screen_text(app)


async def test_a_read_only_app_changes_nothing(make_app: MakeApp, sample: Registry) -> None:
    head = sample.anchor().seq
    app = make_app(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        models_screen(app).versions.focus()
        await press(pilot, "u", "A", "D", "e", "a", "t")
        await shows(pilot, "read-only")

    assert sample.anchor().seq == head


async def test_what_nobody_foresaw_is_a_message(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(debug=False)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)

        def fail(*_: object) -> None:
            raise ZeroDivisionError("by nothing")

        monkeypatch.setattr(Registry, "models", fail)
        await press(pilot, "f5")

        await shows(pilot, "something unforeseen")


async def test_an_order_a_theme_and_columns_that_are_none_are_told_and_ignored(
    sample: Registry, tmp_path: Path
) -> None:
    from regtui.tui.config import AppConfig

    file = tmp_path / "app.toml"
    text = '[app]\nsort = "-metric"\ntheme = "nope"\ncolumns = ["number", "foo", "metric."]\n'
    file.write_text(text, encoding="utf-8")
    app = RegtuiApp(sample, config=AppConfig(file))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await shows(pilot, "app.sort is ignored: metric needs a name")
        await shows(pilot, "there is no theme 'nope'")
        await shows(pilot, "there is no column 'foo'")
        await shows(pilot, "there is no column 'metric.'")
        await at_rest(pilot)

        assert models_screen(app).versions.total == 9
        app.config.choose(sort="-size")
        assert app.config.write() is None


async def test_a_text_that_comes_as_keys_is_dropped(app: RegtuiApp, sample: Registry) -> None:
    before = sample.anchor().seq
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        models_screen(app).versions.focus()
        for _ in range(3 * MOST):
            app.post_message(events.Key("x", "x"))
        await shows(pilot, "too many keys at once")
        await at_rest(pilot)

    assert sample.anchor().seq == before


async def test_a_key_that_repeats_does_not_hide_the_screen_behind_its_warning(
    make_app: MakeApp,
) -> None:
    app = make_app(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await at_rest(pilot)
        await press(pilot, "u", "u", "u")
        await shows(pilot, "read-only: nothing can be changed")

        assert screen_text(app).count("read-only: nothing can be changed") == 1
