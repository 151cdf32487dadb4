"""The filter bar: the query language, with completion and what is wrong under its character.

The list follows the typing; nothing that it reads ever holds up a key. The line below, there while
one types, shows the words that could stand at the cursor, the first of which `tab` takes and the
others in turn, or what is wrong. A filter stays until it is cleared.
"""

import asyncio
from contextlib import suppress

from rich.text import Text
from textual import on
from textual.widgets import Input

from regtui.core.errors import RegtuiError
from regtui.core.query.complete import Wanted, completed, completions, wanted_at
from regtui.core.query.errors import QueryError
from regtui.core.query.fields import FIELDS
from regtui.registry.vocabulary import words
from regtui.tui.actions import Action, bindings
from regtui.tui.key_names import key_of
from regtui.tui.reader import Superseded
from regtui.tui.screens.prompt import Choice, Chooser, Prompt
from regtui.tui.widgets.filter_line import FilterLine

PATIENCE = 2.0
"""Seconds that a completion may take while one waits for it."""


class FilterBar(FilterLine):
    """One line to type in, one below for completions and errors."""

    EXAMPLE = "metric.f1>0.9 tag:env=prod …"
    COUNTED = "versions"
    TYPING = 0.03
    SCOPES = ("filter",)
    BINDINGS = bindings("filter", priority=True)
    DEFAULT_CSS = """
    FilterBar {
        & .filter--below { height: 1; }
        &.-typing .filter--below { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._error: QueryError | None = None
        self._wanted: Wanted | None = None
        self._words: list[str] = []
        self._taken: tuple[str, int] | None = None
        """What stood there before a completion was taken, and which one was."""
        self._place_in_history: int | None = None

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible now."""
        if action.name == "saved" and not self.regtui.config.filters:
            key = key_of(self.regtui, "filter.save")
            return f"no filter is saved yet: {key} saves the one that stands here"
        return None

    # What the screen does

    def focus_input(self) -> None:
        """Go to the line."""
        self.screen.set_focus(self.input)
        self._complete()

    def clear(self) -> None:
        """Empty the line without telling."""
        self._put("")

    def show_error(self, error: QueryError | None) -> None:
        """Show what is wrong under its character; None where nothing is."""
        self._error = error
        self.set_class(error is not None, "-faulty")
        self._show_below()

    def drop_sort(self) -> None:
        """Take the order out of the filter, because a column was chosen."""
        kept = [word for word in self.input.value.split() if not word.startswith("sort:")]
        self._put(" ".join(kept))

    # What keys do

    def do_apply(self) -> None:
        """Keep the filter and go to the versions."""
        self._tell()
        if self._told.strip():
            self.regtui.keep(history=self.regtui.config.history_with(self._told))
        self.post_message(self.Left())

    async def do_complete(self) -> None:
        """Take the first completion; again the next one in its place."""
        if self._taken is None and self._wanted != self._here():  # typed faster than it was read
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._find_words()
        if not self._words or self._wanted is None:
            return
        if self._taken is None and self._wanted != self._here():
            return
        text, count = (self.input.value, 0) if self._taken is None else self._taken
        word = self._words[count % len(self._words)]
        with self.prevent(Input.Changed):
            self.input.value, self.input.cursor_position = completed(text, self._wanted, word)
        self._taken = (text, count + 1)
        self._show_below()
        self._follow()

    def do_older(self) -> None:
        """Take the filter before from the history."""
        history = self.regtui.config.history
        place = len(history) if self._place_in_history is None else self._place_in_history
        if place > 0:
            self._place_in_history = place - 1
            self._type(history[place - 1])

    def do_newer(self) -> None:
        """Take the next filter of the history."""
        history = self.regtui.config.history
        if self._place_in_history is not None:
            place = self._place_in_history + 1
            self._place_in_history = place if place < len(history) else None
            self._type(history[place] if place < len(history) else "")

    def do_save(self) -> None:
        """Save the filter under a name; an empty filter removes the name."""
        text = self.input.value.strip()

        def save(name: str | None) -> None:
            if not name:
                return
            filters = {**self.regtui.config.filters, name: text}
            if not text:
                del filters[name]
            done = f"saved {name}: {text}" if text else f"removed the filter {name}"
            self.regtui.keep(done, filters=filters)

        hint = "a name for it" if text else "the name to remove"
        self.app.push_screen(Prompt("Save the filter", hint), save)

    def do_saved(self) -> None:
        """Choose a saved filter."""

        def take(name: str | None) -> None:
            if name is not None:
                self._type(self.regtui.config.filters[name])

        filters = self.regtui.config.filters
        choices = [Choice(name, name, text) for name, text in sorted(filters.items())]
        self.app.push_screen(Chooser("Saved filters", choices), take)

    def on_descendant_focus(self) -> None:
        """Show what can be written."""
        self.add_class("-typing")

    def on_descendant_blur(self) -> None:
        """Give the line below back to the list."""
        self.remove_class("-typing")

    # What typing does

    @on(Input.Changed)
    def _complete_anew(self) -> None:
        self._taken = None
        self._complete()

    def _type(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)

    def _put(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self.input.value = text
        self._told = text
        self.show_error(None)

    def _complete(self) -> None:
        self.run_worker(self._find_words(), group="complete", exclusive=True)

    async def _find_words(self) -> None:
        wanted = self._here()
        with suppress(Superseded, RegtuiError):  # a completion is never worth a message
            found = await self.regtui.reader.read(
                lambda registry: completions(
                    wanted, lambda *asked: words(registry.context, *asked)
                ),
                lane="complete",
            )
            self._wanted, self._words = wanted, found
            self._show_below()

    def _here(self) -> Wanted:
        return wanted_at(self.input.value, self.input.cursor_position)

    def _show_below(self) -> None:
        if self._error is not None:
            place = max(self._error.position - round(self.input.scroll_x), 0)
            self.below.update(Text(" " * place + "^ " + self._error.message, no_wrap=True))
            return
        line = Text(no_wrap=True, overflow="ellipsis")
        taken = None if self._taken is None else (self._taken[1] - 1) % max(len(self._words), 1)
        for place, word in enumerate(self._words):
            style = "reverse" if place == taken else "bold" if place == 0 and taken is None else ""
            line.append(word, style).append("  ")
        if not self._words and self._wanted is not None and self._wanted.field in FIELDS:
            line.append(FIELDS[self._wanted.field].help)
        self.below.update(line)
