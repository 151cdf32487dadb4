"""Starting: an act goes on beside the keys, and whatever goes wrong in it is shown."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from regtui.tui.background import start

if TYPE_CHECKING:
    from regtui.tui.acting import Acting


def start_act(node: "Acting", act: Callable[..., Awaitable[object]], *given: Any) -> None:
    """Start an act of a widget or screen.

    Args:
        node: Where it was asked for; the act ends with it.
        act: What to do; is given the app first.
        given: What it is given besides.
    """
    start(node, _shown, node, act, *given, group="act", together=True)


async def _shown(node: "Acting", act: Callable[..., Awaitable[object]], *given: Any) -> None:
    try:
        await act(node.regtui, *given)
    except Exception as error:  # noqa: BLE001 -- shown, whatever it is
        node.regtui.show_error(error)
