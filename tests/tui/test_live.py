"""Another process commits twice a second while one scrolls: nothing flickers, the cursor stays."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from regtui.tui.widgets.version_table import VersionTable
from tests.registry.test_listing import capture_some
from tests.tui.driving import at_rest, current, models_screen, press, until

pytestmark = pytest.mark.slow

WRITER = """
import pathlib, sys, time
import regtui
registry, folder = regtui.open(sys.argv[1]), pathlib.Path(sys.argv[2])
for number in range(int(sys.argv[3])):
    (folder / "weights").write_text(str(number))
    registry.capture(folder / "weights", model="live/run", metrics={"loss": (1 / (number + 1), 1)})
    time.sleep(0.5)
"""
COMMITS = 5


@pytest.fixture
def writer(sample: Registry, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that commits; the registry has some pages of versions by then."""
    for seed in range(6):
        capture_some(sample.context, random.Random(seed))
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(sample.home), str(tmp_path), str(COMMITS)]
    ) as running:
        yield running
        running.kill()


async def test_while_another_process_commits_nothing_flickers_and_the_cursor_stays(
    sample: Registry,
    app: RegtuiApp,
    writer: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = sample.count()
    missing: list[int] = []
    paint = VersionTable._line

    def noted(table: VersionTable, index: int) -> object:
        if table.row(index) is None:
            missing.append(index)
        return paint(table, index)

    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        table = models_screen(app).versions
        table.focus()
        await press(pilot, "j", "j")
        monkeypatch.setattr(VersionTable, "_line", noted)
        stood, line = current(app), table.cursor - round(table.scroll_y)
        while table.total < before + 2:
            await pilot.pause(0.02)
            assert current(app) == stood  # while others come above it
        assert table.cursor - round(table.scroll_y) == line
        for _ in range(30):
            was, place = table.current, table.cursor
            total = table.total
            await pilot.press("j")
            if table.total == total:  # else the rows have moved meanwhile
                assert table.cursor == place + 1
            assert table.current is not None
            assert was is not None
            assert table.current.version.id != was.version.id
        await until(pilot, lambda: table.total >= before + COMMITS)

    assert writer.wait() == 0
    assert missing == []


async def test_what_is_typed_meanwhile_stays(
    app: RegtuiApp, sample: Registry, writer: "subprocess.Popen[bytes]"
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        await press(pilot, "slash", *"model:nl")
        bar = models_screen(app).filter_bar
        while writer.poll() is None:
            await pilot.pause(0.05)
            assert bar.input.value == "model:nl"
            assert bar.input.has_focus
        await press(pilot, "p")
        assert bar.input.value == "model:nlp"
