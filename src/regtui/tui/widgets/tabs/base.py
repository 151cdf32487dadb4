"""What every tab of a version's detail is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.containers import VerticalScroll

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer

if TYPE_CHECKING:
    from regtui.tui.screens.base import RegtuiScreen

T = TypeVar("T")


class DetailTab(VerticalScroll, can_focus=True):
    """One tab; a subclass composes its widgets and fills them in `show`."""

    NAME: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""

    async def show(self, version: VersionAnswer | None) -> None:
        """Show a version; None for none. Cancelled when another one is wanted meanwhile."""

    def focus_first(self) -> None:
        """Take the focus, or give it to what one reads or acts on here."""
        self.focus()

    def smooth(self) -> None:
        """Smooth the curves, where there are some."""

    async def read(self, verb: Callable[[Registry], T]) -> T | None:
        """Run a verb that reads; None where it failed, which is shown, or was superseded."""
        return await cast("RegtuiScreen", self.screen).read(verb, lane="detail")
