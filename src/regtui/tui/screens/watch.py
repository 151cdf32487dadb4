"""The fifth screen: watched folders, what is being captured of them, and what came of it.

All of it is what watchers write down for whoever looks (`regtui.capture.reports`), wherever they
run; the app looks at it twice a second and watches nothing itself.
"""

import time
from collections.abc import Iterable

from textual import on
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Static

from regtui.capture.reports import Told
from regtui.registry.watch_rules import WatchRule
from regtui.registry.watch_status import WatchedFolder, WatchStatus
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.background import in_background, start
from regtui.tui.key_names import key_of
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.virtual_table import VirtualTable
from regtui.tui.widgets.watch_tables import (
    BAD,
    ODD,
    DoingRow,
    DoingTable,
    FolderRow,
    FolderTable,
    ToldTable,
    of_folder,
    told_key,
)

EVENTS = 500
"""Events that are listed."""

KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("", frozenset()),
    ("versions", frozenset({"captured", "known", "labelled"})),
    ("oddities", BAD | ODD | {"skipped", "held"}),
)
"""What of the events is shown, in turn; none stands for all."""


class WatchScreen(RegtuiScreen):
    """Watched folders."""

    NAME = "watch"
    SCOPES = ("watch",)
    BINDINGS = bindings("watch")
    CSS_PATH = "../styles/watch.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._status: WatchStatus | None = None
        self._folder = ""
        self._kinds = 0
        self._stored: dict[str, tuple[int, float]] = {}
        self._rates: dict[str, float] = {}
        self._has_changed = self._is_reading = False

    def body(self) -> Iterable[Widget]:
        """Return the three lists, and a line for the row under the cursor."""
        with Vertical(id="watch-body"):
            yield FolderTable(id="watched")
            with Container(id="watch-doing"):
                yield DoingTable(id="doing")
            yield ToldTable(id="told")
            yield Static("", id="watch-detail", markup=False)

    def on_mount(self) -> None:
        """Go to the folders."""
        self.set_focus(self.folders)

    def on_screen_resume(self) -> None:
        """Show what happened while another screen was shown."""
        self.watchers_changed()

    @property
    def folders(self) -> FolderTable:
        """The folders."""
        return self.query_one(FolderTable)

    @property
    def current(self) -> WatchedFolder | None:
        """The folder under the cursor; None for all."""
        row = self.folders.current
        return None if row is None else row.folder

    @property
    def event(self) -> Told | None:
        """The event under the cursor, where the cursor is among them."""
        table = self.query_one(ToldTable)
        return table.current if table.has_focus else None

    # What it shows

    def watchers_changed(self) -> None:
        """Show what watchers do now; what they do meanwhile, afterwards."""
        self._has_changed = True
        if not self._is_reading:
            self._is_reading = True
            start(self, self._read, group="watch")

    def registry_changed(self) -> None:
        """Show what watchers do now; what they commit they also tell."""
        self.watchers_changed()

    async def _read(self) -> None:
        try:
            while self._has_changed:
                self._has_changed = False
                await self._read_once()
        finally:
            self._is_reading = False

    async def _read_once(self) -> None:
        registry = self.regtui.registry
        try:
            # A folder of a server that is gone may keep a thread for ever: one of its own.
            found = await in_background(lambda: registry.watch_status(limit=EVENTS))
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self.regtui.show_error(error)
            return
        self._count_rates(found)
        rows = [FolderRow(None)] if len(found.folders) > 1 else []
        rows += [FolderRow(folder) for folder in found.folders]
        key = key_of(self.regtui, "watch.add")
        self.folders.empty = found.problem or f"nothing is watched; {key} watches a folder"
        self._status = found
        show_again(self.folders, rows, lambda row: row.key)
        self._show_below()
        self.refresh_bindings()

    def _count_rates(self, found: WatchStatus) -> None:
        """Take from two looks how fast what is being captured is stored."""
        now, stored = time.monotonic(), {}
        for row in self._doing(found):
            if row.doing.phase == "capturing":
                before, since = self._stored.get(row.key, (0, now))
                more = row.doing.stored - before
                if more > 0 and now > since:
                    self._rates[row.key] = more / (now - since)
                stored[row.key] = (row.doing.stored, now)
        self._stored = stored
        self._rates = {key: rate for key, rate in self._rates.items() if key in stored}

    def _doing(self, found: WatchStatus) -> list[DoingRow]:
        return [
            DoingRow(folder.path, one)
            for folder in found.folders
            for report in folder.watchers
            for one in report.doing
            if not self._folder or folder.path == self._folder
        ]

    def _show_below(self, *, stay: bool = True) -> None:
        """Show what belongs to the folder under the cursor."""
        found = self._status
        if found is None:
            return
        doing = [
            DoingRow(row.root, row.doing, self._rates.get(row.key, 0.0))
            for row in self._doing(found)
        ]
        table = self.query_one(DoingTable)
        table.empty = "nothing waits to be captured" if found.folders else ""
        show_again(table, doing, lambda row: row.key, stay=stay)
        name, kinds = KINDS[self._kinds]
        told = [one for one in of_folder(found.events, self._folder) if self._is_shown(one, kinds)]
        table_told = self.query_one(ToldTable)
        table_told.empty = f"no {name or 'events'} yet"
        table_told.border_title = name
        show_again(table_told, told, told_key, stay=stay and table_told.cursor > 0)
        self._show_detail()

    @staticmethod
    def _is_shown(told: Told, kinds: frozenset[str]) -> bool:
        return not kinds or told.event in kinds

    @on(VirtualTable.Highlighted)
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if event.control is self.folders:
            folder = "" if self.current is None else self.current.path
            if folder != self._folder:
                self._folder = folder
                self._show_below(stay=False)
        self._show_detail()

    def on_descendant_focus(self) -> None:
        """Tell more of the row that the cursor is on now."""
        self._show_detail()

    def _show_detail(self) -> None:
        self.query_one("#watch-detail", Static).update(self._detail())
        self.refresh_bindings()

    def _detail(self) -> str:
        """Return what there is no room for in the row under the cursor."""
        doing, told = self.query_one(DoingTable), self.query_one(ToldTable)
        if doing.has_focus and doing.current is not None:
            one = doing.current.doing
            return f"{doing.current.root}/{one.path}  {one.recogniser}\n{one.reason}"
        if told.has_focus and told.current is not None:
            event = told.current
            where = event.root if event.path is None else f"{event.root}/{event.path}"
            return f"{where}  {event.recogniser or ''}\n{event.message}"
        problem = "" if self._status is None else self._status.problem
        if self.current is None:
            return problem
        who = [f"process {one.pid} on {one.host}" for one in self.current.watchers]
        return f"{self.current.path}\n{problem or ', '.join(who) or 'nobody watches it'}"

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "watch" or not self.is_mounted:
            return None
        folder = self.current
        if action.name in {"edit", "remove", "test"} and folder is None:
            return "put the cursor on a folder first"
        if action.name == "remove" and folder is not None and folder.rule is None:
            return "no rule watches this folder; its watcher was started for it"
        if action.name == "run" and not self.is_running_by_rules and not self._has_rules:
            return "watch a folder first"
        return None

    @property
    def _has_rules(self) -> bool:
        return self._status is not None and any(one.rule for one in self._status.folders)

    @property
    def is_running_by_rules(self) -> bool:
        """Whether a watcher of the rules lives."""
        return self._status is not None and bool(self._status.by_rules)

    def do_add(self) -> None:
        """Watch another folder."""
        from regtui.tui.acts.watching import add_folder

        start_act(self, add_folder)

    def do_edit(self) -> None:
        """Change how the folder is watched."""
        from regtui.tui.acts.watching import edit_rule

        if self.current is not None:
            start_act(self, edit_rule, self.current)

    def do_remove(self) -> None:
        """Watch the folder no more."""
        from regtui.tui.acts.watching import remove_rule

        if self.current is not None and self.current.rule is not None:
            start_act(self, remove_rule, self.current.rule)

    def do_test(self) -> None:
        """Tell what would be captured of what is under the cursor, and why or why not."""
        from regtui.tui.acts.watching import explain

        doing = self.query_one(DoingTable)
        folder, event = self.current, self.event
        if doing.has_focus and doing.current is not None:
            root = doing.current.root
            start_act(self, explain, f"{root}/{doing.current.doing.path}", self._rule_of(root))
        elif event is not None and event.path:
            start_act(self, explain, f"{event.root}/{event.path}", self._rule_of(event.root))
        elif folder is not None:
            start_act(self, explain, folder.path, self._rule_of(folder.path))

    def _rule_of(self, root: str) -> WatchRule:
        """Return how a folder is watched: by its rule, where it has one."""
        found = [] if self._status is None else self._status.folders
        kept = next((one.rule for one in found if one.path == root), None)
        return kept or WatchRule(path=root)

    def do_run(self) -> None:
        """Start a watcher of the rules, or stop it."""
        from regtui.tui.acts.watching import start_watching, stop_watching

        start_act(self, stop_watching if self.is_running_by_rules else start_watching)

    def do_kinds(self) -> None:
        """Show all events, versions alone, or oddities alone."""
        self._kinds = (self._kinds + 1) % len(KINDS)
        self.notify(f"events: {KINDS[self._kinds][0] or 'all'}", timeout=2)
        self._show_below(stay=False)

    @on(VirtualTable.Opened)
    def _open(self, event: VirtualTable.Opened) -> None:
        """Go to the version of an event; of what is none, tell why."""
        event.stop()
        told = self.event
        if told is not None and told.version is not None:
            start(self, self.regtui.go_to, f":{told.version}", group="act", together=True)
        elif told is None or told.path is not None:
            self.do_test()
