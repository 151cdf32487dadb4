"""Asking: the registry for what stands now, and the person for what is to be done."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from textual.command import CommandPalette

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.tui.acting import READ_ONLY
from regtui.tui.reader import Superseded

if TYPE_CHECKING:
    from textual.screen import ModalScreen

    from regtui.tui.app import RegtuiApp

T = TypeVar("T")


def may_change(app: "RegtuiApp") -> bool:
    """Tell whether this app may change anything, and say so where it may not.

    For what does no harm to the registry and writes all the same; `Acting` refuses the rest.
    """
    if app.read_only:
        app.notify(READ_ONLY, severity="warning")
    return not app.read_only


async def read(app: "RegtuiApp", verb: Callable[[Registry], T]) -> T | None:
    """Run a verb that reads; None where it failed, which is shown."""
    try:
        return await app.reader.read(verb)
    except Superseded:
        return None
    except Exception as error:  # noqa: BLE001 -- shown, whatever it is
        app.show_error(error)
        return None


async def present(
    app: "RegtuiApp", versions: Sequence[VersionAnswer]
) -> list[VersionAnswer] | None:
    """Return versions as they are now; a row that was marked may be older. None where that failed.

    They are looked up by their ids, so that nothing of the same name takes their place.
    """
    return await read(app, lambda registry: [registry.version(f":{v.id}") for v in versions])


async def ask(app: "RegtuiApp", screen: "ModalScreen[T]") -> T | None:
    """Show a question and return its answer; None where the person went back.

    A key that is pressed twice must not ask twice: where something is asked already, it is None.
    """
    if app.screen.is_modal and not isinstance(app.screen, CommandPalette):
        return None
    answer: T | None = await app.push_screen_wait(screen)
    return answer
