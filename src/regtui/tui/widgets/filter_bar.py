"""The filter bar: the query language, with completion and what is wrong under its character.

The list follows the typing; nothing that it reads ever holds up a key. The line below, there while
one types, shows the words that could stand at the cursor, the first of which `tab` takes and the
others in turn, or what is wrong. A filter stays until it is cleared.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from regtui.core.errors import RegtuiError
from regtui.core.query.complete import Wanted, completed, completions, wanted_at
from regtui.core.query.errors import QueryError
from regtui.core.query.fields import FIELDS
from regtui.registry.vocabulary import words
from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.reader import Superseded
from regtui.tui.screens.prompt import Choice, Chooser, Prompt

if TYPE_CHECKING:
    from textual.timer import Timer

    from regtui.tui.app import RegtuiApp

TYPING = 0.06
"""Seconds without a key before the list follows."""

PATIENCE = 2.0
"""Seconds that a completion may take while one waits for it."""

LONGEST = 10_000
"""Characters of a filter; a paste beyond that is cut."""


class FilterInput(Input):
    """The line; it leaves to the bar what the bar has keys for."""

    BINDINGS = [("ctrl+a", "select_all", "Select all")]

    def _on_paste(self, event: events.Paste) -> None:
        """Make one line of it; Textual then calls the method of `Input` itself."""
        event.text = " ".join(event.text[:LONGEST].split())


class FilterBar(Acting, Vertical):
    """One line to type in, one below for completions and errors."""

    SCOPES = ("filter",)
    BINDINGS = bindings("filter", priority=True)
    DEFAULT_CSS = """
    FilterBar {
        height: auto;
        & Horizontal { height: 1; background: $panel; }
        & .filter--lead { width: 3; color: $text-muted; }
        & .filter--count { width: auto; min-width: 12; color: $text-muted; text-align: right; }
        & .filter--below {
            display: none;
            height: 1;
            padding: 0 0 0 3;
            color: $text-muted;
            background: $surface;
        }
        & Input {
            width: 1fr;
            height: 1;
            border: none;
            padding: 0;
            background: $panel;
            &:focus { border: none; background: $surface; }
        }
        &.-typing .filter--below { display: block; }
        &.-faulty .filter--below { display: block; color: $text-error; }
    }
    """

    @dataclass
    class Changed(Message):
        """Another filter is wanted."""

        text: str

    class Left(Message):
        """The bar was left with the filter kept."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._timer: Timer | None = None
        self._told = ""
        self._error: QueryError | None = None
        self._wanted: Wanted | None = None
        self._words: list[str] = []
        self._taken: tuple[str, int] | None = None
        """What stood there before a completion was taken, and which one was."""
        self._place_in_history: int | None = None

    def compose(self) -> ComposeResult:
        """Compose the two lines."""
        with Horizontal():
            yield Static(" / ", classes="filter--lead")
            yield FilterInput(
                placeholder="filter: metric.f1>0.9 tag:env=prod …",
                select_on_focus=False,
                max_length=LONGEST,
            )
            yield Static("", classes="filter--count")
        yield Static("", classes="filter--below")

    @property
    def input(self) -> Input:
        """The line."""
        return self.query_one(Input)

    @property
    def regtui(self) -> "RegtuiApp":
        """The app, as what it is."""
        return cast("RegtuiApp", self.app)

    @property
    def settles(self) -> bool:
        """Whether it waits for the typing to pause."""
        return self._timer is not None

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible now."""
        if action.name == "saved" and not self.regtui.config.filters:
            return "no filter is saved yet: ctrl+s saves the one that stands here"
        return None

    # What the screen does

    def focus_input(self) -> None:
        """Go to the line."""
        self.screen.set_focus(self.input)
        self._complete()

    def clear(self) -> None:
        """Empty the line without telling."""
        self._put("")

    def show_count(self, count: int | None) -> None:
        """Show how many versions there are; None while that is not known."""
        text = "…" if count is None else f"{count:,}"
        self.query_one(".filter--count", Static).update(Text(f"{text} versions "))

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
        problem = self.regtui.config.remember_filter(self._told)
        if problem:
            self.app.notify(problem, severity="warning", markup=False)
        self.post_message(self.Left())

    def do_clear(self) -> None:
        """Show everything again."""
        self.input.value = ""
        self._tell()

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
            problem = self.regtui.config.save(filters=filters)
            done = f"saved {name}: {text}" if text else f"removed the filter {name}"
            self.app.notify(
                problem or done, severity="warning" if problem else "information", markup=False
            )

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

    def on_key(self, event: events.Key) -> None:
        """Clear on escape, and leave when there is nothing to clear."""
        if event.key == "escape":
            event.stop()
            if self.input.value:
                self.do_clear()
            else:
                self.post_message(self.Left())

    def on_descendant_focus(self) -> None:
        """Show what can be written."""
        self.add_class("-typing")

    def on_descendant_blur(self) -> None:
        """Give the line below back to the list."""
        self.remove_class("-typing")

    # What typing does

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._taken = None
        self._follow()
        self._complete()

    def _follow(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(TYPING, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        text = self.input.value.strip()
        if text != self._told:
            self._told = text
            self.post_message(self.Changed(text))

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
        below = self.query_one(".filter--below", Static)
        if self._error is not None:
            place = max(self._error.position - round(self.input.scroll_x), 0)
            below.update(Text(" " * place + "^ " + self._error.message, no_wrap=True))
            return
        line = Text(no_wrap=True, overflow="ellipsis")
        taken = None if self._taken is None else (self._taken[1] - 1) % max(len(self._words), 1)
        for place, word in enumerate(self._words):
            style = "reverse" if place == taken else "bold" if place == 0 and taken is None else ""
            line.append(word, style).append("  ")
        if not self._words and self._wanted is not None and self._wanted.field in FIELDS:
            line.append(FIELDS[self._wanted.field].help)
        below.update(line)
