"""Running the app at any size, with what it says kept: a notice goes away after seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from textual import events

from regtui.tui.app import RegtuiApp
from tests.tui.driving import Driven, at_rest, models_screen, press

_NOTES: WeakKeyDictionary[RegtuiApp, list[str]] = WeakKeyDictionary()


@asynccontextmanager
async def running(app: RegtuiApp, size: tuple[int, int] = (100, 34)) -> AsyncIterator[Driven]:
    """Run an app until it is at rest on its first screen."""
    notes: list[str] = []
    notify = app.notify

    def note(message: str, **named: Any) -> None:
        notes.append(message)
        notify(message, **named)

    app.notify = note  # type: ignore[method-assign]
    _NOTES[app] = notes
    async with app.run_test(size=size) as pilot:
        await at_rest(pilot)
        yield pilot


def told(app: RegtuiApp) -> str:
    """Return everything that the app has said so far."""
    return "\n---\n".join(_NOTES[app])


async def mark(pilot: Driven, app: RegtuiApp, *references: str) -> None:
    """Mark versions of the list, in this order."""
    table = models_screen(app).versions
    table.focus()
    for reference in references:
        rows = (table.row(place) for place in range(table.total))
        place = next(n for n, row in enumerate(rows) if row and row.version.reference == reference)
        table.go_to(str(place + 1))
        await press(pilot, "space")


async def rewrite(pilot: Driven, text: str, *keys: str) -> None:
    """Write another text in the place of a whole line, as a terminal pastes it."""
    await pilot.press("end", "ctrl+u")
    pilot.app.post_message(events.Paste(text))
    await at_rest(pilot)
    await press(pilot, *keys)
