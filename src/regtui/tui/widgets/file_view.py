"""One file of a version: what it says of itself, what loading it could do, and its tensors.

Tensors are read in pages from what is kept of the file, so a hundred thousand of them cost what ten
do. Where nothing could be kept, as in a registry that can't be written, the file is read again.
"""

from collections.abc import Iterable

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from regtui.core.errors import RegtuiError
from regtui.core.wording import count_text
from regtui.registry import Registry
from regtui.registry.answers import FileAnswer, TensorAnswer, VersionAnswer
from regtui.registry.figures import size_text
from regtui.registry.tensor_pages import tensor_page
from regtui.tui.background import in_background, start
from regtui.tui.reader import Superseded
from regtui.tui.safe_text import one_line
from regtui.tui.safety import safety_cell, safety_sentence
from regtui.tui.widgets.fact_table import Fact, FactTable
from regtui.tui.widgets.tabs.base import TALL, WIDE, exact
from regtui.tui.widgets.virtual_table import PAGE, Column, VirtualTable


class FileView(Container):
    """A file's facts beside its tensors, or above them."""

    DEFAULT_CSS = """
    FileView {
        layout: vertical;
        & > #file-head { height: 1; background: $boost; text-style: bold; }
        & > #file-head.-success { color: $text-success; }
        & > #file-head.-warning { color: $text-warning; }
        & > #file-head.-error { background: $error; color: $background; }
        & > Container { layout: vertical; height: 1fr; }
        & FactTable { height: 3; }
        & FactTable:focus { height: 1fr; }
        & #tensors { height: 1fr; min-height: 3; }
        &.-tall FactTable, &.-tall FactTable:focus { height: 2fr; }
        &.-tall #tensors { height: 3fr; }
        &.-bare #tensors { display: none; }
        &.-bare FactTable { height: 1fr; }
        &.-wide > Container { layout: horizontal; }
        &.-wide FactTable, &.-wide FactTable:focus { height: 1fr; width: 2fr; }
        &.-wide #tensors { width: 3fr; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self.file: FileAnswer | None = None
        self._version: VersionAnswer | None = None

    def compose(self) -> ComposeResult:
        """Compose a line of what matters most, facts and tensors."""
        yield Static("", id="file-head")
        with Container():
            yield FactTable(id="file-facts")
            yield VirtualTable[TensorAnswer](
                COLUMNS, row_id=lambda row: row.tensor, empty="no tensors", id="tensors"
            )

    @property
    def facts(self) -> FactTable:
        """What is known of the file."""
        return self.query_one(FactTable)

    @property
    def tensors(self) -> "VirtualTable[TensorAnswer]":
        """Its tensors."""
        return self.query_one("#tensors", VirtualTable)

    def show(self, version: VersionAnswer, file: FileAnswer) -> None:
        """Show a file."""
        is_same = self.file is not None and self.file.path == file.path
        self._version, before, self.file = version, self.file, file
        self.set_class(not file.tensors, "-bare")
        head = self.query_one("#file-head", Static)
        head.update(_head(file))
        head.set_classes(f"-{safety_cell(file)[1]}")
        self.facts.show_facts(_facts(file), stay=is_same)
        if before != file:
            self.tensors.show(file.tensors, {}, cursor=self.tensors.cursor if is_same else 0)

    def focus_first(self) -> None:
        """Go to the tensors; where there are none, or something is wrong, to the facts."""
        file = self.file
        is_quiet = file is not None and file.tensors and file.safety != "dangerous"
        (self.tensors if is_quiet else self.facts).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Put facts and tensors side by side where there is room."""
        is_wide = event.size.width >= WIDE
        self.set_class(is_wide, "-wide")
        self.set_class(not is_wide and event.size.height >= TALL, "-tall")

    @on(VirtualTable.Highlighted)
    @on(VirtualTable.Opened)
    def _moved(self, event: VirtualTable.Highlighted | VirtualTable.Opened) -> None:
        event.stop()

    @on(VirtualTable.Wanted, "#tensors")
    def _fetch(self, event: VirtualTable.Wanted) -> None:
        event.stop()
        if self.file is not None:
            start(self, self._fetch_pages, self.file, event.pages, group="tensors", together=True)

    async def _fetch_pages(self, file: FileAnswer, pages: Iterable[int]) -> None:
        for number in pages:
            try:
                rows = await self._page(file, number)
            except Superseded:
                rows = None
            except RegtuiError as error:
                self.tensors.empty = error.message
                self.tensors.show(0, {})
                return
            if self.file is None or self.file.digest != file.digest:
                return
            if rows is None:
                self.tensors.drop_page(number)
            else:
                self.tensors.put_page(number, rows)

    async def _page(self, file: FileAnswer, number: int) -> list[TensorAnswer] | None:
        start = number * PAGE
        reader = self.app.reader  # type: ignore[attr-defined]
        rows: list[TensorAnswer] | None = await reader.read(
            lambda registry: tensor_page(registry.context, file.path, file.digest, start, PAGE)
        )
        if rows is not None:
            return rows
        registry, version = self.app.registry, self._version  # type: ignore[attr-defined]
        if version is None:
            return None
        found = await in_background(lambda: _all_tensors(registry, version, file))
        return found[start : start + PAGE]


def _all_tensors(
    registry: Registry, version: VersionAnswer, file: FileAnswer
) -> list[TensorAnswer]:
    return [one for one in registry.tensors(exact(version))[1] if one.path == file.path]


def _head(file: FileAnswer) -> Text:
    start = f" {one_line(file.path)}  {safety_cell(file)[0]} "
    line = Text(start, no_wrap=True, overflow="ellipsis")
    if file.format:
        line.append(f" {file.format}, {size_text(file.size)}")
        line.append(f", {count_text(file.tensors, 'tensor')}" if file.tensors else "")
    return line


def _facts(file: FileAnswer) -> list[Fact]:
    sign, style = safety_cell(file)
    rows = [
        Fact(key="safety", name="safety", value=sign, style=style),
        Fact(key="loading", name="loading it", value=safety_sentence(file), style=style),
    ]
    if file.problem:
        rows.append(Fact(key="problem", name="problem", value=file.problem, style="warning"))
    if file.complete is False:
        rows.append(
            Fact(key="complete", name="complete", value="no, it ends too early", style="error")
        )
    rows += _group("globals", "imports", {str(n): name for n, name in enumerate(file.globals, 1)})
    rows += [
        Fact(key="format", name="format", value=file.format),
        Fact(key="size", name="size", value=f"{size_text(file.size)} ({file.size:,} bytes)"),
        Fact(key="digest", name="digest", value=file.digest),
    ]
    if file.executable:
        rows.append(Fact(key="executable", name="executable", value="yes"))
    rows += _group("metadata", "metadata", {n: str(v) for n, v in file.metadata.items()})
    if file.cut:
        rows.append(Fact(key="cut", name="more", value="there is too much to list all of it"))
    return rows


def _group(key: str, name: str, values: dict[str, str]) -> list[Fact]:
    if not values:
        return []
    head = Fact(key=key, name=name, value=f"{len(values):,}", folds=True)
    return [
        head,
        *(
            Fact(key=f"{key}/{one}", name=one_line(one), value=value, depth=1)
            for one, value in values.items()
        ),
    ]


COLUMNS = (
    Column("tensor", "Tensor", 16, lambda row: one_line(row.tensor), stretch=1),
    Column("dtype", "Type", 9, lambda row: (one_line(row.dtype), "dim")),
    Column("shape", "Shape", 14, lambda row: "x".join(map(str, row.shape)) or "scalar"),
    Column("size", "Size", 9, lambda row: size_text(row.size) if row.size else "", "right"),
    Column("digest", "Digest", 12, lambda row: ((row.digest or "")[:12], "dim")),
)
