"""What every tab of a version's detail is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual import on
from textual.containers import Container

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

T = TypeVar("T")


class DetailTab(Container):
    """One tab; a subclass composes its widgets and fills them in `show`.

    What it shows stays till `show` has what comes in its place. So a subclass reads first and
    touches its widgets afterwards, without a wait in between.

    Attributes:
        NAME: What it is known by.
    """

    DEFAULT_CSS = """
    DetailTab VirtualTable { scrollbar-size-horizontal: 0; }
    DetailTab > VirtualTable { height: 1fr; }
    """

    NAME: ClassVar[str] = ""

    async def show(self, version: VersionAnswer) -> None:
        """Show a version. Cancelled when another one is wanted meanwhile.

        Raises:
            RegtuiError: It could not be read.
            Superseded: Something newer was asked for.
        """

    def clear(self, note: str) -> None:
        """Show nothing but a sentence that says why."""

    def focus_first(self) -> None:
        """Give the focus to what one reads or acts on here."""

    def back(self) -> bool:
        """Go back a step within the tab; tell whether there was one."""
        return False

    def smooth(self) -> None:
        """Smooth the curves, where there are some."""

    def zoom(self, by: int) -> None:
        """Show less of the curves' beginning, or more, where there are some."""

    @property
    def regtui(self) -> "RegtuiApp":
        """The app, as what it is."""
        return cast("RegtuiApp", self.app)

    async def read(self, verb: Callable[[Registry], T], *, lane: str = "") -> T:
        """Run a verb that reads. It must not need to read stored files: that takes too long.

        Args:
            verb: Is called in the reader's thread.
            lane: What a newer request makes it pointless for; empty for that of the tabs.

        Raises:
            RegtuiError: Whatever the verb raises.
            Superseded: Something newer was asked for.
        """
        return await self.regtui.reader.read(verb, lane=f"detail.{lane}")


class TableTab(DetailTab):
    """A tab that is a table, or has one that matters most."""

    @property
    def table(self) -> "VirtualTable[Any]":
        """The table."""
        return self.query_one(VirtualTable)

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self.table.empty = note
        self.table.show_rows([])

    def focus_first(self) -> None:
        """Go to the table."""
        self.screen.set_focus(self.table)

    @on(VirtualTable.Highlighted)
    @on(VirtualTable.Opened)
    def _keep(self, event: VirtualTable.Highlighted | VirtualTable.Opened) -> None:
        """Keep what the table tells within the tab; a subclass may make more of it."""
        event.stop()


WIDE = 88
"""Cells from which on there is room for two things side by side."""

TALL = 14
"""Lines from which on there is room for two things above each other."""


def exact(version: VersionAnswer) -> str:
    """Return the reference that means a version whatever becomes of its model's name."""
    return ":" + version.id.replace("-", "")
