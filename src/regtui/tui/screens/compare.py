"""The second screen: two to eight versions side by side, against one of them, the baseline.

Values show at once; files and tensors follow one version after another, for matching 100,000
tensors takes a second. What was matched is kept: the content of a version never changes. Rows are
built in a thread too. A newer wish (another baseline, other versions) makes older work pointless.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.side_by_side import Sides, side_by_side
from regtui.tui import collecting
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.background import in_background, start
from regtui.tui.comparison.content import Content, condensed
from regtui.tui.comparison.markdown import file_name, markdown
from regtui.tui.comparison.plot import metric_plot
from regtui.tui.comparison.rows import Row, differing, place_of, rows_of, titles
from regtui.tui.comparison.words import explained
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import safe
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.widgets.compare_table import CompareTable
from regtui.tui.widgets.curves import Curves
from regtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from textual.timer import Timer

LEAST = 2
"""Versions that can be compared."""

SETTLE = 0.05
"""Seconds that the cursor stands on a metric before its curves are read."""

PATIENCE = 1.0
"""Seconds until what is compared so far shows: building 100,000 rows takes as long."""

STEPS = {
    "app.models": "go to the models",
    "versions.mark": "mark versions there, 2 to 8 of them",
    "versions.compare": "compare the marked ones; one alone with the one before it",
}
"""What leads to a comparison, by the action."""


class CompareScreen(RegtuiScreen):
    """Versions side by side."""

    NAME = "compare"
    SCOPES = ("compare",)
    BINDINGS = bindings("compare")
    CSS_PATH = "../styles/compare.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._ids: list[str] = []
        self._baseline = 0
        self._sides: Sides | None = None
        self._contents: dict[tuple[str, str], Content | str] = {}
        """How the content of one version differs from that of another, by both ids."""
        self._rows: list[Row] = []
        self._everything = False
        self._wished: bool | None = None
        """Whether the curves are wanted; None where the size decides."""
        self._metric: str | None = None
        self._settling: Timer | None = None

    def body(self) -> Iterable[Widget]:
        """Return table, the cell in words, and curves."""
        with Vertical(id="compare-body"):
            yield CompareTable(id="comparison")
            yield Static("", id="compare-words", markup=False)
            yield Curves(id="compare-curves")
        yield Static(self._nothing(), id="compare-empty", markup=False)

    def on_mount(self) -> None:
        """Show what the app was asked to compare."""
        self._show_or_tell()
        if self.regtui.compared:
            self.show_versions(self.regtui.compared)

    def _hint(self) -> str:
        left, right, remove, baseline, differences = (
            key_of(self.regtui, f"compare.{name}")
            for name in ("previous", "next", "remove", "baseline", "differences")
        )
        return (
            f"{left} and {right} choose the version that is looked at, {remove} takes it out.\n"
            f"{baseline} compares with the next one, {differences} shows everything or only "
            "what differs."
        )

    def _nothing(self) -> str:
        keys = {step: key_of(self.regtui, step) for step in STEPS}
        width = max(map(len, keys.values()))
        lines = (f"{keys[step]:{width}}  {text}" for step, text in STEPS.items())
        return "\n".join(["Nothing to compare yet.", "", *lines])

    @property
    def table(self) -> CompareTable:
        """The table."""
        return self.query_one(CompareTable)

    @property
    def settles(self) -> bool:
        """Whether it waits a moment for the cursor to stand."""
        return self._settling is not None

    def on_screen_resume(self) -> None:
        """Show what was committed while another screen was shown."""
        self.reload()

    def show_versions(self, versions: Sequence[VersionAnswer]) -> None:
        """Compare other versions; the first one is the baseline."""
        ids = [version.id for version in versions]
        if ids != self._ids:
            self._ids, self._baseline, self._sides, self._rows = ids, 0, None, []
            self._metric = None
            self.table.show_titles("reading …", [version.reference for version in versions], 1)
            self.table.show_rows([], cursor=0)
        self._show_or_tell()
        self.reload()

    def reload(self) -> None:
        """Read and show the versions anew."""
        if self._ids:
            start(self, self._show, group="compare")

    def registry_changed(self) -> None:
        """Show what was committed."""
        self.reload()

    # What it shows

    async def _show(self) -> None:
        references = [f":{identity}" for identity in self._ids]
        sides = await self.read(
            lambda registry: side_by_side(registry.context, references), lane="sides"
        )
        if sides is None:
            return
        self._sides = sides
        self._show_titles()
        await self._show_rows()
        self._show_curves()
        before = self._ids[self._baseline]
        missing = [
            after
            for after in self._ids
            if after != before and (before, after) not in self._contents
        ]
        shown, last = time.monotonic(), missing[-1] if missing else ""
        for after in missing:
            self._contents[before, after] = await self._compared(before, after)
            if after == last or time.monotonic() - shown > PATIENCE:
                await self._show_rows()
                shown = time.monotonic()

    async def _compared(self, before: str, after: str) -> Content | str:
        def compare(registry: Registry) -> Content:
            return condensed(registry.diff(f":{before}", f":{after}"))

        try:
            with collecting.later():
                return await in_background(partial(compare, self.regtui.registry))
        except RegtuiError as error:
            return f"not compared: {error.message}"
        except OSError as error:
            return f"not compared: {error.strerror or error}"

    async def _show_rows(self) -> None:
        """Build and show the rows, with the cursor on the row that it was on."""
        sides = self._sides
        if sides is None:
            return
        before = self._ids[self._baseline]
        contents = [self._contents.get((before, after)) for after in self._ids]
        with collecting.later():
            self._rows = await asyncio.to_thread(rows_of, sides, self._baseline, contents)
        await self._filter_rows()

    async def _filter_rows(self) -> None:
        table = self.table
        current, line = table.current, table.cursor - round(table.scroll_y)
        shown = self._rows
        if not self._everything:
            shown = await asyncio.to_thread(differing, self._rows)
        at = await asyncio.to_thread(place_of, shown, current)
        key = key_of(self.regtui, "compare.differences")
        table.empty = f"these versions do not differ; {key} shows everything"
        if at is None:
            table.show_rows(shown, cursor=min(table.cursor, max(len(shown) - 1, 0)))
        else:
            table.show_rows(shown, cursor=at, offset=line)
        self._say()

    def _show_titles(self) -> None:
        sides = self._sides
        if sides is None:
            return
        versions = [side.version for side in sides.sides]
        shown = [
            f"{title} baseline" if place == self._baseline else " ".join([title, *version.aliases])
            for place, (title, version) in enumerate(zip(titles(versions), versions, strict=True))
        ]
        corner = "Everything" if self._everything else "Differences"
        self.table.show_titles(corner, shown, self.table.column)

    def _show_or_tell(self) -> None:
        is_empty = not self._ids
        self.query_one("#compare-body").display = not is_empty
        self.query_one("#compare-empty").display = is_empty
        if not is_empty:
            self.table.focus()

    def _say(self) -> None:
        """Say the cell that is looked at in words."""
        row, sides = self.table.current, self._sides
        lines: list[str] = []
        if row is not None and sides is not None and len(row.cells) == len(sides.sides):
            names = titles([side.version for side in sides.sides])
            lines = explained(row, self.table.column, self._baseline, names)
        self.query_one("#compare-words", Static).update(
            Text(safe("\n".join(lines)) or self._hint(), "" if lines else "dim")
        )

    # Curves

    @property
    def _curves(self) -> Curves:
        return self.query_one(Curves)

    def on_resize(self) -> None:
        """Show the curves where there is room, unless a person chose."""
        self._show_curves()

    def _show_curves(self) -> None:
        is_tall = self.size.height >= 36  # noqa: PLR2004 -- as the class `-tall`
        is_wanted = is_tall if self._wished is None else self._wished
        self._curves.display = is_wanted
        if is_wanted and self._sides is not None:
            start(self, self._read_curves, group="curves")

    async def _read_curves(self) -> None:
        names = list(self._sides.directions) if self._sides is not None else []
        if not names:
            self._curves.clear("none of these versions has a metric")
            return
        references = [f":{identity}" for identity in self._ids]
        answer = await self.read(
            lambda registry: metric_plot(registry, references, self._metric, names),
            lane="curves",
            quiet=True,
        )
        if answer is not None:
            self._curves.show(answer)

    @on(VirtualTable.Highlighted, "#comparison")
    def _follow(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._say()
        row = event.row
        if isinstance(row, Row) and row.section == "metrics" and row.name not in {"", self._metric}:
            self._metric = row.name
            if self._settling is not None:
                self._settling.stop()
            self._settling = self.after(SETTLE, self._settled)

    def _settled(self) -> None:
        self._settling = None
        self._show_curves()

    @on(CompareTable.ColumnChosen)
    def _column_chosen(self, event: CompareTable.ColumnChosen) -> None:
        event.stop()
        self._say()

    @on(VirtualTable.Opened, "#comparison")
    async def _open(self, event: VirtualTable.Opened) -> None:
        """Go to the version of the column that is looked at."""
        event.stop()
        await self.regtui.go_to(f":{self._ids[self.table.column]}")

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "compare":
            return None
        if not self._ids:
            key = key_of(self.regtui, "versions.compare")
            return f"nothing is compared yet: mark versions on the models screen, then press {key}"
        if action.name == "remove" and len(self._ids) <= LEAST:
            return "two versions are the least that can be compared"
        if action.name == "export" and self.regtui.read_only:
            return "this app is read-only: it writes no files"
        return None

    def do_differences(self) -> None:
        """Show only what differs, or everything."""
        self._everything = not self._everything
        self._show_titles()
        start(self, self._filter_rows, group="filter")

    def do_baseline(self) -> None:
        """Compare with the next version instead."""
        self._baseline = (self._baseline + 1) % len(self._ids)
        self.reload()

    def do_remove(self) -> None:
        """Take the version of the column that is looked at out of the comparison."""
        place = self.table.column
        del self._ids[place]
        if place < self._baseline or self._baseline == len(self._ids):
            self._baseline -= 1
        self.regtui.compared = [one for one in self.regtui.compared if one.id in self._ids]
        self.reload()

    def do_previous(self) -> None:
        """Look at the column on the left."""
        self.table.do_left()

    def do_next(self) -> None:
        """Look at the column on the right."""
        self.table.do_right()

    def do_curves(self) -> None:
        """Show or hide the curves of the metric."""
        self._wished = not self._curves.display
        self._show_curves()

    def do_export(self) -> None:
        """Write what is shown as a Markdown file."""
        from regtui.tui.acts.exporting import export_comparison

        sides = self._sides
        if sides is None:
            return
        references = [side.version.reference for side in sides.sides]
        rows, is_all, baseline = self._rows, self._everything, self._baseline

        def make() -> str:
            return markdown(rows if is_all else differing(rows), references, baseline)

        start_act(self, export_comparison, make, file_name(references))
