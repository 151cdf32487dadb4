"""The table: any number of rows, of which it holds the pages around what is on the screen.

Textual's own table holds every row, which takes 8 s at a hundred thousand. This one paints lines
(`render_line`) from pages of rows that its owner hands in. What it lacks is asked for by `Wanted`
and painted as a row of dots meanwhile; painting never waits and never fetches. So a step, a page
and a jump to the end cost the same, at ten rows as at a million.

The first line is the header. Rows are known by an id of theirs: marks, the glow of new rows and the
cursor's row survive when rows come and go around them.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from regtui.tui.acting import Acting
from regtui.tui.actions import bindings
from regtui.tui.signs import signs

PAGE = 64
"""Rows of a page."""

PAGES = 48
"""Pages that are held; the ones farthest from use are let go."""

PAUSE = 0.06
"""Seconds of typing after which the row that is typed is looked for."""

_NO_ROW = "give a number or a percentage"

GLOW = 2.0
"""Seconds that new rows are marked."""

Row = TypeVar("Row")

Painted = str | tuple[str, str]
"""A cell: its text, or text and style: a colour name of the theme such as `success`, or `dim`."""


class Column(Struct, frozen=True):
    """One column.

    Attributes:
        key: What it is called in settings.
        title: Its heading.
        width: Cells; `stretch` columns get what is left over, in this proportion of it.
        paint: What it shows of a row.
        align: Where short text stands.
        sort: What to sort by in the query language; empty where it can't be sorted by.
        stretch: How much of the width that is left over it gets.
        title_style: A colour name of the theme for its heading; empty for the usual one.
        keeps_end: Whether text that is too long is cut in the middle, because its end tells more.
    """

    key: str
    title: str
    width: int
    paint: Callable[[Any], Painted]
    align: Literal["left", "right"] = "left"
    sort: str = ""
    stretch: int = 0
    title_style: str = ""
    keeps_end: bool = False


class VirtualTable(Acting, ScrollView, Generic[Row], can_focus=True):
    """A table over rows that its owner hands in page by page."""

    SCOPES: tuple[str, ...] = ("table",)
    BINDINGS = [*bindings("table")]
    COMPONENT_CLASSES = {
        "table--header",
        "table--cursor",
        "table--blurred",
        "table--marked",
        "table--new",
        "table--dim",
        "table--placeholder",
        "table--success",
        "table--warning",
        "table--error",
        "table--accent",
        "table--primary",
    }
    DEFAULT_CSS = """
    VirtualTable {
        background: $surface;
        color: $foreground;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;

        &:focus { background-tint: $foreground 2%; }
        & > .table--header {
            text-style: bold;
            background: $panel;
            color: $foreground;
        }
        & > .table--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        & > .table--blurred {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        & > .table--marked { color: $accent; text-style: bold; }
        & > .table--new { background: $success-muted; }
        & > .table--dim { color: $text-muted; }
        & > .table--placeholder { color: $text-disabled; }
        & > .table--success { color: $text-success; }
        & > .table--warning { color: $text-warning; }
        & > .table--error { color: $text-error; }
        & > .table--accent { color: $text-accent; }
        & > .table--primary { color: $text-primary; }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row under the cursor, from 0."""

    @dataclass
    class Wanted(Message):
        """Pages that are on the screen, or soon will be, and are not here."""

        table: "VirtualTable[Any]"
        pages: list[int]

        @property
        def control(self) -> "VirtualTable[Any]":
            """The table."""
            return self.table

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row; None where the row is not here yet."""

        table: "VirtualTable[Any]"
        index: int
        row: Any

        @property
        def control(self) -> "VirtualTable[Any]":
            """The table."""
            return self.table

    @dataclass
    class Opened(Message):
        """A row was opened."""

        table: "VirtualTable[Any]"
        index: int
        row: Any

        @property
        def control(self) -> "VirtualTable[Any]":
            """The table."""
            return self.table

    @dataclass
    class Marked(Message):
        """Marks were set or taken away."""

        table: "VirtualTable[Any]"

        @property
        def control(self) -> "VirtualTable[Any]":
            """The table."""
            return self.table

    @dataclass
    class SortWanted(Message):
        """The heading of a column that can be sorted by was clicked."""

        table: "VirtualTable[Any]"
        column: Column

        @property
        def control(self) -> "VirtualTable[Any]":
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column] = (),
        *,
        row_id: Callable[[Row], str],
        empty: str = "",
        id: str | None = None,  # noqa: A002 -- Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns: tuple[Column, ...] = tuple(columns)
        self.total = 0
        self.empty = empty
        """What stands there where there are no rows."""
        self.sorted_by: tuple[str, bool] | None = None
        """What the rows are sorted by in the query language, and whether from high to low."""
        self.fixed = 0
        """Columns on the left that stay when one scrolls sideways."""
        self.marks: dict[str, Row] = {}
        """Marked rows by id, in the order of marking."""
        self._row_id = row_id
        self._pages: OrderedDict[int, list[Row]] = OrderedDict()
        self._asked: set[int] = set()
        self._foreseen = range(0)
        self._glowing: dict[str, float] = {}
        self._widths: list[int] = []
        self._strips: dict[Any, Strip] = {}

    # What the owner does

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns of the same rows."""
        self.columns = tuple(columns)
        self._lay_out()

    def show_rows(
        self, rows: Sequence[Row], *, cursor: int | None = None, offset: int | None = None
    ) -> None:
        """Show rows that are all here; `cursor` and `offset` are those of `show`."""
        pages = {n: list(rows[n * PAGE : (n + 1) * PAGE]) for n in range(-(-len(rows) // PAGE))}
        self.show(len(rows), pages, cursor=cursor, offset=offset)

    def show(
        self,
        total: int,
        pages: dict[int, list[Row]],
        *,
        cursor: int | None = None,
        offset: int | None = None,
    ) -> None:
        """Show other rows: at once, without an empty moment in between.

        Args:
            total: How many there are.
            pages: Those that are here, by page number.
            cursor: The row to put the cursor on; None leaves it where it is.
            offset: The line of the screen on which that row is to stand, from 0; None for as little
                scrolling as possible.
        """
        self.total = total
        self._pages = OrderedDict(pages)
        self._asked.clear()
        self._strips.clear()
        self._lay_out()
        wanted = min(max(self.cursor if cursor is None else cursor, 0), max(total - 1, 0))
        if offset is not None:
            self.scroll_to(y=max(wanted - offset, 0), animate=False, force=True)
        self._move(wanted, tell=True, scroll=offset is None)
        self._ask()
        self.refresh()

    def put_page(self, number: int, rows: list[Row]) -> None:
        """Take in a page that was asked for."""
        self._asked.discard(number)
        self._pages[number] = rows
        self._pages.move_to_end(number)
        while len(self._pages) > PAGES:
            self._pages.popitem(last=False)
        self.refresh()
        if self.cursor // PAGE == number:
            self._tell()

    def drop_page(self, number: int) -> None:
        """Forget that a page was asked for, because it could not be had."""
        self._asked.discard(number)

    def glow(self, ids: Iterable[str]) -> None:
        """Mark new rows for a moment."""
        until = time.monotonic() + GLOW
        self._glowing |= dict.fromkeys(ids, until)
        if self._glowing:
            self._strips.clear()
            self.set_timer(GLOW + 0.05, self._stop_glowing)
            self.refresh()

    def unmark(self) -> None:
        """Take all marks away."""
        self.marks.clear()
        self._strips.clear()
        self.refresh()
        self.post_message(self.Marked(self))

    # What is where

    @property
    def here(self) -> set[int]:
        """The pages that are here."""
        return set(self._pages)

    def row(self, index: int) -> Row | None:
        """Return a row; None where it is not here."""
        page = self._pages.get(index // PAGE)
        place = index % PAGE
        return page[place] if page is not None and place < len(page) else None

    @property
    def current(self) -> Row | None:
        """The row under the cursor; None where there is none, or it is not here yet."""
        return self.row(self.cursor) if self.total else None

    @property
    def chosen(self) -> list[Row]:
        """The marked rows, else the one under the cursor."""
        if self.marks:
            return list(self.marks.values())
        current = self.current
        return [] if current is None else [current]

    @property
    def lines(self) -> int:
        """How many rows the screen has room for."""
        return max(self.scrollable_content_region.height - 1, 1)

    def is_near(self, page: int) -> bool:
        """Tell whether a page is in sight or beside what is, or will be where somebody goes."""
        sight = self.pages_in_sight
        return sight.start - 1 <= page <= sight.stop or page in self._foreseen

    @property
    def pages_in_sight(self) -> range:
        """The pages of which a row is on the screen."""
        top = round(self.scroll_y)
        last = min(top + self.lines, self.total) - 1
        return range(top // PAGE, max(last, 0) // PAGE + 1)

    # What keys do

    def do_down(self) -> None:
        """Go one row down."""
        self._move(self.cursor + 1)

    def do_up(self) -> None:
        """Go one row up."""
        self._move(self.cursor - 1)

    def do_page_down(self) -> None:
        """Go half a screen down."""
        self._move(self.cursor + max(self.lines // 2, 1))

    def do_page_up(self) -> None:
        """Go half a screen up."""
        self._move(self.cursor - max(self.lines // 2, 1))

    def do_top(self) -> None:
        """Go to the first row."""
        self._move(0)

    def do_bottom(self) -> None:
        """Go to the last row."""
        self._move(self.total - 1)

    def do_left(self) -> None:
        """Scroll to columns on the left."""
        self.scroll_to(x=self.scroll_x - 8, animate=False)

    def do_right(self) -> None:
        """Scroll to columns on the right."""
        self.scroll_to(x=self.scroll_x + 8, animate=False)

    def do_goto(self) -> None:
        """Go to a row by its number, or to a part of the whole."""
        from regtui.tui.screens.prompt import Prompt

        def go(answer: str | None) -> None:
            if answer is not None:
                self.go_to(answer)

        def look(text: str) -> str | None:
            index = self._index_of(text)
            if index is None:
                return _NO_ROW
            self._foresee(index)
            return None

        hint = f"1 to {self.total:,}, or 50%"
        self.app.push_screen(Prompt("Go to row", hint, check=look), go)

    def go_to(self, answer: str) -> None:
        """Go to a row: its number from 1, or a percentage."""
        index = self._index_of(answer)
        if index is None:
            self.app.notify(f"{answer!r} is no row: {_NO_ROW}", severity="error")
            return
        self._move(index)

    def _index_of(self, answer: str) -> int | None:
        """Return the row that an answer means; None where it means none."""
        text = answer.strip().replace(",", "").removeprefix("#")
        try:
            part = float(text.removesuffix("%")) / 100
            return round(part * (self.total - 1)) if text.endswith("%") else int(text) - 1
        except (ValueError, OverflowError):
            return None

    def _foresee(self, index: int) -> None:
        """Ask for the rows around one to which somebody may go, once the typing pauses."""
        wanted = min(max(index, 0), max(self.total - 1, 0))
        self._foreseen = range((wanted - self.lines) // PAGE, (wanted + self.lines) // PAGE + 1)

        def ask(pages: range = self._foreseen) -> None:
            if pages == self._foreseen:
                self._ask_for(pages)

        self.set_timer(PAUSE, ask)

    def do_open(self) -> None:
        """Open the row under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self, self.cursor, self.current))

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        row = self.current
        if row is None:
            return
        identity = self._row_id(row)
        if identity in self.marks:
            del self.marks[identity]
        else:
            self.marks[identity] = row
        self._strips.clear()
        self._move(self.cursor + 1)
        self.refresh()
        self.post_message(self.Marked(self))

    # What the mouse does

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row, or ask for another order; twice opens the row."""
        y = event.y - self.gutter.top
        if y == 0:
            column = self.column_at(event.x - self.gutter.left)
            if column is not None and column.sort:
                self.post_message(self.SortWanted(self, column))
            return
        index = round(self.scroll_y) + y - 1
        if 0 <= index < self.total:
            self._move(index)
            if event.chain > 1:
                self.do_open()

    # How it is painted

    def on_resize(self) -> None:
        """Lay the columns out anew, and keep the cursor in sight."""
        self._lay_out()
        self._move(self.cursor)
        self._ask()

    def on_mount(self) -> None:
        """Lay the columns out."""
        super().on_mount()  # type: ignore[no-untyped-call]
        self._lay_out()

    def notify_style_update(self) -> None:
        """Forget what was painted in the old colours."""
        super().notify_style_update()
        self._strips.clear()

    def watch_has_focus(self, value: bool) -> None:  # noqa: D102 -- Textual's hook
        super().watch_has_focus(value)
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._ask()

    def render_line(self, y: int) -> Strip:
        """Paint a line from what is here."""
        width = self.size.width
        if y == 0:
            strip = self._header()
        else:
            index = round(self.scroll_y) + y - 1
            if index >= self.total:
                is_note = not self.total and y == 2  # noqa: PLR2004 -- one line below the header
                return self._note(width) if is_note else Strip.blank(width, self.rich_style)
            strip = self._line(index)
        left = round(self.scroll_x)
        held = self.held if left else 0
        rest = strip.crop_extend(left + held, left + width, self.rich_style)
        return Strip.join([strip.crop(0, held), rest]) if held else rest

    def _note(self, width: int) -> Strip:
        style = self.rich_style + self.get_component_rich_style("table--dim", partial=True)
        return Strip([Segment(set_cell_size("  " + self.empty, width), style)], width)

    def _header(self) -> Strip:
        style = self.get_component_rich_style("table--header")
        found = []
        by, descending = self.sorted_by or ("", False)
        for column, width in zip(self.columns, self._widths, strict=False):
            title = column.title
            if column.sort and column.sort == by:
                title += " " + (signs().descending if descending else signs().ascending)
            own = style
            if column.title_style:
                name = f"table--{column.title_style}"
                own += self.get_component_rich_style(name, partial=True) + Style(reverse=True)
            found.append(Segment(" " + _fitted(title, width, column.align) + " ", own))
        strip = Strip(found)
        return strip.extend_cell_length(max(self.size.width, strip.cell_length), style)

    def _line(self, index: int) -> Strip:
        row = self.row(index)
        is_cursor = index == self.cursor
        if row is None:
            return self._placeholder(is_cursor=is_cursor)
        identity = self._row_id(row)
        state = (
            is_cursor and (2 if self.has_focus else 1),
            identity in self.marks,
            identity in self._glowing,
        )
        key = (identity, index, state)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > 400:  # noqa: PLR2004 -- some screens of rows
                self._strips.clear()
            strip = self._strips[key] = self._paint(row, state)
        return strip

    def _paint(self, row: Row, state: tuple[Any, bool, bool]) -> Strip:
        cursor, is_marked, is_new = state
        base = self.rich_style
        if is_new:
            base += self.get_component_rich_style("table--new", partial=True)
        over: Style | None = None
        if cursor:
            name = "table--cursor" if cursor > 1 else "table--blurred"
            over = self.get_component_rich_style(name, partial=True)
        elif is_marked:
            over = self.get_component_rich_style("table--marked", partial=True)
        plain = base if over is None else base + over
        found: list[Segment] = []
        for place, (column, width) in enumerate(zip(self.columns, self._widths, strict=False)):
            painted = column.paint(row)
            text, name = painted if isinstance(painted, tuple) else (painted, "")
            style = plain
            if name and not (cursor and over is not None and cursor > 1):
                style = base + self.get_component_rich_style(f"table--{name}", partial=True)
                if cursor and over is not None:
                    style += Style(bgcolor=over.bgcolor, underline=over.underline)
            lead = signs().mark if is_marked and place == 0 else " "
            text = _fitted(text, width, column.align, keeps_end=column.keeps_end)
            found.append(Segment(lead + text + " ", style))
        strip = Strip(found)
        return strip.extend_cell_length(max(self.size.width, strip.cell_length), plain)

    def _placeholder(self, *, is_cursor: bool) -> Strip:
        style = self.rich_style + self.get_component_rich_style("table--placeholder", partial=True)
        if is_cursor:
            style += self.get_component_rich_style("table--blurred", partial=True)
        found = [
            Segment(" " + set_cell_size(signs().waiting * min(width, 3), width) + " ", style)
            for width in self._widths
        ]
        strip = Strip(found)
        return strip.extend_cell_length(max(self.size.width, strip.cell_length), style)

    def _lay_out(self) -> None:
        """Give every column its width, and say how large the whole is."""
        widths = [column.width for column in self.columns]
        room = self.scrollable_content_region.width - sum(widths) - 2 * len(widths)
        parts = sum(column.stretch for column in self.columns)
        if room > 0 and parts:
            for place, column in enumerate(self.columns):
                widths[place] += room * column.stretch // parts
        self._widths = widths
        self._strips.clear()
        self.virtual_size = Size(sum(widths) + 2 * len(widths), self.total + 1)
        self.refresh()

    @property
    def held(self) -> int:
        """Cells on the left that stay when one scrolls sideways."""
        return self.cells_before(self.fixed)

    def cells_before(self, place: int) -> int:
        """Return how many cells wide the columns before a place are in all."""
        return sum(self._widths[:place]) + 2 * len(self._widths[:place])

    def column_at(self, x: int) -> Column | None:
        """Return the column that stands at a place of the screen, in cells from the left."""
        x += round(self.scroll_x) if x >= self.held else 0
        for column, width in zip(self.columns, self._widths, strict=False):
            x -= width + 2
            if x < 0:
                return column
        return None

    # How the cursor moves

    def _move(self, index: int, *, tell: bool = False, scroll: bool = True) -> None:
        if not self.total:
            self.cursor = 0
            if tell:
                self._tell()
            return
        index = min(max(index, 0), self.total - 1)
        is_other = index != self.cursor
        old, self.cursor = self.cursor, index
        top = round(self.scroll_y)
        if scroll and index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif scroll and index >= top + self.lines:
            self.scroll_to(y=index - self.lines + 1, animate=False, force=True)
        if is_other:
            self.refresh_line(old + 1)
            self.refresh_line(index + 1)
        if is_other or tell:
            self._tell()

    def _tell(self) -> None:
        self.post_message(self.Highlighted(self, self.cursor, self.current))

    def _ask(self) -> None:
        """Ask for the pages in sight and, ahead of scrolling, for those beside them."""
        if not self.total:
            return
        sight = self.pages_in_sight
        for page in sight:
            if page in self._pages:
                self._pages.move_to_end(page)
        self._ask_for([*sight, sight.start - 1, sight.stop])

    def _ask_for(self, pages: Iterable[int]) -> None:
        """Ask for those of some pages that there are and that are not here."""
        last = (self.total - 1) // PAGE
        missing = [
            page
            for page in pages
            if 0 <= page <= last and page not in self._pages and page not in self._asked
        ]
        if missing:
            self._asked.update(missing)
            self.post_message(self.Wanted(self, missing))

    def _stop_glowing(self) -> None:
        now = time.monotonic()
        self._glowing = {row: until for row, until in self._glowing.items() if until > now}
        self._strips.clear()
        self.refresh()


def _fitted(text: str, width: int, align: str, *, keeps_end: bool = False) -> str:
    """Return a text of just this width: cut with an ellipsis, or filled up."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    length = cell_len(text)
    if length > width:
        end = _end(text, (width - 1) // 2) if keeps_end else ""
        room = max(width - 1 - cell_len(end), 0)
        return set_cell_size(text, room) + (signs().ellipsis if width else "") + end
    space = " " * (width - length)
    return space + text if align == "right" else text + space


def _end(text: str, width: int) -> str:
    """Return as much of the end of a text as has room."""
    start = len(text)
    while start and cell_len(text[start - 1 :]) <= width:
        start -= 1
    return text[start:]
