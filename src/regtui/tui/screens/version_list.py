"""What stands in the list of versions: read, fetched page by page, brought up to date.

A query's first rows show before anything else is known of it; how many there are follows, and last
the marks that far jumps start from, when nothing else is to be read.

When the registry changed, what is in sight is read anew in full before it takes the old rows' place
at once: with the cursor on its version, that version on its line, and the pages on either side, so
that neither a step nor a commit ever paints a row of dots where there was a row. Reading goes on
while the person does: where the list stands is asked again at the end, and what it lacks there is
read until nothing is missing.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer, iso
from regtui.registry.courses import courses
from regtui.registry.listing import PAGE, Listing, again, counted, listing, place, read_page
from regtui.replica.query_cursor import Cursor
from regtui.tui.background import start
from regtui.tui.version_columns import VersionRow, leading_metrics
from regtui.tui.widgets.version_table import VersionTable

if TYPE_CHECKING:
    from regtui.tui.screens.models import ModelsScreen

FAR = 16
"""Pages from the first row that are found without marks as quickly as with them."""

LEISURE = 0.5
"""Seconds before the marks are made: models and detail are read before."""

ROUNDS = 5
"""How often what the list lacks is read when it is brought up to date; it may have moved on."""


class Scope(Struct, frozen=True):
    """Whose versions are listed.

    Attributes:
        query: What asks for them; empty for all.
        model: The model, where it is one alone.
        primary: Its primary metric.
        best: Id of its best version.
    """

    query: str = ""
    model: str | None = None
    primary: str | None = None
    best: str | None = None

    def rows(self, registry: Registry, answers: Sequence[VersionAnswer]) -> list[VersionRow]:
        """Return versions with what their rows show beside them; reads where it has to."""
        found: dict[str, tuple[float, ...]] = {}
        metrics = leading_metrics(answers, self.primary)
        if self.model is not None and metrics:
            found = courses(registry.context, answers, metrics[0])
        return [
            VersionRow(
                version=answer, course=found.get(answer.id, ()), is_best=answer.id == self.best
            )
            for answer in answers
        ]


class _Pages(Struct):
    """Pages of a listing that are read, and where they end."""

    rows: dict[int, list[VersionRow]]
    ends: dict[int, Cursor]


class VersionList:
    """Fills the table of versions.

    Args:
        screen: The screen of the table.

    Attributes:
        query: The query whose rows are shown; None before the first rows are here.
        listing: What it asks for, as far as that is known.
    """

    def __init__(self, screen: "ModelsScreen") -> None:
        self.query: str | None = None
        self.listing = Listing("", 0, (), 0)
        self._screen = screen
        self._scope = Scope()
        self._ends: dict[int, Cursor] = {}
        self._listed = asyncio.Event()
        self._shows = 0
        """Counts what was shown: pages of what stood there before are worth nothing."""

    @property
    def table(self) -> VersionTable:
        """The table."""
        return self._screen.versions

    @property
    def is_listed(self) -> bool:
        """Whether it is known how many versions there are."""
        return self._listed.is_set()

    @property
    def here(self) -> Iterable[VersionAnswer]:
        """The versions that are read already."""
        rows = (self.table.row(n * PAGE + i) for n in self.table.here for i in range(PAGE))
        return (row.version for row in rows if row is not None)

    async def show(self, query: str, scope: Scope, first: list[VersionRow]) -> None:
        """Show the rows of another query, from its first page on; then count them.

        Args:
            query: The query.
            scope: Whose versions it asks for.
            first: Its first page.
        """
        self.begin(query, scope, first)
        await self.count()

    def begin(self, query: str, scope: Scope, first: list[VersionRow]) -> None:
        """Show the first page of another query."""
        self._shows += 1
        self.query, self._scope = query, scope
        self._listed.clear()
        self._ends.clear()
        self._screen.show_columns([row.version for row in first])
        self.table.show(len(first), {0: first}, cursor=0)
        if len(first) < PAGE:
            now = self._screen.regtui.registry.context.replica.clock() // 1000
            self._take(Listing(query, len(first), (), now))
        else:
            self._screen.filter_bar.show_count("…")

    async def count(self) -> None:
        """Find out how many rows there are, once the first of them are painted.

        Python runs one thread at a time: who reads meanwhile makes the paint take twice as long.
        """
        shown, query = self._shows, self.query or ""
        await self._screen.painted()
        if self.is_listed or shown != self._shows:
            return
        found = await self._screen.read(
            lambda registry: counted(registry.context, query), lane="count"
        )
        if found is None or shown != self._shows:
            return
        self._take(found)
        if found.total != self.table.total:
            self.table.grow(found.total)
        if found.total > FAR * PAGE:
            start(self._screen, self._mark, shown, group="marks")

    def _take(self, found: Listing) -> None:
        self.listing = found
        self._listed.set()
        self._screen.filter_bar.show_count(f"{found.total:,}")

    async def _mark(self, shown: int) -> None:
        """Walk the order when nothing else is to be done, so that jumps start nearby."""
        await asyncio.sleep(LEISURE)
        query = self.listing.query
        found = await self._screen.read(
            lambda registry: listing(registry.context, query), lane="marks", quiet=True
        )
        if found is not None and query == self.query:
            here = self.listing
            is_moved = shown != self._shows or found.total != here.total
            self.listing = Listing(query, here.total, found.marks, here.now, is_moved)

    # Pages that the table asks for

    async def fetch(self, numbers: Sequence[int]) -> None:
        """Read pages that the table wants, those in sight before the others."""
        shown, table = self._shows, self.table
        await self._listed.wait()
        for number in sorted(numbers, key=lambda one: one not in table.pages_in_sight):
            if shown != self._shows:
                return
            if not table.is_near(number):
                table.drop_page(number)  # the person is somewhere else by now
                continue
            found = await self._screen.read(
                partial(self._read, self.listing, [number], self._ends),
                quiet=True,
                urgent=number in table.pages_in_sight,
            )
            if shown != self._shows:
                return
            if found is None:
                table.drop_page(number)
            else:
                self._ends |= found.ends
                table.put_page(number, found.rows[number])

    def _read(
        self, found: Listing, numbers: Iterable[int], known: dict[int, Cursor], registry: Registry
    ) -> _Pages:
        """Read pages; in the reader's thread.

        Args:
            found: Of which listing.
            numbers: Which.
            known: Where pages of it end.
            registry: The registry.
        """
        pages = _Pages({}, dict(known))
        for number in sorted(numbers):
            page = read_page(registry.context, found, number, pages.ends.get(number - 1))
            pages.rows[number] = self._scope.rows(registry, page.rows)
            if page.end is not None:
                pages.ends[number] = page.end
        return pages

    # What others commit

    async def update(self) -> None:
        """Show the same query anew, with the cursor on its version and that on its line."""
        table, shown, old = self.table, self._shows, self.listing
        cursor, current = table.cursor, table.current
        seen = await self._screen.read(
            partial(_look, old, None if current is None else current.version.id),
            lane="again",
            quiet=True,
        )
        if seen is None or shown != self._shows:
            return
        found, at = seen
        by = 0 if at is None else at - cursor
        pages = _Pages({}, {})
        for _ in range(ROUNDS):
            missing = self._around(found.total, by) - set(pages.rows)
            if not missing:
                break
            more = await self._screen.read(
                partial(self._read, found, missing, pages.ends), lane="again", quiet=True
            )
            if more is None or shown != self._shows:
                return
            pages = _Pages(pages.rows | more.rows, more.ends)
        self._put(found, pages, by, iso(old.now * 1_000))

    def _put(self, found: Listing, pages: _Pages, by: int, since: str) -> None:
        """Show what was read in the place of what stands there."""
        table = self.table
        line, cursor = table.cursor - round(table.scroll_y), self._stands(pages.rows, by)
        self._shows += 1
        self._ends = pages.ends
        self._take(found)
        table.show(found.total, pages.rows, cursor=cursor, offset=line)
        rows = (row for rows in pages.rows.values() for row in rows)
        table.glow(row.version.id for row in rows if row.version.created > since)

    def _around(self, total: int, by: int) -> set[int]:
        """Return the pages in sight and beside them, when all rows have moved by so many."""
        last = max(total - 1, 0)
        top, bottom, cursor = (
            min(max(row + by, 0), last) // PAGE
            for row in (
                round(self.table.scroll_y),
                round(self.table.scroll_y) + self.table.lines,
                self.table.cursor,
            )
        )
        return {*range(max(top - 1, 0), min(bottom + 1, last // PAGE) + 1), cursor}

    def _stands(self, pages: dict[int, list[VersionRow]], by: int) -> int:
        """Return the row of the version that is under the cursor by now."""
        current = self.table.current
        for number, rows in pages.items():
            for place_in_page, row in enumerate(rows):
                if current is not None and row.version.id == current.version.id:
                    return number * PAGE + place_in_page
        return self.table.cursor + by


def _look(old: Listing, version: str | None, registry: Registry) -> tuple[Listing, int | None]:
    """Return a listing as it stands now, and where a version stands in it."""
    found = again(registry.context, old)
    return found, None if version is None else place(registry.context, found, version)
