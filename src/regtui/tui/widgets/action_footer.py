"""The footer: the keys that do something here and now, no more than fit."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widgets import Static

from regtui.tui.acting import Acting
from regtui.tui.actions import ACTIONS, BY_ID, Action
from regtui.tui.key_names import key_of, working_keys

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
    "checks",
    "discussion",
    "versions",
    "models",
    "compare",
    "reviews",
    "deployments",
    "conflicts",
    "settings",
    "activity",
)

PLACES = {action.id: place for place, action in enumerate(ACTIONS)}
"""The order within a scope, whatever keys a person chose."""

LAST = "app.help"
"""The action that is shown however little room there is: it leads to all the others."""


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
        """Show the actions of where the focus is, and at the end always the one that shows all."""
        line = Text(no_wrap=True, overflow="crop")
        self._places = []
        parts = [(shown[1].id, _part(*shown)) for shown in self._shown()]
        last = [(identity, part) for identity, part in parts if identity == LAST]
        room = self.size.width - sum(part.cell_len for _, part in last)
        for identity, part in parts:
            if identity != LAST and line.cell_len + part.cell_len > room:
                break
            if identity != LAST:
                self._add(line, identity, part)
        for identity, part in last:
            line.append(" " * max(room - line.cell_len, 0))
            self._add(line, identity, part)
        self.update(line)

    def _add(self, line: Text, identity: str, part: Text) -> None:
        start = line.cell_len
        line.append(part)
        self._places.append((start, line.cell_len, identity))

    def _shown(self) -> list[tuple[str, Action, str | None]]:
        app = cast("RegtuiApp", self.app)
        focused = self.screen.focused
        # Asked of the widget: to load the class of the one for many lines takes the app's start.
        is_typing = focused is not None and focused.check_consume_key("a", "a")
        found: dict[str, tuple[str, Action, str | None]] = {}
        for active in self.screen.active_bindings.values():
            identity = active.binding.id or ""
            if identity in found or not active.binding.show or identity not in BY_ID:
                continue
            action = BY_ID[identity]
            if not working_keys(app, action, while_typing=is_typing):
                continue
            node = active.node
            reason = node.refusal(action) if isinstance(node, Acting) else None
            key = key_of(app, identity, while_typing=is_typing)
            found[identity] = (key, action, reason)
        order = {name: place for place, name in enumerate(NARROW_FIRST)}
        return sorted(
            found.values(), key=lambda one: (order.get(one[1].scope, len(order)), PLACES[one[1].id])
        )

    async def on_click(self, event: events.Click) -> None:
        """Do the action that was clicked on."""
        for start, end, identity in self._places:
            if start <= event.x < end:
                await self.app.do_action(identity)  # type: ignore[attr-defined]
                return


def _part(key: str, action: Action, reason: str | None) -> Text:
    is_possible = reason is None
    part = Text(" ").append(key, "bold" if is_possible else "dim")
    return part.append(" ").append(action.text, "" if is_possible else "dim").append(" ")
