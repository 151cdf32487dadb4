"""The editor: a text of many lines, written in the app or in the person's own editor.

The text area wraps and paints a text line by line: a single line of a hundred thousand characters
would make every key wait for seconds. So what is longer than `LINE` in one line, or than `LONGEST`
in all, is shown but not edited here; the person's own editor takes it. The same bounds hold for
what is pasted.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events, on
from textual.app import App, ComposeResult, SuspendNotSupported
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from regtui.core.errors import RegtuiError
from regtui.core.wording import count_text
from regtui.registry.editor import edit_text
from regtui.tui.acting import Acting
from regtui.tui.actions import bindings
from regtui.tui.background import start
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import KEPT
from regtui.tui.screens.prompt import Confirm
from regtui.tui.widgets.action_footer import ActionFooter

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

LINE = 4_000
"""Characters of the longest line that is edited here."""

LONGEST = 200_000
"""Characters of the longest text that is edited here."""

SHOWN_AS_IS = "\t" + KEPT

SHOWN = 50
"""Lines that are shown of a longer one."""

Save = Callable[[str], Awaitable[bool]]
"""Saves a text; False where it could not be saved, and the editor stays."""


def fits(text: str) -> bool:
    """Tell whether a text can be edited in the app without making the keys wait."""
    return len(text) <= LONGEST and _longest(text) <= LINE


def _longest(text: str) -> int:
    return max(map(len, text.splitlines()), default=0)


def _own_editor(app: App[object]) -> str:
    """Return the key that opens the person's own editor."""
    return key_of(cast("RegtuiApp", app), "editor.external", while_typing=True)


class EditorArea(TextArea):
    """The text, guarded against what is pasted, and against what would steer the terminal."""

    def get_line(self, line_index: int) -> Text:
        """Return a line as it is painted; the document keeps it as it is."""
        line = super().get_line(line_index)
        if line.plain.isprintable():
            return line
        shown = "".join(c if c.isprintable() or c in SHOWN_AS_IS else "\ufffd" for c in line.plain)
        return Text(shown, end="", no_wrap=True)

    async def _on_paste(self, event: events.Paste) -> None:
        """Take what is pasted, unless it is too long."""
        line = len(self.document.get_line(self.cursor_location[0]))
        is_short = (
            len(self.text) + len(event.text) <= LONGEST and line + _longest(event.text) <= LINE
        )
        if is_short:
            return
        event.prevent_default()
        event.stop()
        self.app.notify(
            f"{len(event.text):,} characters are too many to paste here; "
            f"{_own_editor(self.app)} opens your own editor",
            severity="warning",
        )


class Editor(Acting, ModalScreen[bool]):
    """Edits a text; True where it was saved.

    Args:
        title: What is written.
        text: What stands there at first.
        save: Saves it.
        is_new: Whether nothing of that text is saved yet.
    """

    SCOPES = ("editor",)
    CSS_PATH = "../styles/editor.tcss"
    BINDINGS = [("escape", "leave", "Back"), *bindings("editor")]

    def __init__(self, title: str, text: str, save: Save, *, is_new: bool = False) -> None:
        super().__init__()
        self._is_new = is_new
        self._title = title
        self._first = text
        self._save = save
        self._whole: str | None = None
        """A text that is too long to be edited here."""
        self._saved = ""

    def compose(self) -> ComposeResult:
        """Compose text and what is to be said of it."""
        with Vertical(id="editor") as box:
            box.border_title = Text(self._title)
            area = EditorArea(id="editor--text", show_line_numbers=True)
            area.cursor_blink = False
            yield area
            yield Static("", id="editor--note")
        yield ActionFooter()

    def on_mount(self) -> None:
        """Show the text."""
        self.begin_with(self._first)
        if self._is_new:
            self._saved = ""
            self._tell()
        self.area.focus()

    @property
    def area(self) -> EditorArea:
        """Where one writes."""
        return self.query_one(EditorArea)

    @property
    def text(self) -> str:
        """The text as it stands in the editor."""
        return self.area.text if self._whole is None else self._whole

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self.text != self._saved

    def show_text(self, text: str) -> None:
        """Show another text in the place of the one that is here."""
        area = self.area
        if fits(text):
            self._whole = None
            area.read_only = False
            area.replace(text, area.document.start, area.document.end)
            area.move_cursor((0, 0))
        else:
            self._whole = text
            first = [line[:LINE] for line in text[: LINE * SHOWN].splitlines()[:SHOWN]]
            area.load_text("\n".join(first))
            area.read_only = True
        self._tell()

    def begin_with(self, text: str) -> None:
        """Begin anew with another text, as if it had been there at first."""
        self.show_text(text)
        self._saved = self.text
        self._tell()

    # What keys do

    def do_save(self) -> None:
        """Save the text."""
        start(self, self._save_it, group="save")

    def do_external(self) -> None:
        """Go on in the person's own editor, which has the terminal till it ends."""
        try:
            with self.app.suspend():
                edited = self._edited()
        except SuspendNotSupported:
            self.notify("there is no terminal here for another editor", severity="warning")
            return
        self.app.refresh(layout=True)
        if isinstance(edited, RegtuiError):
            self.notify(str(edited), severity="error", markup=False)
        elif edited != self.text:
            self.show_text(edited)

    def _edited(self) -> str | RegtuiError:
        """Return what the editor saved, or why it did not.

        Nothing may be raised while the app is suspended: Textual would not take the terminal back.
        """
        try:
            return edit_text(self.text, suffix=".md")
        except RegtuiError as error:
            return error
        except OSError as error:
            return RegtuiError(f"the system refused it: {error.strerror or error}")

    def action_leave(self) -> None:
        """Go back; a text that is not saved is asked about."""
        if not self.is_changed:
            self.dismiss(False)
            return

        def answered(answer: bool | None) -> None:
            if answer:
                self.dismiss(False)

        self.app.push_screen(Confirm("Leave without saving?", "The text is changed."), answered)

    async def _save_it(self) -> None:
        if not self.is_changed or await self._save(self.text):
            self.dismiss(self.is_changed)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self._tell()

    @on(TextArea.SelectionChanged)
    def _moved(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """Say where the cursor is, and how long the text."""
        line, column = self.area.cursor_location
        parts = [f"line {line + 1}, column {column + 1}", count_text(len(self.text), "character")]
        if self._whole is not None:
            key = _own_editor(self.app)
            parts = [parts[1], f"too long to be edited here: {key} opens your own editor"]
        if self.is_changed:
            parts.append("not saved")
        self.query_one("#editor--note", Static).update(Text(" · ".join(parts)))
