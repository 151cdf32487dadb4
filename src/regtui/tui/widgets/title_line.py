"""The title line: which screen, which registry, who, and how much of it there is."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.widgets import Static

from regtui.registry.figures import count_text
from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

SCREENS = (
    ("models", "Models"),
    ("compare", "Compare"),
    ("watch", "Watch"),
    ("activity", "Activity"),
)


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
        status = app.status
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(" regtui ", "bold reverse")
        for name, title in SCREENS:
            key = key_of(app, f"app.{name}")
            style = "bold underline" if name == self._screen else "dim"
            line.append("  ").append(key, "dim").append(" ").append(title, style)
        parts = [status.message] if status.message else []
        parts += [f"{status.versions:,} versions", status.person, status.home]
        if status.read_only:
            parts.insert(0, "read-only")
        right = Text(" · ".join(part for part in parts if part) + " ", "dim")
        if status.watched:
            watched = f"{app.signs.live} {count_text(status.watched, 'folder')} watched"
            right = Text(watched, "dim") + Text(" · ", "dim") + right
        if status.conflicts:
            right = Text(f"{app.signs.conflict} {status.conflicts} ", "bold red") + right
        line.append("  ")
        room = self.size.width - line.cell_len
        if right.cell_len > room:
            right.truncate(max(room, 0), overflow="ellipsis")
        line.append(" " * max(room - right.cell_len, 0)).append(right)
        self.update(line)
