"""A document: text that one reads, laid out for the width there is, of any length.

Its blocks are rich renderables. They are made into lines in a thread, and painted from these lines
alone (`render_line`), so a long card costs a key press nothing. What was shown before stays until
the lines are there, and content that stays the same object keeps its lines. Blocks with an id can
be chosen: the cursor goes from one to the next.
"""

import asyncio
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.theme import Theme
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.background import start
from regtui.tui.signs import signs

MARGIN = 2
"""Cells on the left, where the mark of the chosen block stands."""

_COLORS = ("label", "heading", "code", "link", "accent", "success", "warning", "error", "primary")

_MARKDOWN = {
    "h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "h5": "heading",
    "h6": "heading", "code": "code", "code_inline": "code", "code_block": "code", "link": "link",
    "link_url": "label", "block_quote": "label", "hr": "label", "item.bullet": "accent",
    "item.number": "accent", "list": "", "table.border": "label", "table.header": "heading",
}  # fmt: skip
"""What rich calls the parts of a Markdown text, and the colour that each has here."""


class Later:
    """What is made when it is painted, in the thread that paints it."""

    def __init__(self, make: Callable[[], RenderableType]) -> None:
        self._make = make

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._make()


class Block(Struct, frozen=True):
    """A part of a document: what it is known by, empty where it can't be chosen, and its text."""

    content: RenderableType
    id: str = ""


class DocumentView(Acting, ScrollView, can_focus=True):
    """Text that one reads."""

    SCOPES = ("table",)
    BINDINGS = bindings("table")
    COMPONENT_CLASSES = {f"document--{name}" for name in _COLORS}
    DEFAULT_CSS = """
    DocumentView {
        height: 1fr;
        background: $surface;
        color: $foreground;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;

        &:focus { background-tint: $foreground 2%; }
        & > .document--label { color: $text-muted; }
        & > .document--heading { color: $text-primary; text-style: bold; }
        & > .document--code { color: $text-accent; }
        & > .document--link { color: $text-primary; text-style: underline; }
        & > .document--accent { color: $text-accent; }
        & > .document--success { color: $text-success; }
        & > .document--warning { color: $text-warning; }
        & > .document--error { color: $text-error; }
        & > .document--primary { color: $text-primary; }
    }
    """

    @dataclass
    class Opened(Message):
        """A block was opened."""

        document: "DocumentView"
        id: str

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id, classes=classes)
        self._blocks: list[Block] = []
        self._lines: list[Strip] = []
        self._starts: list[int] = []
        self._laid_out = 0
        self._chosen = -1
        self._asked = 0
        self._palette: list[Style] = []

    # What the owner does

    async def show(self, blocks: Sequence[Block], *, stay: bool = True) -> None:
        """Show other blocks, as soon as they are laid out.

        Args:
            blocks: From the top.
            stay: Whether one stays where one reads, and the chosen block stays chosen.
        """
        self._asked += 1
        asked, width = self._asked, self._room
        lines, starts = await self._made(blocks, width)
        if asked != self._asked:
            return  # something newer is shown, or will be
        current = self.current if stay else ""
        self._blocks = list(blocks)
        self._take(lines, starts, width)
        ids = [block.id for block in blocks]
        first = next((n for n, one in enumerate(ids) if one), -1)
        self._chosen = ids.index(current) if current and current in ids else first
        if not stay:
            self.scroll_to(y=0, animate=False, force=True)

    async def show_new(self, blocks: Sequence[Block]) -> None:
        """Show other blocks from their beginning."""
        await self.show(blocks, stay=False)

    @property
    def current(self) -> str:
        """Id of the chosen block; empty without one."""
        return self._blocks[self._chosen].id if 0 <= self._chosen < len(self._blocks) else ""

    @property
    def is_at_end(self) -> bool:
        """Whether its last line is in sight."""
        return self.scroll_y >= self.max_scroll_y

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action on rows is not possible here."""
        if action.name in {"left", "right", "goto"}:
            return "there are no rows and columns here"
        return None

    def do_down(self) -> None:
        """Go a line down, or to the next block."""
        self._step(1)

    def do_up(self) -> None:
        """Go a line up, or to the block before."""
        self._step(-1)

    def do_page_down(self) -> None:
        """Go half a screen down."""
        self._step(max(self._height // 2, 1))

    def do_page_up(self) -> None:
        """Go half a screen up."""
        self._step(-max(self._height // 2, 1))

    def do_top(self) -> None:
        """Go to the beginning."""
        self._choose(next((n for n, block in enumerate(self._blocks) if block.id), -1))
        self.scroll_to(y=0, animate=False)

    def do_bottom(self) -> None:
        """Go to the end."""
        chosen = [n for n, block in enumerate(self._blocks) if block.id]
        self._choose(chosen[-1] if chosen else -1)
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def do_open(self) -> None:
        """Open the chosen block."""
        if self.current:
            self.post_message(self.Opened(self, self.current))

    def on_click(self, event: events.Click) -> None:
        """Choose the block that was clicked on."""
        line = round(self.scroll_y) + event.y - self.gutter.top
        found = [n for n, start in enumerate(self._starts) if start <= line]
        if found and self._blocks[found[-1]].id:
            self._choose(found[-1])

    # How it is painted

    def on_resize(self) -> None:
        """Lay it out for another width."""
        if self._blocks and self._room != self._laid_out:
            self._again()

    def notify_style_update(self) -> None:
        """Lay it out in other colours."""
        super().notify_style_update()
        if self._blocks and self.is_attached and self._palette != self._colors():
            self._again()

    def watch_has_focus(self, value: bool) -> None:  # noqa: D102 -- Textual's hook
        super().watch_has_focus(value)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint a line of what was laid out."""
        width = self.size.width
        number = round(self.scroll_y) + y
        base = self.rich_style
        if number >= len(self._lines):
            return Strip.blank(width, base)
        is_chosen = self.current != "" and self._lines_of(self._chosen)[0] <= number
        is_chosen = is_chosen and number < self._lines_of(self._chosen)[1]
        mark = signs().mark if is_chosen and self.has_focus else " "
        accent = base + self.get_component_rich_style("document--accent", partial=True)
        lead = Segment(mark.ljust(MARGIN), accent)
        line = self._lines[number].apply_style(base)
        return Strip([lead, *line], MARGIN + line.cell_length).adjust_cell_length(width, base)

    @property
    def _room(self) -> int:
        return max(self.scrollable_content_region.width - MARGIN - 1, 0)

    @property
    def _height(self) -> int:
        return max(self.scrollable_content_region.height, 1)

    def _again(self) -> None:
        start(self, self._lay_out, group="layout")

    async def _lay_out(self) -> None:
        blocks, width = self._blocks, self._room
        lines, starts = await self._made(blocks, width)
        if self._blocks is blocks:
            self._take(lines, starts, width)

    async def _made(self, blocks: Sequence[Block], width: int) -> tuple[list[Strip], list[int]]:
        if width < 1:  # it is not on the screen yet
            return [], [0] * len(blocks)
        palette = self._colors()
        known: dict[int, list[Strip]] = {}
        if width == self._laid_out and palette == self._palette:
            for at, block in enumerate(self._blocks):
                known[id(block.content)] = self._lines[slice(*self._lines_of(at))]
        self._palette = palette
        return await asyncio.to_thread(_laid_out, blocks, width, _theme(palette), known)

    def _take(self, lines: list[Strip], starts: list[int], width: int) -> None:
        self._lines, self._starts, self._laid_out = lines, starts, width
        self.virtual_size = Size(width, len(lines))
        self.refresh()
        if width != self._room:  # which changed meanwhile
            self._again()

    def _colors(self) -> list[Style]:
        return [self.get_component_rich_style(f"document--{n}", partial=True) for n in _COLORS]

    # How one moves

    def _step(self, lines: int) -> None:
        """Scroll, or go to the next block where the end of the chosen one is in sight."""
        if not self.current:
            self.scroll_to(y=self.scroll_y + lines, animate=False)
            return
        top, height = round(self.scroll_y), self._height
        start, end = self._lines_of(self._chosen)
        hidden = end - (top + height) if lines > 0 else top - start
        if hidden > 0 and start < top + height and end > top:
            way = min(abs(lines), hidden)
            self.scroll_to(y=top + (way if lines > 0 else -way), animate=False)
            return
        step = 1 if lines > 0 else -1
        at = self._chosen + step
        while 0 <= at < len(self._blocks) and not self._blocks[at].id:
            at += step
        if 0 <= at < len(self._blocks):
            self._choose(at)

    def _choose(self, at: int) -> None:
        self._chosen = at
        self.refresh()
        self.refresh_bindings()  # what can be done to it
        if at < 0:
            return
        start, end = self._lines_of(at)
        top, height = round(self.scroll_y), self._height
        if start < top or end - start >= height:
            self.scroll_to(y=start, animate=False)
        elif end > top + height:
            self.scroll_to(y=end - height, animate=False)

    def _lines_of(self, at: int) -> tuple[int, int]:
        """Return the first line of a block, and the first one behind it."""
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._lines)
        return self._starts[at], end


def _theme(palette: Sequence[Style]) -> Theme:
    found = dict(zip(_COLORS, palette, strict=True))
    none = Style.null()
    found |= {f"markdown.{part}": found.get(name, none) for part, name in _MARKDOWN.items()}
    return Theme(found)


def _laid_out(
    blocks: Sequence[Block], width: int, theme: Theme, known: Mapping[int, list[Strip]]
) -> tuple[list[Strip], list[int]]:
    """Return the lines of blocks, and where each block begins.

    Args:
        blocks: From the top.
        width: Cells.
        theme: Styles by name.
        known: Lines that are laid out already, by the identity of their content.
    """
    console = Console(
        width=width, theme=theme, file=io.StringIO(), force_terminal=True, color_system="truecolor",
        legacy_windows=False, markup=False, emoji=False, highlight=False,
    )  # fmt: skip
    lines: list[Strip] = []
    starts: list[int] = []
    for block in blocks:
        starts.append(len(lines))
        if id(block.content) in known:
            lines += known[id(block.content)]
            continue
        for segments in console.render_lines(block.content, pad=False):
            lines.append(Strip(segments))
    return lines, starts
