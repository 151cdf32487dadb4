"""Acting as a person does: keys, the clipboard of a terminal, and what the app then says."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from textual import events

from regtui.tui.app import RegtuiApp
from tests.tui.driving import Driven, models_screen, settled

_NOTES: WeakKeyDictionary[RegtuiApp, list[str]] = WeakKeyDictionary()


@asynccontextmanager
async def running(app: RegtuiApp) -> AsyncIterator[Driven]:
    """Run an app, and note what it tells."""
    notes: list[str] = []
    notify = app.notify

    def note(message: str, **named: Any) -> None:
        notes.append(message)
        notify(message, **named)

    app.notify = note  # type: ignore[method-assign]
    _NOTES[app] = notes
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        yield pilot
        app.workers.cancel_all()  # as at a real end; a test's takes the widgets away first


@asynccontextmanager
async def at_version(app: RegtuiApp, reference: str) -> AsyncIterator[Driven]:
    """Run an app with the cursor on a version."""
    async with running(app) as pilot:
        models_screen(app).go_to(reference)
        await settled(pilot)
        yield pilot


@asynccontextmanager
async def at_model(app: RegtuiApp, model: str) -> AsyncIterator[Driven]:
    """Run an app with the cursor on a model, or on a folder of them."""
    async with running(app) as pilot:
        tree = models_screen(app).model_tree
        tree.go_to(model)
        tree.focus()
        await settled(pilot)
        yield pilot


async def press(pilot: Driven, *keys: str) -> None:
    """Press keys one after the other, each when what the one before did is on the screen."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def mark(pilot: Driven, app: RegtuiApp, references: Iterable[str]) -> None:
    """Mark versions of the list."""
    table = models_screen(app).versions
    for reference in references:
        rows = (table.row(place) for place in range(table.total))
        place = next(n for n, row in enumerate(rows) if row and row.version.reference == reference)
        table.go_to(str(place + 1))
        await press(pilot, "space")


async def write(pilot: Driven, text: str, *keys: str) -> None:
    """Write a text where the cursor is, as a terminal pastes it, and press keys."""
    pilot.app.post_message(events.Paste(text))
    await settled(pilot)
    await press(pilot, *keys)


async def rewrite(pilot: Driven, text: str, *keys: str) -> None:
    """Write another text in the place of a whole line."""
    await pilot.press("end", "ctrl+u")
    await write(pilot, text, *keys)


def told(app: RegtuiApp) -> str:
    """Return everything that the app has told so far."""
    return "\n---\n".join(_NOTES[app])
