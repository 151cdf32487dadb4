"""The form: values of a model or version in a table, each edited in its place.

It is a list and not a page of input fields, because a version may have thousands of params. What is
typed goes into a draft (`regtui.tui.draft`); nothing reaches the registry before it is saved, and
then all of it at once. Where somebody else changed one of the values meanwhile, nothing is saved:
the form shows what stands there now beside what is typed, and saving again is then a decision.
"""

from collections.abc import Awaitable, Callable

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.background import start
from regtui.tui.draft import SINGULAR, Draft, Entry, pattern
from regtui.tui.form_lines import COLUMNS, FIELD, NAME, Line, label, lines, typed_text
from regtui.tui.safe_text import safe
from regtui.tui.screens.prompt import Confirm
from regtui.tui.widgets.action_footer import ActionFooter
from regtui.tui.widgets.value_input import LIMIT, ValueInput
from regtui.tui.widgets.virtual_table import VirtualTable

AROUND = 5
"""Lines of the form beside its rows: border, heading, what is to be said of one."""

Save = Callable[[Draft], Awaitable[Draft | None]]
"""Saves a draft; None where it was saved, else the draft to go on with."""


class ValueTable(VirtualTable[Line]):
    """The values; one click edits."""

    def on_click(self, event: events.Click) -> None:
        """Edit the value, once the cursor is on it."""
        if event.chain == 1 and 0 < event.y <= self.total - round(self.scroll_y):
            self.call_next(self.do_open)


class ValuesForm(Acting, ModalScreen[bool]):
    """Edits values; True where they were saved.

    Args:
        title: What is edited.
        draft: Its values.
        save: Saves them.
    """

    SCOPES = ("form",)
    CSS_PATH = "../styles/form.tcss"
    BINDINGS = [("escape", "leave", "Back"), *bindings("form")]

    def __init__(self, title: str, draft: Draft, save: Save) -> None:
        super().__init__()
        self.draft = draft
        self._title = title
        self._save = save
        self._edited: Line | None = None

    def compose(self) -> ComposeResult:
        """Compose the values, the line over them, and what is to be said of one."""
        with Vertical(id="form") as box:
            box.border_title = Text(self._title)
            with Container(id="form--values"):
                yield ValueTable(COLUMNS, row_id=lambda line: line.key, id="values")
                yield ValueInput(id="form--input")
            yield Static("", id="form--hint")
        yield ActionFooter()

    def on_mount(self) -> None:
        """Show the values."""
        self.input.display = False
        self._show()
        self.table.focus()

    @property
    def table(self) -> ValueTable:
        """The values."""
        return self.query_one(ValueTable)

    @property
    def input(self) -> ValueInput:
        """The line over the value that is edited."""
        return self.query_one(ValueInput)

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        line = self.table.current if self.is_mounted else None
        if action.name in {"remove", "restore"} and (line is None or line.entry is None):
            return "put the cursor on a value first"
        return None

    # What keys do

    def do_edit(self) -> None:
        """Change the value under the cursor in its place."""
        line = self.table.current
        if line is None or not self.take():
            return
        text = typed_text(line)
        if not text.isprintable() or len(text) > LIMIT:  # lines, or what steers a terminal
            self.do_write()
            return
        self._edited = line
        self.input.value = text
        self.input.cursor_position = len(text)
        self.input.placeholder = "" if line.entry else pattern(line.field)
        self.input.display = True
        self.query_one("#form").border_subtitle = "enter takes it, tab goes on, esc drops it"
        self._place()
        self.input.focus()

    def do_add(self) -> None:
        """Add a value to the field under the cursor, else to the last one."""
        if not self.take():
            return
        line = self.table.current
        keyed = [field for field in self.draft.fields if field in SINGULAR]
        field = line.field if line is not None and line.field in keyed else keyed[-1]
        self._show(f"add {field}")
        self.do_edit()

    def do_remove(self) -> None:
        """Take the value away, or leave it there after all."""
        entry = self._entry()
        if entry is not None and self.take():
            is_gone = entry.text is None
            draft = self.draft
            self.draft = draft.restored(entry.key) if is_gone else draft.typed(entry.key, None)
            self._show()

    def do_restore(self) -> None:
        """Put back what stood there before."""
        entry = self._entry()
        if entry is not None:
            self._close()
            self.draft = self.draft.restored(entry.key)
            self._show()

    def do_write(self) -> None:
        """Write the value in an editor, where there is room for many lines."""
        from regtui.tui.screens.editor import Editor

        line = self.table.current
        if line is None or not self.take():
            return
        key = line.key

        async def taken(text: str) -> bool:
            if line.entry is None:
                problem = self.draft.line_problem(line.field, text)
                if problem is not None:
                    self.notify(problem, severity="error", markup=False)
                    return False
                self.draft, _ = self.draft.added(line.field, text)
            else:
                self.draft = self.draft.typed(key, text)
            self._show()
            return True

        title = label(line.field) + (f" {line.entry.name}" if line.entry else " to add")
        self.app.push_screen(Editor(title, typed_text(line), taken))

    def do_save(self) -> None:
        """Save what was changed, all at once."""
        if self.take():
            start(self, self._saved, group="save")

    def action_leave(self) -> None:
        """Go back; what was changed is asked about."""
        count = len(self.draft.changed)
        if not count:
            self.dismiss(False)
            return

        def answered(answer: bool | None) -> None:
            if answer:
                self.dismiss(False)

        changes = "1 change is" if count == 1 else f"{count} changes are"
        self.app.push_screen(Confirm("Leave without saving?", f"{changes} not saved."), answered)

    async def _saved(self) -> None:
        problems = self.draft.problems()
        if problems:
            key, problem = next(iter(problems.items()))
            self._show(key)
            self.notify(problem, severity="error", markup=False)
            return
        if not self.draft.changed:
            self.dismiss(False)
            return
        left = await self._save(self.draft)
        if left is None:
            self.dismiss(True)
        else:
            self.draft = left
            self._show()

    # How a value is edited in its place

    def take(self) -> bool:
        """Take what is typed into the draft; False where it is no value to add."""
        line, text = self._edited, self.input.value
        if line is None:
            return True
        key = line.key
        if line.entry is not None:
            if text != typed_text(line) or line.entry.text is None:
                self.draft = self.draft.typed(key, text)
        elif text.strip():
            problem = self.draft.line_problem(line.field, text)
            if problem is not None:
                self._say(problem, is_problem=True)
                return False
            self.draft, key = self.draft.added(line.field, text)
        self._close()
        self._show(key)
        return True

    @on(VirtualTable.Opened, "#values")
    def _opened(self) -> None:
        self.do_edit()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.take()

    @on(ValueInput.Stepped)
    def _stepped(self, event: ValueInput.Stepped) -> None:
        event.stop()
        if self.take():
            (self.table.do_down if event.by > 0 else self.table.do_up)()
            self.do_edit()

    @on(ValueInput.Dropped)
    def _dropped(self, event: ValueInput.Dropped) -> None:
        event.stop()
        self._close()
        self._tell()

    @on(ValueInput.Left)
    def _left(self, event: ValueInput.Left) -> None:
        """Take what was typed when somebody clicks elsewhere; drop what can't be added."""
        event.stop()
        # The terminal may have lost the focus: then it comes back here.
        if self.input.has_focus or self.app.screen is not self or not self.app.app_focus:
            return
        if not self.take():
            self._close()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        line = self._edited
        if line is None:
            return
        if line.entry is None:
            problem = self.draft.line_problem(line.field, event.value) if event.value else None
        else:
            changed = self.draft.typed(line.key, event.value)
            entry = changed.of(line.key)
            problem = None if entry is None else changed.problem(entry)
        self.input.set_class(problem is not None, "-problem")
        self._say(problem or self._note(line), is_problem=problem is not None)

    @on(VirtualTable.Highlighted, "#values")
    def _highlighted(self) -> None:
        if self._edited is None:
            self._tell()

    def on_resize(self) -> None:
        """Keep the line over its value."""
        self.call_after_refresh(self._place)

    def on_mouse_scroll_down(self) -> None:
        """Keep the line over its value."""
        self.call_after_refresh(self._place)

    def on_mouse_scroll_up(self) -> None:
        """Keep the line over its value."""
        self.call_after_refresh(self._place)

    def _place(self) -> None:
        if self._edited is None:
            return
        table = self.table
        y = table.cursor - round(table.scroll_y) + 1
        if not 0 < y <= table.lines:
            self.take()
            return
        x = FIELD + 3 + (NAME + 2 if self._edited.entry is not None else 0)
        self.input.styles.offset = (x, y)
        self.input.styles.width = max(table.scrollable_content_region.width - x, 8)

    def _close(self) -> None:
        self._edited = None
        self.input.display = False
        self.input.remove_class("-problem")
        self.table.focus()

    # What is shown

    def _entry(self) -> Entry | None:
        line = self.table.current
        return None if line is None else line.entry

    def _show(self, key: str | None = None) -> None:
        """Show the draft, with the cursor on a row, else where it was."""
        table = self.table
        current = table.current
        wanted = key if key is not None else (None if current is None else current.key)
        rows = lines(self.draft)
        places = {line.key: place for place, line in enumerate(rows)}
        table.show_rows(rows, cursor=places.get(wanted or "", table.cursor))
        self.query_one("#form").styles.height = len(rows) + AROUND
        self._tell()

    def _tell(self) -> None:
        """Say how much is changed, and what there is to say of the row under the cursor."""
        count = len(self.draft.changed)
        self.query_one("#form").border_subtitle = f"{count} to save" if count else "nothing changed"
        line = self.table.current
        if line is not None:
            self._say(line.problem or self._note(line), is_problem=line.problem is not None)

    @staticmethod
    def _note(line: Line) -> str:
        entry = line.entry
        if entry is None:
            return f"enter or n: {pattern(line.field)}"
        if not entry.is_changed:
            return entry.text or ""
        before = entry.typed_before
        return "new" if before is None else f"was {before or 'empty'}"

    def _say(self, text: str, *, is_problem: bool) -> None:
        hint = self.query_one("#form--hint", Static)
        hint.update(Text(safe(text[:1_000])))
        hint.set_class(is_problem, "-problem")
