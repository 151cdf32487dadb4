"""Beside: verbs that wait for a network or for another process, in a thread of their own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from regtui.tui.background import in_background

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

T = TypeVar("T")


async def beside(app: "RegtuiApp", verb: Callable[[], T]) -> T | None:
    """Run a verb that takes long and holds nobody up; None where it failed, which is shown."""
    try:
        return await in_background(verb)
    except Exception as error:  # noqa: BLE001 -- shown, whatever it is
        app.show_error(error)
        return None
