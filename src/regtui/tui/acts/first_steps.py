"""First steps: the choice that an empty registry offers, and what follows from it."""

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from regtui.tui.acts.asking import ask
from regtui.tui.acts.capturing import capture
from regtui.tui.acts.signing_in import connect
from regtui.tui.acts.watching import add_folder
from regtui.tui.screens.first_steps import FirstSteps

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


async def first_steps(app: "RegtuiApp") -> None:
    """Ask what to do first, and do it."""
    open_demo = _demo(app)
    without = {"capture", "watch", "connect"} if app.read_only else set[str]()
    if app.status.remote is not None:
        without.add("connect")
    if open_demo is None:
        without.add("demo")
    step = await ask(app, FirstSteps(without=without))
    if step == "capture":
        await capture(app)
    elif step == "watch":
        await app.switch_mode("watch")
        await add_folder(app)
    elif step == "connect":
        await connect(app)
    elif step == "demo" and open_demo is not None:
        await open_demo()
    elif step == "quit":
        app.exit()


def _demo(app: "RegtuiApp") -> Callable[[], Awaitable[None]] | None:
    """Return what opens the demo in this app; None where there is none."""
    if find_spec("regtui.demo") is None:
        return None
    found: Callable[[], Awaitable[None]] | None = getattr(app, "open_demo", None)
    return found
