"""The title line: which screen, which registry, who, and how much of it there is."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.widgets import Static

from regtui.core.wording import count_text
from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.registry_status import Status
    from regtui.tui.signs import Signs

SCREENS = (
    ("models", "Models", "Models"),
    ("compare", "Compare", "Compare"),
    ("reviews", "Reviews", "Reviews"),
    ("deployments", "Deployments", "Live"),
    ("watch", "Watch", "Watch"),
    ("conflicts", "Conflicts", "Conflicts"),
    ("activity", "Activity", "Activity"),
    ("settings", "Settings", "Settings"),
)
"""What each screen is called, and in short."""

NARROW = 130
"""Cells below which the line is written more closely."""

WIDE, CLOSE, SHORT, KEYS = range(4)
"""How the screens are written, by how much room there is."""


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
        for how in range(CLOSE if room < NARROW else WIDE, KEYS + 1):
            line = self._tabs(how)
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

    def _tabs(self, how: int) -> Text:
        """Return the screens; of those that are not shown only the keys, where room is short."""
        app = cast("RegtuiApp", self.app)
        is_wide = how == WIDE
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(" regtui " if is_wide else " ", "bold reverse" if is_wide else "")
        for place, (name, title, short) in enumerate(SCREENS):
            is_shown = name == self._screen
            line.append(" " * (2 if is_wide else int(place > 0)))
            line.append(key_of(app, f"app.{name}"), "dim")
            if is_shown or how != KEYS:
                called = title if how < SHORT else short
                line.append(" ").append(called, "bold underline" if is_shown else "dim")
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
