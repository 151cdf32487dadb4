"""Driving the app: wait until it is at rest, read what is on the screen."""

import asyncio
import time
from collections.abc import Callable

from textual.pilot import Pilot
from textual.widget import Widget

from regtui.tui import typing_ahead
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.models import ModelsScreen

PATIENCE = 60.0
"""Seconds until a test gives up waiting."""

ROUNDS = 4
"""Messages of which one leads to the next."""

Driven = Pilot[None]


def screen_text(app: RegtuiApp) -> str:
    """Return the characters that are on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def at_rest(pilot: Driven) -> None:
    """Wait until nothing is read, written, settling or painted any more."""
    quiet = 0
    async with asyncio.timeout(PATIENCE):
        while quiet < 3:
            await pilot.pause()
            app = pilot.app
            is_busy = _works(app) or _settles(app)  # type: ignore[arg-type]
            quiet = 0 if is_busy else quiet + 1
            await asyncio.sleep(0.01)


async def settled(pilot: Driven) -> None:
    """Wait until all that widgets were told is done, without the naps that `at_rest` takes.

    A message may lead to another one, so it is waited for several rounds of them.
    """
    rounds = 0
    async with asyncio.timeout(PATIENCE):
        while rounds < ROUNDS:
            await pilot._wait_for_screen()
            if _works(pilot.app) or _settles(pilot.app):  # type: ignore[arg-type]
                rounds = 0
                await asyncio.sleep(0.005)
            else:
                rounds += 1
    pilot.app.screen._on_timer_update()  # paints


async def until(pilot: Driven, condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    await _until(pilot, condition, "what was waited for did not come")


async def shows(pilot: Driven, text: str) -> None:
    """Wait until a text is on the screen."""
    await _until(pilot, lambda: text in screen_text(pilot.app), f"{text!r} does not show")  # type: ignore[arg-type]


async def _until(pilot: Driven, condition: Callable[[], object], otherwise: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await pilot.pause(0.02)
    except TimeoutError:
        raise AssertionError(f"{otherwise}:\n{screen_text(pilot.app)}") from None  # type: ignore[arg-type]


async def press(pilot: Driven, *keys: str) -> None:
    """Press keys, and wait until what they did is on the screen."""
    await pilot.press(*keys)
    await at_rest(pilot)


def _works(app: RegtuiApp) -> bool:
    """Tell whether a screen is still made, or a worker does more than wait for an answer.

    Until the registry was looked at, the app does not even know whether anybody is signed in.
    """
    if not (app._has_looked or app.status.message) or _types(app):
        return True
    if not all(widget.is_mounted for widget in [app.screen, *app.screen.walk_children(Widget)]):
        return True
    running = [worker for worker in app.workers if not worker.is_finished]
    if not app.screen.is_modal:
        return bool(running)
    return any(
        worker.group not in {"act", "save"} or worker.node.screen is app.screen
        for worker in running
    )


def _types(app: RegtuiApp) -> bool:
    """Tell whether a key is on its way, or waits for one that is."""
    is_sent = app._sent is not None and time.monotonic() - app._sent < typing_ahead.PATIENCE
    return is_sent or bool(app._keys)


def _settles(app: RegtuiApp) -> bool:
    """Tell whether a screen waits a moment before it reads what the cursor is on."""
    return any(getattr(screen, "settles", False) for screen in app.screen_stack)


def models_screen(app: RegtuiApp) -> ModelsScreen:
    """Return the first screen, which is shown."""
    assert isinstance(app.screen, ModelsScreen)
    return app.screen


def current(app: RegtuiApp) -> str:
    """Return the reference of the version under the cursor."""
    row = models_screen(app).versions.current
    assert row is not None
    return row.version.reference
