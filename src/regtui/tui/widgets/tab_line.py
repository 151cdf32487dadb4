"""The line of tabs: one row, as much of each title as there is room for.

Textual's own tabs take two rows, and in a detail of eight rows each one counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from regtui.tui.signs import signs


class TabTitle(Struct, frozen=True):
    """One tab: what it is known by, what it is called, in short, and how much it holds."""

    id: str
    title: str
    short: str
    count: int | None = None

    @property
    def counted(self) -> str:
        """Its title with how much it holds."""
        return self.title if self.count is None else f"{self.title} {self.count:,}"

    @property
    def counted_short(self) -> str:
        """The same in short."""
        return self.short if self.count is None else f"{self.short} {self.count:,}"


class TabLine(Static):
    """Titles of tabs; a click on one chooses it."""

    DEFAULT_CSS = """
    TabLine {
        height: 1;
        background: $panel;
        color: $foreground;
    }
    """

    active: reactive[int] = reactive(0, repaint=False)
    """Which tab is chosen, from 0."""

    @dataclass
    class Chosen(Message):
        """Another tab was chosen."""

        id: str

    def __init__(self, titles: Iterable[TabTitle]) -> None:
        super().__init__()
        self._titles = list(titles)
        self._places: list[tuple[int, int, int]] = []

    @property
    def chosen(self) -> str:
        """Id of the chosen tab."""
        return self._titles[self.active].id

    def move(self, by: int) -> None:
        """Choose a tab further on; after the last one comes the first."""
        self.active = (self.active + by) % len(self._titles)

    def choose(self, identity: str) -> None:
        """Choose a tab by its id."""
        self.active = next(n for n, title in enumerate(self._titles) if title.id == identity)

    def show_titles(self, titles: Iterable[TabTitle]) -> None:
        """Show other counts beside the same tabs."""
        found = list(titles)
        if found != self._titles:
            self._titles = found
            self._paint()

    def watch_active(self) -> None:
        """Tell which one was chosen."""
        self._paint()
        self.post_message(self.Chosen(self.chosen))

    def on_resize(self) -> None:
        """Use the room there is."""
        self._paint()

    def on_click(self, event: events.Click) -> None:
        """Choose the tab that was clicked on."""
        event.stop()
        for start, end, number in self._places:
            if start <= event.x < end:
                self.active = number

    def _paint(self) -> None:
        room = self.size.width
        whole = range(len(self._titles))
        for gap, texts in (
            (2, [title.counted for title in self._titles]),
            (2, [title.counted_short for title in self._titles]),
            (2, [title.title for title in self._titles]),
            (1, [title.short for title in self._titles]),
        ):
            if sum(len(text) + gap for text in texts) <= room + (gap == 1):
                self._put(texts, whole, gap)
                return
        self._put(texts, self._around(texts, room - 4), 1)

    def _around(self, texts: list[str], room: int) -> range:
        """Return which tabs to show where not all fit: the chosen one and its neighbours."""
        start, end = self.active, self.active + 1
        while True:
            before = sum(len(text) + 1 for text in texts[max(start - 1, 0) : end])
            after = sum(len(text) + 1 for text in texts[start : end + 1])
            if end < len(texts) and after <= room:
                end += 1
            elif start and before <= room:
                start -= 1
            else:
                return range(start, end)

    def _put(self, texts: list[str], which: range, gap: int) -> None:
        line = Text(no_wrap=True, overflow="crop")
        self._places = []
        if which.start:
            line.append(f"{signs().ellipsis} ", "dim")
        pad = " " * (gap // 2)
        for number in which:
            start = line.cell_len
            style = "bold reverse" if number == self.active else ""
            line.append(pad + texts[number] + pad, style)
            self._places.append((start, line.cell_len, number))
            line.append(" " * (gap - 2 * len(pad)))
        if which.stop < len(texts):
            line.append(signs().ellipsis, "dim")
        self.update(line)
