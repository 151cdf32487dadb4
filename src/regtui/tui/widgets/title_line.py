"""The title line: which screen, which registry, who, and how much of it there is."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.widgets import Static

from regtui.registry.figures import count_text
from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.registry_status import Status
    from regtui.tui.signs import Signs

SCREENS = (
    ("models", "Models"),
    ("compare", "Compare"),
    ("reviews", "Reviews"),
    ("watch", "Watch"),
    ("conflicts", "Conflicts"),
    ("activity", "Activity"),
    ("settings", "Settings"),
)

NARROW = 100
"""Cells below which the line is written more closely."""


class TitleLine(Static):
    """One line on top of every screen."""

    DEFAULT_CSS = """
    TitleLine {
        dock: top;
        height: 1;
        background: $panel;
        color: $foreground;
    }
    """

    def __init__(self, screen: str) -> None:
        super().__init__()
        self._screen = screen

    def on_mount(self) -> None:
        """Follow what the app knows of the registry."""
        self.watch(self.app, "status", self._show)

    def on_resize(self) -> None:
        """Use the room there is."""
        self._show()

    def _show(self) -> None:
        app = cast("RegtuiApp", self.app)
        needed, room = needed_part(app.status, app.signs), self.size.width
        for is_narrow, only_keys in ((room < NARROW, False), (True, False), (True, True)):
            line = self._tabs(is_narrow=is_narrow, only_keys=only_keys)
            if line.cell_len + needed.cell_len < room:
                break
        parts = self._parts(app.status, app.signs.live)
        right, left = needed, room - line.cell_len - 2
        for part in parts:
            longer = Text.assemble(right, (" · ", "dim"), part) if right.cell_len else part
            right = longer if longer.cell_len <= left else right
        if right.cell_len > left:
            right.truncate(max(left, 0), overflow="ellipsis")
        line.append(" " * max(left + 1 - right.cell_len, 0)).append(right).append(" ")
        self.update(line)

    def _tabs(self, *, is_narrow: bool, only_keys: bool = False) -> Text:
        """Return the screens; of those that are not shown only the keys, where room is short."""
        app = cast("RegtuiApp", self.app)
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(" " if is_narrow else " regtui ", "" if is_narrow else "bold reverse")
        for place, (name, title) in enumerate(SCREENS):
            is_shown = name == self._screen
            gap = 1 if is_narrow else 2
            line.append(" " * (gap if place or not is_narrow else 0))
            line.append(key_of(app, f"app.{name}"), "dim")
            if is_shown or not only_keys:
                line.append(" ").append(title, "bold underline" if is_shown else "dim")
        return line

    @staticmethod
    def _parts(status: "Status", live: str) -> list[Text]:
        """Return what is told where there is room, what matters most first."""
        parts = ["read-only" if status.read_only else ""]
        parts += [
            f"{live} {count_text(status.watched, 'folder')} watched" if status.watched else ""
        ]
        parts += [f"{status.versions:,} versions", status.person, status.home]
        return [Text(part, "dim") for part in parts if part]


def needed_part(status: "Status", signs: "Signs") -> Text:
    """Return what is told however little room there is; empty where all is well.

    How it stands between this registry, the server and other people, and what is wrong here.

    Signs tell it together with colours, and the state in a word.
    """
    counts = (
        (signs.outgoing, status.waiting, "bold"),
        (signs.conflict, status.conflicts, "bold red"),
        (signs.failed, status.refused, "bold red"),
    )
    found = [Text(f"{sign}{count:,}", style) for sign, count, style in counts if count]
    state = "" if status.remote is None else status.remote.state
    if status.syncing:
        found.append(Text(status.syncing, "dim"))
    elif state not in {"", "online"}:
        found.append(Text(state, "bold yellow"))
    if status.message:
        found.append(Text(status.message))
    return Text(" ").join(found)
