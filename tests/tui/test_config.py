"""What the app keeps of a person's choices: written in order, off the thread of the screen."""

import threading
import time
from pathlib import Path

import pytest

from regtui.tui.app import RegtuiApp
from regtui.tui.config import AppConfig
from tests.tui.driving import models_screen, press, screen_text, shows
from tests.tui.watching import running, told


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file that the app of these tests has."""
    return tmp_path / "app.toml"


@pytest.fixture
def config(file: Path) -> AppConfig:
    return AppConfig(file)


def test_what_is_chosen_is_written_beside_what_people_wrote(file: Path) -> None:
    file.write_text('# mine\n[app]\nsort = "size" # why\nascii = true\n', encoding="utf-8")
    config = AppConfig(file)
    config.choose(theme="ansi-dark", sort="")

    assert config.write() is None

    text = file.read_text(encoding="utf-8")
    assert text.startswith("# mine\n[app]\n")
    assert (AppConfig(file).theme, AppConfig(file).sort, AppConfig(file).ascii) == (
        "ansi-dark",
        "",
        True,
    )


def test_a_choice_that_comes_while_one_is_written_is_written_after_it(
    config: AppConfig, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, began, may_end = config._write, threading.Event(), threading.Event()

    def slow(text: str) -> None:
        began.set()
        may_end.wait()
        write(text)

    monkeypatch.setattr(config, "_write", slow)
    config.choose(theme="first", sort="size")
    threads = [threading.Thread(target=config.write)]
    threads[0].start()
    began.wait()
    for theme in ("second", "third"):
        config.choose(theme=theme)
        threads.append(threading.Thread(target=config.write))
        threads[-1].start()
    may_end.set()
    for thread in threads:
        thread.join()

    assert (AppConfig(file).theme, AppConfig(file).sort) == ("third", "size")


def test_what_could_not_be_written_is_written_with_the_next_choice(
    config: AppConfig, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(config, "_write", fail)
        config.choose(theme="first", sort="size")
        assert config.write() == f"{file} can't be written: No space left on device"
    config.choose(theme="second")
    assert config.write() is None

    assert (AppConfig(file).theme, AppConfig(file).sort) == ("second", "size")


async def test_a_slow_disk_holds_up_no_key(
    app: RegtuiApp, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, may_end = app.config._write, threading.Event()

    def slow(text: str) -> None:
        may_end.wait()
        write(text)

    monkeypatch.setattr(app.config, "_write", slow)
    async with running(app) as pilot:
        await pilot.press("ctrl+t", "j", "j")
        await shows(pilot, "6 versions")
        assert app.theme == "regtui-light"
        assert models_screen(app).model_tree.cursor == 2
        assert told(app) == ""
        may_end.set()
        await press(pilot)

        assert told(app) == "theme regtui-light"

    assert AppConfig(file).theme == "regtui-light"


async def test_leaving_waits_for_what_is_written(
    app: RegtuiApp, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = app.config._write

    def slow(text: str) -> None:
        time.sleep(0.2)
        write(text)

    monkeypatch.setattr(app.config, "_write", slow)
    async with running(app) as pilot:
        await pilot.press("ctrl+t", "ctrl+t", "ctrl+t", "q")

    assert AppConfig(file).theme == "ansi-dark"


async def test_a_disk_that_takes_nothing_does_not_hold_the_app(
    app: RegtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regtui.tui.app.LEAVING", 0.1)
    may_end = threading.Event()
    monkeypatch.setattr(app.config, "_write", lambda _: may_end.wait())
    async with running(app) as pilot:
        await pilot.press("ctrl+t", "q")
    may_end.set()


async def test_that_a_choice_can_not_be_kept_is_told(
    app: RegtuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(app.config, "_write", fail)
    async with running(app) as pilot:
        await press(pilot, "slash", *"alias:champion", "enter")

        assert "can't be written: No space left on device" in told(app)
        assert "1 version" in screen_text(app)
