"""The sixth screen: what people set without seeing each other, and what waits for the server.

Both lists are small, for somebody has to look at each row of them; they are read as a whole
whenever the registry changes. What is under the cursor is told beside or below, and how texts
differ is worked out in a thread.
"""

import asyncio
from collections.abc import Iterable

from rich.text import Text
from textual import on
from textual.containers import Container, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from regtui.registry import Registry
from regtui.registry.answers_conflicts import ConflictAnswer
from regtui.registry.outbox import OutboxEntry
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.background import start
from regtui.tui.conflict_view import conflict_text, entry_text
from regtui.tui.key_names import key_of
from regtui.tui.outbox_rows import causes, outbox_rows
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.widgets.conflict_tables import ConflictTable, OutboxTable
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.virtual_table import VirtualTable

ON_CONFLICTS = frozenset({"stands", "mine"})
"""Actions on a conflict alone."""

ON_OUTBOX = frozenset({"retry", "discard"})
"""Actions on a refused operation alone."""

ON_ALL = frozenset({"retry_all", "discard_all"})
"""Actions on everything that was refused."""


class ConflictsScreen(RegtuiScreen):
    """Conflicts and outbox."""

    NAME = "conflicts"
    SCOPES = ("conflicts",)
    BINDINGS = bindings("conflicts")
    CSS_PATH = "../styles/conflicts.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._outbox: list[OutboxEntry] = []
        self._with_resolved = False
        self._is_in_outbox = False

    def body(self) -> Iterable[Widget]:
        """Return the two lists, and what is told of the row under the cursor."""
        with Container(id="conflicts-body"):
            with Vertical(id="conflicts-lists"):
                yield ConflictTable(id="conflicts")
                yield OutboxTable(id="outbox")
            with VerticalScroll(id="conflicts-detail", can_focus=True):
                yield Static("", id="conflicts-told", markup=False)

    def on_mount(self) -> None:
        """Go to the conflicts."""
        self.outbox.border_title = "outbox"
        self.set_focus(self.conflicts)

    def on_screen_resume(self) -> None:
        """Show what came while another screen was shown."""
        self.registry_changed()

    @property
    def conflicts(self) -> ConflictTable:
        """The conflicts."""
        return self.query_one(ConflictTable)

    @property
    def outbox(self) -> OutboxTable:
        """The outbox."""
        return self.query_one(OutboxTable)

    @property
    def conflict(self) -> ConflictAnswer | None:
        """The conflict under the cursor, unless the cursor is in the outbox."""
        return None if self._is_in_outbox else self.conflicts.current

    @property
    def entry(self) -> OutboxEntry | None:
        """The operation under the cursor, where the cursor is in the outbox."""
        row = self.outbox.current if self._is_in_outbox else None
        return None if row is None else row.entry

    # What it shows

    def registry_changed(self) -> None:
        """Show what there is now."""
        start(self, self._read, group="conflicts")

    async def _read(self) -> None:
        resolved = self._with_resolved

        def look(registry: Registry) -> tuple[list[ConflictAnswer], list[OutboxEntry]]:
            return registry.conflicts(resolved=resolved), registry.outbox()

        found = await self.read(look, lane="lists")
        if found is None:
            return
        conflicts, self._outbox = found
        self.conflicts.empty = "no conflicts" if resolved else "no open conflicts"
        self.outbox.empty = self._nothing()
        show_again(self.conflicts, conflicts, lambda one: one.id)
        show_again(self.outbox, outbox_rows(self._outbox), lambda row: row.entry.id)
        if not conflicts and self._outbox and self.conflicts.has_focus:
            self.set_focus(self.outbox)
        self._show_detail()

    def _nothing(self) -> str:
        if self.regtui.status.remote is None:
            key = key_of(self.regtui, "app.sync")
            return f"no server decides about this registry; {key} connects to one"
        return "nothing waits, and nothing was refused"

    @on(VirtualTable.Highlighted)
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_detail()

    def on_descendant_focus(self) -> None:
        """Tell of the row that the cursor is on now."""
        if self.focused in {self.conflicts, self.outbox}:
            self._is_in_outbox = self.focused is self.outbox
            self._show_detail()

    def _show_detail(self) -> None:
        start(self, self._tell, group="detail")
        self.refresh_bindings()

    async def _tell(self) -> None:
        conflict, entry = self.conflict, self.entry
        if conflict is not None:
            person = self.regtui.status.person
            text = await asyncio.to_thread(conflict_text, conflict, person)
        elif entry is not None:
            text = entry_text(entry, causes(entry, self._outbox))
        else:
            text = Text("")
        self.query_one("#conflicts-told", Static).update(text)

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "conflicts" or not self.is_mounted:
            return None
        name = action.name
        if name in ON_ALL and not any(one.state == "refused" for one in self._outbox):
            return "nothing was refused"
        if name in ON_CONFLICTS or (name == "edit" and not self._is_in_outbox):
            return self._why_not_settle()
        if name in ON_OUTBOX or name == "edit":
            return self._why_not_again()
        if name in {"copy", "go"} and self.conflict is None and self.entry is None:
            return "there is nothing under the cursor"
        return None

    def _why_not_settle(self) -> str | None:
        if self.conflict is None:
            return "put the cursor on a conflict first"
        return None if self.conflict.state == "open" else "it is settled already"

    def _why_not_again(self) -> str | None:
        if self.entry is None:
            return "put the cursor on what was refused first"
        if self.entry.state != "refused":
            key = key_of(self.regtui, "app.undo")
            return f"it waits for the server and was not refused; {key} takes changes back"
        return None

    def do_stands(self) -> None:
        """Keep what stands."""
        from regtui.tui.acts.settling import keep_what_stands

        if self.conflict is not None:
            start_act(self, keep_what_stands, self.conflict)

    def do_mine(self) -> None:
        """Take what this person asked for."""
        from regtui.tui.acts.settling import take_mine

        if self.conflict is not None:
            start_act(self, take_mine, self.conflict)

    def do_edit(self) -> None:
        """Set another value: of the conflict, or of the refused operation."""
        from regtui.tui.acts.outbox import amend
        from regtui.tui.acts.settling import set_another

        if self.conflict is not None:
            start_act(self, set_another, self.conflict)
        elif self.entry is not None:
            start_act(self, amend, self.entry)

    def do_retry(self) -> None:
        """Make the refused operation again."""
        from regtui.tui.acts.outbox import retry

        if self.entry is not None:
            start_act(self, retry, self.entry)

    def do_retry_all(self) -> None:
        """Make everything again that was refused."""
        from regtui.tui.acts.outbox import retry

        start_act(self, retry, None)

    def do_discard(self) -> None:
        """Let the refused operation go."""
        from regtui.tui.acts.outbox import discard

        if self.entry is not None:
            start_act(self, discard, self.entry, self._outbox)

    def do_discard_all(self) -> None:
        """Let everything go that was refused."""
        from regtui.tui.acts.outbox import discard

        start_act(self, discard, None, self._outbox)

    def do_go(self) -> None:
        """Go to what it is about."""
        from regtui.tui.acts.outbox import go_to_entry
        from regtui.tui.acts.settling import go_to_conflict

        if self.conflict is not None:
            start_act(self, go_to_conflict, self.conflict)
        elif self.entry is not None:
            start_act(self, go_to_entry, self.entry)

    def do_copy(self) -> None:
        """Copy the id."""
        found = self.conflict or self.entry
        if found is not None:
            self.app.copy_to_clipboard(found.id)
            self.notify(f"copied {found.id}", timeout=3)

    def do_resolved(self) -> None:
        """Show settled conflicts too, or open ones alone."""
        self._with_resolved = not self._with_resolved
        self.notify("conflicts: all" if self._with_resolved else "conflicts: open", timeout=2)
        self.registry_changed()

    @on(VirtualTable.Opened)
    def _open(self, event: VirtualTable.Opened) -> None:
        """Ask what to do with the row."""
        event.stop()
        from regtui.tui.acts.outbox import choose_for
        from regtui.tui.acts.settling import settle

        if self.regtui.read_only:
            return
        if self.conflict is not None and self.conflict.state == "open":
            start_act(self, settle, self.conflict)
        elif self.entry is not None and self.entry.state == "refused":
            start_act(self, choose_for, self.entry, self._outbox)
