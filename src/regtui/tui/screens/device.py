"""Signing in by a code: it is shown till somebody who is signed in elsewhere lets it in."""

import asyncio
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from regtui.core.errors import RegtuiError, Unreachable
from regtui.registry import Registry
from regtui.registry.remote import RemoteAnswer
from regtui.tui.background import in_background, start

if TYPE_CHECKING:
    from regtui.registry.answers_access import WaitingDevice


class DeviceCode(ModalScreen[RemoteAnswer | RegtuiError | None]):
    """Shows a code till somebody has let this machine in; None where the person went back.

    Args:
        registry: Where it shall be signed in.
        url: The server.
        waiting: The code.
    """

    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [("escape", "leave", "Back")]

    def __init__(self, registry: Registry, url: str, waiting: "WaitingDevice") -> None:
        super().__init__()
        self._registry = registry
        self._url = url
        self._waiting = waiting

    @property
    def code(self) -> str:
        """The code."""
        return self._waiting.code

    def compose(self) -> ComposeResult:
        """Compose the code and what to do with it."""
        code = self.code
        with Vertical(classes="prompt") as box:
            box.border_title = Text(f"Sign in to {self._url}")
            box.border_subtitle = "esc goes back"
            yield Static(Text(f"{code}\n", "bold"))
            yield Static(
                Text(
                    "Where you are signed in already, let this machine in: in the app by c on the "
                    f"settings, or\n$ regtui login --approve {code}"
                )
            )
            yield Static("waiting …", classes="prompt--hint")

    def on_mount(self) -> None:
        """Begin to ask."""
        start(self, self._ask, group="device")

    def action_leave(self) -> None:
        """Go back without being signed in."""
        self.dismiss(None)

    async def _ask(self) -> None:
        registry, waiting = self._registry, self._waiting
        loop = asyncio.get_running_loop()
        until = loop.time() + waiting.expires_in
        while loop.time() < until:
            await asyncio.sleep(waiting.interval)
            try:
                joined = await in_background(lambda: registry.ask_device(waiting))
            except Unreachable:
                continue  # asking again is safe
            except RegtuiError as error:
                self.dismiss(error)
                return
            if joined is not None:
                self.dismiss(joined)
                return
        self.dismiss(RegtuiError("nobody let this machine in", "begin again for another code"))
