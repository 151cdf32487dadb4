"""The first screen: models, their versions, and everything of the version under the cursor.

The tree chooses whose versions are listed, the filter narrows them down, a column's heading sorts.
Together they are one query, whose rows `VersionList` brings into the table; a newer query makes
what is still read for the one before pointless. When the registry changes, the list is brought up
to date at once; models and detail, which take longer to read, at most once in `CALM` seconds.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from regtui.core.errors import NotFound
from regtui.core.query.errors import QueryError
from regtui.core.query.parse import parse_query
from regtui.core.query.text import quote
from regtui.registry import Registry
from regtui.registry.answers import ModelAnswer, VersionAnswer
from regtui.registry.listing import first_page, place
from regtui.registry.production_marks import Marks, marks
from regtui.tui.actions import bindings
from regtui.tui.background import start
from regtui.tui.key_names import key_of
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.screens.version_list import Scope, VersionList
from regtui.tui.version_columns import DEFAULT, VersionRow, columns, leading_metrics, row_id
from regtui.tui.widgets.detail import Detail
from regtui.tui.widgets.filter_bar import FilterBar
from regtui.tui.widgets.model_tree import Branch, ModelTree
from regtui.tui.widgets.version_table import VersionTable
from regtui.tui.widgets.virtual_table import Column, VirtualTable

if TYPE_CHECKING:
    from textual.timer import Timer

    from regtui.core.query.syntax import Query
    from regtui.tui.ahead import Ahead

SETTLE = 0.05
"""Seconds that the cursor stands on a row before its detail is read."""

CALM = 1.0
"""Seconds between two looks at models and detail, while others commit without pause."""


class ModelsScreen(RegtuiScreen):
    """Models, versions, detail."""

    NAME = "models"
    SCOPES = ("browse",)
    BINDINGS = bindings("browse")

    def __init__(self) -> None:
        super().__init__()
        self._scope = Scope()
        self._filter = ""
        self._list = VersionList(self)
        self._metrics: list[str] = []
        self._marks = Marks()
        self._ahead: Ahead | None = None
        self._settling: Timer | None = None
        self._scoping: Timer | None = None
        self._is_refreshing = self._has_changed = False
        self._seen_changes = 0
        self._refreshing: Timer | None = None
        self._refreshed = 0.0

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
        query = self.wanted_query
        self._ahead = self.regtui.take_ahead(query)
        if self._ahead is not None and self._ahead.is_done:  # so the first paint shows rows
            found = self._scope.rows(self.regtui.registry, self._ahead.rows())
            self._list.begin(query, self._scope, found)
        self.run_worker(self._start(), name="start")

    def on_screen_resume(self) -> None:
        """Show what was committed while another screen was shown."""
        if self._seen_changes != self.regtui.changes:
            self.registry_changed()

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
        if self._list.query is None:
            await self._show_list()
        else:
            await self._list.count()
        await self._read_models()
        if not self.model_tree.models and not self.versions.total:
            self.regtui.offer_first_steps()

    async def _read_models(self) -> None:
        def look(registry: Registry) -> tuple[list[ModelAnswer], Marks]:
            return registry.models(), marks(registry.context)

        found = await self.read(look, lane="models")
        if found is None:
            return
        models, marked = found
        self.model_tree.show_models(models, marked)
        if marked != self._marks:
            self._marks = marked
            self.show_columns()

    async def _show_list(self) -> None:
        """Show the versions of the present query, from the first one on."""
        query, scope = self.wanted_query, self._scope
        try:
            first = await self._first(query, scope)
        except QueryError as error:
            self.filter_bar.show_error(error)
            return
        if first is None or query != self.wanted_query:
            return
        self.filter_bar.show_error(None)
        await self._list.show(query, scope, first)

    async def _first(self, query: str, scope: Scope) -> list[VersionRow] | None:
        """Return the first page; a malformed query is an error of the filter, not of the app."""
        parse_query(query)
        ahead, self._ahead = self._ahead, None

        def rows(registry: Registry) -> list[VersionRow]:
            if ahead is not None and ahead.query == query:
                found = ahead.rows()
            else:
                found = first_page(registry.context, query)
            return scope.rows(registry, found)

        return await self.read(rows, lane="first", urgent=True)

    @property
    def versions_here(self) -> list[VersionAnswer]:
        """The versions that are read already."""
        return list(self._list.here)

    def show_columns(self, answers: list[VersionAnswer] | None = None) -> None:
        """Show the columns that are chosen.

        Args:
            answers: Versions whose metrics tell which ones matter; None for those as before.
        """
        self.versions.empty = self._nothing()
        if answers is not None:
            self._metrics = leading_metrics(answers, self._scope.primary)
        chosen = self.regtui.config.columns or DEFAULT
        made = columns(
            chosen, self._metrics, one_model=self._scope.model is not None, marks=self._marks
        )
        self.versions.sorted_by = self._sorted_by()
        self.versions.show_columns(made)

    def _sorted_by(self) -> tuple[str, bool]:
        by = _sorts(self._filter) or self._sort or "-created"
        first = by.split(",")[0]
        return first.removeprefix("-"), first.startswith("-")

    def _nothing(self) -> str:
        if self._filter:
            key = key_of(self.regtui, "browse.filter")
            return f"nothing matches the filter; {key} changes it, esc there clears it"
        return "no versions here yet; `regtui capture PATH` makes one"

    # What the list tells

    @on(VirtualTable.Wanted, "#versions")
    def _fetch(self, event: VirtualTable.Wanted) -> None:
        start(self, self._list.fetch, event.pages, group="pages", together=True)

    @on(VirtualTable.Highlighted, "#versions")
    def _settle(self, event: VirtualTable.Highlighted) -> None:
        if self._list.query is None:
            return
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.after(SETTLE, self._show_detail)
        event.stop()

    @property
    def settles(self) -> bool:
        """Whether it waits a moment for the cursor to stand."""
        waits = (self._settling, self._scoping, self._refreshing)
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
        self.regtui.keep(sort="" if sort == "-created" else sort)
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
        self._scoping = self.after(SETTLE, self._take_scope)

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
        """Show what was committed; what is committed meanwhile, afterwards."""
        self._seen_changes = self.regtui.changes
        self._has_changed = True
        if not self._is_refreshing:
            self._is_refreshing = True
            start(self, self._refresh, group="refresh")

    async def _refresh(self) -> None:
        try:
            while self._has_changed:
                self._has_changed = False
                if self._list.is_listed and self.wanted_query == self._list.query:
                    await self._list.update()
                else:
                    await self._show_list()
        finally:
            self._is_refreshing = False
        if self._refreshing is None:
            left = max(self._refreshed + CALM - time.monotonic(), 0.001)
            self._refreshing = self.after(left, self._refresh_others)

    def _refresh_others(self) -> None:
        self._refreshing = None
        self._refreshed = time.monotonic()
        self.detail.registry_changed()
        start(self, self._read_models, group="models")

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
        found = self._list.listing
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
