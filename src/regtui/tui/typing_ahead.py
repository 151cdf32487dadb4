"""Typing ahead: each key does what it means after the keys before it, however fast they come.

Textual sends a key to the widget that has the focus when the key arrives. Whoever types `/loss`
quickly has pressed `l` before `/` has come to the list and opened the filter: the rest of the word
would do whatever those letters do in the list. So keys wait in line here. Behind each key goes a
message the same way, from widget to widget up to the app; when it arrives, the key has been used or
has come back unused and done what it is bound to, and the next one is sent.
"""

import time
from collections import deque
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import App
from textual.message import Message

if TYPE_CHECKING:
    from textual.widget import Widget

MOST = 1_000
"""Keys that wait at most. Nobody types that many ahead: it is a text, pasted where a terminal does
not tell that it is one, and each letter of it would do something."""

PATIENCE = 1.0
"""Seconds after which a key is taken for lost, such as with the widget that had it."""


class KeyUsed(Message):
    """The key before it has gone its way."""


class TypingAhead(App[None]):
    """An app to which one can type faster than it follows.

    Args:
        ansi_color: Whether colours are those of the terminal; None where the theme decides.
    """

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._keys: deque[events.Key] = deque()
        self._sent: float | None = None
        """When the key that is on its way was sent; None where there is none."""

    async def on_event(self, event: events.Event) -> None:
        """Put keys in line; everything else takes its usual way."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if len(self._keys) == MOST:
            self._keys.clear()
            self.notify("too many keys at once: those that waited are dropped", severity="warning")
        self._keys.append(event)
        if self._sent is None or time.monotonic() - self._sent > PATIENCE:
            await self._send_next()

    @on(KeyUsed)
    async def _go_on(self, event: KeyUsed) -> None:
        event.stop()
        self._sent = None
        await self._send_next()

    async def _send_next(self) -> None:
        if self._keys and self.screen_stack:  # none is left where the app ends meanwhile
            self._sent = time.monotonic()
            receiver: Widget = self.focused or self.screen
            await super().on_event(self._keys.popleft())
            receiver.post_message(KeyUsed())
