"""The seventh screen: what was done to the registry, newest first, as it goes on.

The feed (`regtui.tui.activity_feed`) gives pages by their number. When the registry changes, what
is in sight is read again before it takes the old rows' place, with the cursor on its operation:
older rows change too, when they are undone. At the top new operations push the others down; further
below nothing moves.
"""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from regtui.core.query.errors import QueryError
from regtui.registry import Registry
from regtui.registry.history import LogRequest, OperationAnswer
from regtui.tui.actions import Action, bindings
from regtui.tui.activity_feed import Feed, FeedRow
from regtui.tui.acts.starting import start_act
from regtui.tui.background import start
from regtui.tui.key_names import key_of
from regtui.tui.log_filter import checked
from regtui.tui.operation_text import operation_text
from regtui.tui.reader import Superseded
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.widgets.activity_table import ActivityTable
from regtui.tui.widgets.log_filter_bar import LogFilterBar
from regtui.tui.widgets.virtual_table import PAGE, VirtualTable

if TYPE_CHECKING:
    from regtui.registry.audit import Audit
    from regtui.tui.jobs import Job


class ActivityScreen(RegtuiScreen):
    """The history as a feed."""

    NAME = "activity"
    SCOPES = ("activity",)
    BINDINGS = bindings("activity")
    CSS_PATH = "../styles/activity.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._feed = Feed(LogRequest())
        self._filter = ""
        self._shown = False
        self._is_nothing = True
        self.verifying: Job[Audit] | None = None
        """The verification that runs."""

    def body(self) -> Iterable[Widget]:
        """Return filter, list and detail."""
        with Container(id="activity-body"):
            with Vertical(id="activity-list"):
                yield LogFilterBar(id="activity-filter")
                yield ActivityTable(id="operations")
                yield Static("", id="activity-progress", markup=False)
            with VerticalScroll(id="activity-detail", can_focus=True):
                yield Static("", id="operation", markup=False)

    def on_mount(self) -> None:
        """Go to the list."""
        self.set_focus(self.table)

    def on_screen_resume(self) -> None:
        """Show what was done while another screen was shown."""
        self.registry_changed()

    @property
    def table(self) -> ActivityTable:
        """The operations."""
        return self.query_one(ActivityTable)

    @property
    def filter_bar(self) -> LogFilterBar:
        """The filter."""
        return self.query_one(LogFilterBar)

    @property
    def settles(self) -> bool:
        """Whether it waits for the typing to pause."""
        return self.filter_bar.settles

    @property
    def current(self) -> OperationAnswer | None:
        """The operation under the cursor."""
        row = self.table.current
        return None if row is None else row.operation

    # What it shows

    def registry_changed(self) -> None:
        """Show what was done."""
        again = self._show_again if self._shown else self._show_anew
        start(self, again, group="feed")

    async def _show_anew(self) -> None:
        """Show the operations of the present filter from the newest on."""
        text = self._filter
        try:
            request = await self.regtui.reader.read(
                lambda registry: checked(registry.context, text), lane="activity.filter"
            )
        except QueryError as error:
            self.filter_bar.show_error(error)
            return
        except Superseded:
            return
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self.regtui.show_error(error)
            return
        self.filter_bar.show_error(None)
        self.filter_bar.show_count("…")
        feed = Feed(request)

        def first(registry: Registry) -> list[FeedRow]:
            feed.renew(registry)
            return feed.page(registry, 0)

        rows = await self.read(first, lane="feed")
        if rows is None:
            return
        self._feed, self._shown = feed, True
        self.table.empty = self._nothing()
        self.table.show(feed.total, {0: rows}, cursor=0)
        self._show_count()

    async def _show_again(self) -> None:
        """Show what was done since, and what is in sight as it is now."""
        table, feed = self.table, self._feed
        # Asked for here: only this thread may touch widgets.
        at, lines = table.cursor, table.lines
        line = at - round(table.scroll_y)
        is_at_top = round(table.scroll_y) == 0

        def look(registry: Registry) -> tuple[int, dict[int, list[FeedRow]]]:
            new = feed.renew(registry)
            top = 0 if is_at_top and new + line < lines else at + new - line
            bottom = min(top + lines, max(feed.total, 1))
            numbers = range(max(top, 0) // PAGE, max(bottom - 1, 0) // PAGE + 1)
            return new, {number: feed.page(registry, number) for number in numbers}

        found = await self.read(look, lane="feed", quiet=True)
        if found is None or feed is not self._feed:
            return
        new, pages = found
        # The cursor may have moved meanwhile, so it is asked for again.
        line = table.cursor - round(table.scroll_y)
        offset = None if is_at_top and new + line < table.lines else line
        table.show(feed.total, pages, cursor=table.cursor + new, offset=offset)
        table.glow(str(row.seq) for row in pages.get(0, [])[:new])
        self._show_count()

    def _show_count(self) -> None:
        feed = self._feed
        known = feed.total if feed.is_whole else feed.total - PAGE
        self.filter_bar.show_count(f"{known:,}" + ("" if feed.is_whole else "+"))

    def _nothing(self) -> str:
        if self._feed.is_filtered:
            key = key_of(self.regtui, "activity.filter")
            return f"nothing matches the filter; {key} changes it, esc there clears it"
        return "nothing was done yet; `regtui capture PATH` makes a first version"

    @on(VirtualTable.Wanted, "#operations")
    def _fetch(self, event: VirtualTable.Wanted) -> None:
        event.stop()
        start(self, self._fetch_pages, event.pages, self._feed, group="pages", together=True)

    async def _fetch_pages(self, numbers: list[int], feed: Feed) -> None:
        # What is looked for among a million may take seconds: another filter makes it pointless.
        lane = "feed" if feed.is_filtered else ""
        for number in numbers:
            rows = await self.read(partial(feed.page, number=number), lane=lane, quiet=True)
            if feed is not self._feed:
                return
            if rows is None:
                self.table.drop_page(number)
            else:
                self.table.take(number, rows, feed.total)
                self._show_count()

    @on(VirtualTable.Highlighted, "#operations")
    def _show_detail(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        operation = self.current
        shown = self.query_one("#operation", Static)
        shown.update("" if operation is None else operation_text(operation))
        if (operation is None) != self._is_nothing:
            self._is_nothing = operation is None
            self.refresh_bindings()  # what can be done now

    # What the filter tells

    @on(LogFilterBar.Changed)
    def _filter_changed(self, event: LogFilterBar.Changed) -> None:
        event.stop()
        self._filter = event.text
        start(self, self._show_anew, group="feed")

    @on(LogFilterBar.Left)
    def _filter_left(self, event: LogFilterBar.Left) -> None:
        event.stop()
        self.set_focus(self.table)

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "activity":
            return None
        if action.name in {"undo", "go"} and self.current is None:
            return "there is no operation under the cursor"
        return None

    def do_filter(self) -> None:
        """Go to the filter."""
        self.set_focus(self.filter_bar.input)

    def do_undo(self) -> None:
        """Take back the operation under the cursor."""
        from regtui.tui.acts.history import undo_operation

        if self.current is not None:
            start_act(self, undo_operation, self.current)

    def do_verify(self) -> None:
        """Verify the history; again stops it."""
        from regtui.tui.acts.history import verify_history

        if self.verifying is not None:
            self.verifying.stop()
        else:
            start(self, verify_history, self, group="act", together=True)

    def do_go(self) -> None:
        """Go to what the operation was done to."""
        from regtui.tui.acts.history import go_to_subject

        if self.current is not None:
            start_act(self, go_to_subject, self.current)

    @on(VirtualTable.Opened, "#operations")
    def _open(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.do_go()

    def show_progress(self, text: str) -> None:
        """Show how far something is; empty for nothing."""
        line = self.query_one("#activity-progress", Static)
        line.update(text)
        line.display = bool(text)
