"""Files: what they are, how safe each is, and what one of them holds.

What is kept of the files shows at once. Files of which nothing is kept yet are read aside, which
may take long for a large one, and show as soon as they are known.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult

from regtui.core.errors import RegtuiError
from regtui.registry.answers import FileAnswer, VersionAnswer
from regtui.registry.figures import size_text
from regtui.registry.versions import known_files
from regtui.tui.background import in_background
from regtui.tui.safe_text import one_line
from regtui.tui.safety import remark, safety_cell
from regtui.tui.widgets.file_view import FileView
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import DetailTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

LONGEST = 40
"""Cells of a path, unless there is room for more."""


class FilesTab(DetailTab):
    """A table of files, and one of them when it is opened."""

    NAME = "files"
    DEFAULT_CSS = """
    FilesTab {
        & FileView { display: none; }
        &.-open FileView { display: block; }
        &.-open #files { display: none; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._version: VersionAnswer | None = None
        self._reading: asyncio.Future[object] | None = None

    def compose(self) -> ComposeResult:
        """Compose the table and the view of one file."""
        yield VirtualTable[FileAnswer](row_id=lambda file: file.path, id="files")
        yield FileView()

    @property
    def table(self) -> "VirtualTable[FileAnswer]":
        """The files."""
        return self.query_one("#files", VirtualTable)

    @property
    def view(self) -> FileView:
        """The file that is open."""
        return self.query_one(FileView)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version; the cursor stays on the path, and so does a file that is open."""
        files, is_all = await self.read(
            lambda registry: known_files(registry.context, exact(version))
        )
        self._take(version, files)
        if not is_all:
            try:
                self._take(version, await self._read_files(version))
            except RegtuiError as error:  # what is kept of them is there all the same
                self.regtui.show_error(error, quiet=True)

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._version = None
        self._close()
        self.table.empty = note
        self.table.show_rows([])

    def focus_first(self) -> None:
        """Go to the table, or the file that is open."""
        if self.has_class("-open"):
            self.view.focus_first()
        else:
            self.screen.set_focus(self.table)

    def back(self) -> bool:
        """Close the file that is open."""
        if not self.has_class("-open"):
            return False
        self._close()
        return True

    def _take(self, version: VersionAnswer, files: list[FileAnswer]) -> None:
        self._version = version
        self.table.empty = "it has no files"
        self.table.show_columns(_columns(files))
        show_again(self.table, files, lambda file: file.path)
        opened = self.view.file
        if self.has_class("-open") and opened is not None:
            file = next((one for one in files if one.path == opened.path), None)
            if file is None:
                self._close()
            else:
                self.view.show(version, file)

    async def _read_files(self, version: VersionAnswer) -> list[FileAnswer]:
        """Read files one version at a time: a thread can't be told to stop."""
        while self._reading is not None and not self._reading.done():
            with suppress(Exception):  # of a version that nobody waits for any more
                await asyncio.shield(self._reading)
        registry = self.regtui.registry
        task = asyncio.ensure_future(in_background(lambda: registry.files(exact(version))))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._reading = task  # type: ignore[assignment]
        return (await asyncio.shield(task))[1]

    @on(VirtualTable.Opened, "#files")
    def _open(self, event: VirtualTable.Opened) -> None:
        event.stop()
        if self._version is not None:
            self.view.show(self._version, event.row)
            self.add_class("-open")
            self.call_after_refresh(self.view.focus_first)

    @on(VirtualTable.Highlighted, "#files")
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()

    def _close(self) -> None:
        had_focus = self.view.has_focus_within
        self.remove_class("-open")
        if had_focus:
            self.call_after_refresh(self.table.focus)


def _path(file: FileAnswer) -> Painted:
    return one_line(file.path), "error" if file.safety == "dangerous" else ""


def _remark(file: FileAnswer) -> Painted:
    return one_line(remark(file)), "error" if file.safety == "dangerous" else "warning"


def _columns(files: Sequence[FileAnswer]) -> list[Column]:
    """Return columns as wide as these files need; what is to be remarked stands beside them."""
    longest = max((cell_len(file.path) for file in files), default=0)
    columns = [
        Column("path", "File", min(max(longest, 12), LONGEST), _path, stretch=1),
        Column("safety", "Safety", 15, safety_cell),
        Column("size", "Size", 9, lambda file: size_text(file.size), "right"),
        Column("format", "Format", 11, lambda file: (one_line(file.format), "dim")),
        Column("tensors", "Tensors", 7, lambda f: f"{f.tensors:,}" if f.tensors else "", "right"),
    ]
    if any(remark(file) for file in files):
        columns.append(Column("remark", "Remark", 24, _remark, stretch=3))
    return columns
