"""The footer: the keys that do something here and now, no more than fit."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widgets import Static

from regtui.tui.acting import Acting
from regtui.tui.actions import BY_ID, Action
from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

NARROW_FIRST = (
    "filter",
    "logfilter",
    "browse",
    "picker",
    "editor",
    "form",
    "detail",
    "versions",
    "models",
    "compare",
    "activity",
)


class ActionFooter(Static):
    """One line below every screen; a click on a part of it does that action."""

    DEFAULT_CSS = """
    ActionFooter {
        dock: bottom;
        height: 1;
        background: $panel;
        color: $foreground;
    }
    """

    def on_mount(self) -> None:
        """Follow the focus and what is bound."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)
        self._places: list[tuple[int, int, str]] = []
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """Use the room there is."""
        self.show()

    def _bindings_updated(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen:
            self.show()

    def show(self) -> None:
        """Show the actions of where the focus is."""
        line = Text(no_wrap=True, overflow="crop")
        self._places = []
        for key, action, reason in self._shown():
            start = line.cell_len
            part = Text(" ").append(key, "bold" if reason is None else "dim")
            part.append(" ").append(action.text, "" if reason is None else "dim").append(" ")
            if start + part.cell_len > self.size.width:
                break
            line.append(part)
            self._places.append((start, line.cell_len, action.id))
        self.update(line)

    def _shown(self) -> list[tuple[str, Action, str | None]]:
        found: dict[str, tuple[str, Action, str | None]] = {}
        for active in self.screen.active_bindings.values():
            identity = active.binding.id or ""
            if identity in found or not active.binding.show or identity not in BY_ID:
                continue
            action = BY_ID[identity]
            node = active.node
            reason = node.refusal(action) if isinstance(node, Acting) else None
            key = key_of(cast("RegtuiApp", self.app), identity)
            found[identity] = (key, action, reason)
        order = {name: place for place, name in enumerate(NARROW_FIRST)}
        return sorted(found.values(), key=lambda one: order.get(one[1].scope, len(order)))

    async def on_click(self, event: events.Click) -> None:
        """Do the action that was clicked on."""
        for start, end, identity in self._places:
            if start <= event.x < end:
                await self.app.do_action(identity)  # type: ignore[attr-defined]
                return
