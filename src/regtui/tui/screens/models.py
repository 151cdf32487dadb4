"""The first screen: models, their versions, and everything of the version under the cursor.

The tree chooses whose versions are listed, the filter narrows them down, a column's heading sorts.
Together they are one query. The list asks for pages of it by number (`regtui.registry.listing`); a
newer query makes what is still read for the one before pointless. When the registry changes, the
new list is read in full before it takes the old one's place, with the cursor on its version and
that version on its line, so that nothing jumps and nothing flickers.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from regtui.core.errors import NotFound
from regtui.core.query.errors import QueryError
from regtui.core.query.parse import parse_query
from regtui.core.query.text import quote
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.courses import courses
from regtui.registry.listing import PAGE, Listing, first_page, listing, page, place
from regtui.tui.actions import bindings
from regtui.tui.background import start
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.version_columns import (
    DEFAULT,
    VersionRow,
    columns,
    leading_metrics,
    row_id,
)
from regtui.tui.widgets.detail import Detail
from regtui.tui.widgets.filter_bar import FilterBar
from regtui.tui.widgets.model_tree import Branch, ModelTree
from regtui.tui.widgets.version_table import VersionTable
from regtui.tui.widgets.virtual_table import Column, VirtualTable

if TYPE_CHECKING:
    from textual.timer import Timer

    from regtui.core.query.syntax import Query

SETTLE = 0.05
"""Seconds that the cursor stands on a row before its detail is read."""


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


class ModelsScreen(RegtuiScreen):
    """Models, versions, detail."""

    NAME = "models"
    SCOPES = ("browse",)
    BINDINGS = bindings("browse")
    CSS_PATH = "../styles/models.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._scope = Scope()
        self._filter = ""
        self._listing = Listing("", 0, (), 0)
        self._listed = asyncio.Event()
        self._metrics: list[str] = []
        self._settling: Timer | None = None
        self._scoping: Timer | None = None
        self._shown: str | None = None
        """The query whose rows are shown; None before the first rows are here."""
        self._generation = 0

    def body(self) -> Iterable[Widget]:
        """Return tree, filter, list and detail."""
        with Horizontal(id="models-body"):
            yield ModelTree(id="tree")
            with Vertical(id="versions-pane"):
                yield FilterBar(id="filter")
                yield VersionTable(row_id=row_id, empty="reading …", id="versions")
                yield Detail(id="detail")

    def on_mount(self) -> None:
        """Read what is there."""
        self.set_focus(self.model_tree)
        if not self.regtui.config.sort:
            self.versions.sorted_by = ("created", True)
        self.run_worker(self._start(), name="start")

    @property
    def model_tree(self) -> ModelTree:
        """The models."""
        return self.query_one(ModelTree)

    @property
    def versions(self) -> VersionTable:
        """The versions."""
        return self.query_one(VersionTable)

    @property
    def detail(self) -> Detail:
        """Everything of one version."""
        return self.query_one(Detail)

    @property
    def filter_bar(self) -> FilterBar:
        """The filter."""
        return self.query_one(FilterBar)

    # What the list asks for

    @property
    def wanted_query(self) -> str:
        """The query of scope, filter and order."""
        parts = [self._scope.query, self._filter]
        if self._sort and not _sorts(self._filter):
            parts.append(f"sort:{self._sort}")
        return " ".join(part for part in parts if part)

    @property
    def _sort(self) -> str:
        return self.regtui.config.sort

    async def _start(self) -> None:
        """Show the newest versions first, then what takes longer."""
        await self._show_list()
        await self._read_models()
        if not self.model_tree.models and not self.versions.total:
            self.regtui.offer_first_steps()

    async def _read_models(self) -> None:
        models = await self.read(lambda registry: registry.models(), lane="models")
        if models is not None:
            self.model_tree.show_models(models)

    async def _show_list(self, *, keep: bool = False) -> None:
        """Show the versions of the present query.

        Args:
            keep: Whether the cursor stays on its version, as when the registry changed.
        """
        query = self.wanted_query
        self._generation += 1
        generation = self._generation
        if keep and query == self._shown:
            await self._show_again(query, generation)
            return
        try:
            first = await self._first(query)
        except QueryError as error:
            self.filter_bar.show_error(error)
            return
        if first is None or generation != self._generation:
            return
        self.filter_bar.show_error(None)
        self._shown = query
        self._listed.clear()
        rows = await self._rows(first)
        if rows is None or generation != self._generation:
            return
        self._show_columns(first)
        self.versions.empty = self._nothing()
        self.versions.show(len(rows), {0: rows}, cursor=0)
        self.filter_bar.show_count(len(rows) if len(rows) < PAGE else None)
        found = await self.read(lambda registry: listing(registry.context, query), lane="list")
        if found is None or generation != self._generation:
            return
        self._listing = found
        self._listed.set()
        self.filter_bar.show_count(found.total)
        if found.total != self.versions.total:
            self.versions.grow(found.total)

    async def _first(self, query: str) -> list[VersionAnswer] | None:
        """Return the first page; a malformed query is an error of the filter, not of the app."""
        parse_query(query)
        ahead = self.regtui.take_ahead(query)
        return await self.read(
            lambda registry: first_page(registry.context, query) if ahead is None else ahead.rows(),
            lane="list",
        )

    async def _show_again(self, query: str, generation: int) -> None:
        """Show the same query anew, with the cursor on its version and that on its line."""
        table = self.versions
        current = table.current
        line = table.cursor - round(table.scroll_y)
        found = await self.read(
            lambda registry: listing(registry.context, query), lane="again", quiet=True
        )
        if found is None or generation != self._generation:
            return
        cursor = table.cursor
        if current is not None:
            version = current.version.id
            at = await self.read(
                lambda registry: place(registry.context, found, version), lane="again", quiet=True
            )
            cursor = table.cursor if at is None else at
        top = max(cursor - line, 0)
        wanted = range(top // PAGE, min(top + table.lines, max(found.total, 1)) // PAGE + 1)
        pages: dict[int, list[VersionRow]] = {}
        for number in wanted:
            rows = await self._page(found, number, lane="again")
            if rows is None or generation != self._generation:
                return
            pages[number] = rows
        if table.current is not current:  # the cursor moved meanwhile
            line, cursor = table.cursor - round(table.scroll_y), table.cursor
        known = table.known
        self._listing = found
        self._listed.set()
        table.empty = self._nothing()
        table.show(found.total, pages, cursor=cursor, offset=line)
        table.glow(row.version.id for rows in pages.values() for row in rows if known(row))
        self.filter_bar.show_count(found.total)

    async def _page(self, found: Listing, number: int, lane: str = "") -> list[VersionRow] | None:
        answers = await self.read(
            lambda registry: page(registry.context, found, number), lane=lane, quiet=True
        )
        return None if answers is None else await self._rows(answers)

    async def _rows(self, answers: list[VersionAnswer]) -> list[VersionRow] | None:
        """Return versions with what their rows show beside them."""
        scope = self._scope
        found: dict[str, tuple[float, ...]] = {}
        metrics = leading_metrics(answers, scope.primary)
        if scope.model is not None and metrics:
            read = await self.read(
                lambda registry: courses(registry.context, answers, metrics[0]), quiet=True
            )
            found = read or {}
        return [
            VersionRow(
                version=answer,
                course=found.get(answer.id, ()),
                is_best=answer.id == scope.best,
            )
            for answer in answers
        ]

    @property
    def versions_here(self) -> list[VersionAnswer]:
        """The versions that are read already."""
        rows = (self.versions.row(n * PAGE + i) for n in self.versions.here for i in range(PAGE))
        return [row.version for row in rows if row is not None]

    def _show_columns(self, answers: list[VersionAnswer]) -> None:
        self._metrics = leading_metrics(answers, self._scope.primary)
        self.show_columns()

    def show_columns(self) -> None:
        """Show the columns that are chosen, of the rows that are here."""
        chosen = self.regtui.config.columns or DEFAULT
        made = columns(chosen, self._metrics, one_model=self._scope.model is not None)
        self.versions.sorted_by = self._sorted_by()
        self.versions.show_columns(made)

    def _sorted_by(self) -> tuple[str, bool]:
        by = _sorts(self._filter) or self._sort or "-created"
        first = by.split(",")[0]
        return first.removeprefix("-"), first.startswith("-")

    def _nothing(self) -> str:
        if self._filter:
            return "nothing matches the filter; / changes it, esc there clears it"
        return "no versions here yet; `regtui capture PATH` makes one"

    # What the list tells

    @on(VirtualTable.Wanted, "#versions")
    def _fetch(self, event: VirtualTable.Wanted) -> None:
        self.run_worker(self._fetch_pages(event.pages, self._generation), group="pages")

    async def _fetch_pages(self, numbers: list[int], generation: int) -> None:
        await self._listed.wait()  # the listing of the query may be on its way
        for number in numbers:
            rows = await self._page(self._listing, number)
            if generation != self._generation:
                return
            if rows is None:
                self.versions.drop_page(number)
            else:
                self.versions.put_page(number, rows)

    @on(VirtualTable.Highlighted, "#versions")
    def _settle(self, event: VirtualTable.Highlighted) -> None:
        if self._shown is None:
            return
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self._show_detail)
        event.stop()

    @property
    def settles(self) -> bool:
        """Whether it waits a moment for the cursor to stand."""
        waits = (self._settling, self._scoping)
        return any(timer is not None for timer in waits) or self.filter_bar.settles

    def _show_detail(self) -> None:
        self._settling = None
        row = self.versions.current
        self.detail.show_version(None if row is None else row.version)

    def open_version(self) -> None:
        """Go to the detail of the version under the cursor."""
        self._show_detail()
        self.detail.focus_tab()

    @on(VirtualTable.SortWanted, "#versions")
    def _sort_by(self, event: VirtualTable.SortWanted) -> None:
        self.sort_by(event.column)

    def sort_by(self, column: Column) -> None:
        """Sort by a column; again turns the order."""
        by, descending = self._sorted_by()
        # From high to low first where that is what one looks for.
        starts_high = column.sort.startswith(("metric.", "created", "size", "number"))
        turned = not descending if by == column.sort else starts_high
        sort = ("-" if turned else "") + column.sort
        self.regtui.config.save(sort="" if sort == "-created" else sort)
        if _sorts(self._filter):
            self.filter_bar.drop_sort()
        self.reload()

    def reload(self) -> None:
        """Show the list of the present query from its start."""
        start(self, self._show_list, group="list")

    # What the tree tells

    @on(VirtualTable.Highlighted, "#tree")
    def _scope_settles(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        if self._scoping is not None:
            self._scoping.stop()
        self._scoping = self.set_timer(SETTLE, self._take_scope)

    def _take_scope(self) -> None:
        self._scoping = None
        branch = self.model_tree.current
        if branch is None or branch.query == self._scope.query:
            return
        start(self, self._change_scope, branch, group="scope")

    async def _change_scope(self, branch: Branch) -> None:
        self._scope = await self._scope_of(branch)
        await self._show_list()

    async def _scope_of(self, branch: Branch) -> Scope:
        model = branch.model
        if model is None or branch.has_children:
            return Scope(branch.query)
        best: str | None = None
        if model.primary_metric is not None:
            best = await self.read(lambda registry: _best(registry, model.model), lane="best")
        return Scope(branch.query, model.model, model.primary_metric, best)

    def focus_versions(self) -> None:
        """Go to the list of versions."""
        self.set_focus(self.versions)

    @on(ModelTree.Wished)
    def _act_on_model(self, event: ModelTree.Wished) -> None:
        from regtui.tui.acts.models import do_wished

        start(self, do_wished, self.regtui, event.action, event.branch, group="act", together=True)

    # What the filter tells

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        self._filter = event.text
        self.reload()

    @on(FilterBar.Left)
    def _filter_left(self) -> None:
        self.set_focus(self.versions)

    def do_filter(self) -> None:
        """Go to the filter bar."""
        self.filter_bar.focus_input()

    # What others tell

    def registry_changed(self) -> None:
        """Show what was committed."""
        start(self, self._refresh, group="refresh")

    async def _refresh(self) -> None:
        await self._show_list(keep=True)
        await self._read_models()
        self.detail.registry_changed()

    def go_to(self, reference: str) -> None:
        """Show a version: its model in the tree, and the cursor on its row. Or a model alone."""
        if "@" not in reference and not reference.startswith(":"):
            self.model_tree.go_to(reference)
            self.set_focus(self.model_tree)
            return
        start(self, self._go_to, reference, group="scope")

    async def _go_to(self, reference: str) -> None:
        version = await self.read(lambda registry: registry.version(reference))
        if version is None:
            return
        self.filter_bar.clear()
        self._filter = ""
        self.model_tree.go_to(version.model)
        branch = self.model_tree.current
        if branch is None or branch.path != version.model:
            branch = Branch(
                path=version.model,
                depth=0,
                model=None,
                versions=0,
                has_children=False,
                is_open=False,
            )
        self._scope = Scope(branch.query)  # so that the tree's cursor asks for nothing else
        self._scope = await self._scope_of(branch)
        await self._show_list()
        found = self._listing
        at = await self.read(lambda registry: place(registry.context, found, version.id))
        if at is not None:
            self.versions.go_to(str(at + 1))
        self.set_focus(self.versions)


def _best(registry: Registry, model: str) -> str | None:
    with suppress(NotFound):
        return registry.version(f"{model}@best").id
    return None


def _sorts(text: str) -> str:
    """Return what a filter sorts by itself; empty where it doesn't, or is malformed."""
    if "sort:" not in text:
        return ""
    try:
        query: Query = parse_query(text)
    except QueryError:
        return ""
    return ",".join(
        ("-" if key.descending else "") + key.field + (f".{_name(key.name)}" if key.name else "")
        for key in query.sort
    )


def _name(name: str) -> str:
    return name if all(char.isalnum() or char in "_-/" for char in name) else quote(name)
