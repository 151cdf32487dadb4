"""Asking for a path, with what it could go on as."""

import asyncio
from collections.abc import Callable

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from regtui.core.errors import RegtuiError
from regtui.tui.background import start
from regtui.tui.path_completion import completed, matches
from regtui.tui.safe_text import one_line

SHOWN = 6
"""Names that are shown below the line."""


class PathPrompt(ModalScreen[str | None]):
    """Asks for a path; None where the person went back. `tab` completes it.

    Args:
        title: What is asked for.
        hint: What a good answer looks like.
        check: Refuses a path that makes no sense here, by raising; asked before it is taken.
    """

    CSS_PATH = "../styles/first_steps.tcss"
    BINDINGS = [("escape", "close", "Back")]

    def __init__(self, title: str, hint: str, check: Callable[[str], object] | None = None) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._check = check

    def compose(self) -> ComposeResult:
        """Compose the line, and below it what it could be."""
        with Vertical(classes="steps") as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "tab completes, enter takes it, esc goes back"
            yield Input(select_on_focus=False)
            yield Static(Text(self._hint), classes="steps--hint")

    def on_mount(self) -> None:
        """Show what is in the current folder."""
        start(self, self._look, "", group="look")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        start(self, self._look, event.value, group="look")

    async def _look(self, typed: str) -> None:
        found = await asyncio.to_thread(matches, typed)
        names = [one_line(path.rstrip("/").rpartition("/")[2] + path[len(path.rstrip("/")) :])
                 for path in found[:SHOWN]]  # fmt: skip
        if len(found) > SHOWN:
            names.append(f"and {len(found) - SHOWN:,} more")
        below = "  ".join(names) if names and found != [typed] else self._hint
        self.query_one(".steps--hint", Static).update(Text(below))

    def on_key(self, event: events.Key) -> None:
        """Complete the path."""
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            start(self, self._complete, group="complete")

    async def _complete(self) -> None:
        line = self.query_one(Input)
        typed = line.value
        found = await asyncio.to_thread(matches, typed)
        if line.value == typed:
            line.value = completed(typed, found)
            line.cursor_position = len(line.value)

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            start(self, self._submit, event.value, group="look")

    async def _submit(self, typed: str) -> None:
        """Take a path, or tell why it is none that is meant; what is typed stays to be mended."""
        if self._check is not None:
            try:
                await asyncio.to_thread(self._check, typed)
            except RegtuiError as error:
                self.query_one(".steps--hint", Static).update(Text(one_line(str(error))))
                return
        self.dismiss(typed)

    def action_close(self) -> None:
        """Go back without an answer."""
        self.dismiss(None)
