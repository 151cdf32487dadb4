"""The detail of the version under the cursor, in tabs.

Each tab reads what it shows when it is in sight, and only then: walking down a list reads one tab a
row. What it showed for another version stays till the new is here, so that nothing blinks.
"""

from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Tab, Tabs

from regtui.registry.answers import VersionAnswer
from regtui.tui.acting import Acting
from regtui.tui.actions import bindings
from regtui.tui.widgets.tabs import TABS, DetailTab

if TYPE_CHECKING:
    from regtui.tui.screens.models import ModelsScreen


class Detail(Acting, Vertical):
    """Tabs over one version."""

    SCOPES = ("detail",)
    BINDINGS = bindings("detail")
    DEFAULT_CSS = """
    Detail {
        background: $surface;
        & Tabs { height: 2; background: $panel; }
        & DetailTab { display: none; height: 1fr; }
        & DetailTab.-shown { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._version: VersionAnswer | None = None

    def compose(self) -> ComposeResult:
        """Compose the tabs and what is below them."""
        yield Tabs(*(Tab(made.TITLE, id=made.NAME) for made in TABS))
        for made in TABS:
            yield made(id=f"tab-{made.NAME}")

    @property
    def tabs(self) -> Tabs:
        """The row of tabs."""
        return self.query_one(Tabs)

    @property
    def shown(self) -> DetailTab:
        """The tab in sight."""
        return self.query_one(f"#tab-{self.tabs.active or TABS[0].NAME}", DetailTab)

    def show_version(self, version: VersionAnswer | None) -> None:
        """Show another version; None for none."""
        if version is not None and self._version is not None and version == self._version:
            return
        self._version = version
        self._show()

    def registry_changed(self) -> None:
        """Read again what is in sight."""
        self.run_worker(self._read_again(), group="detail", exclusive=True)

    async def _read_again(self) -> None:
        version = self._version
        if version is None:
            return
        screen = cast("ModelsScreen", self.screen)
        found = await screen.read(lambda registry: registry.version(version.id), quiet=True)
        if found is not None and self._version is version:
            self._version = found
            await self.shown.show(found)

    def focus_tab(self) -> None:
        """Go to what is in sight."""
        self.shown.focus_first()

    def do_next(self) -> None:
        """Go to the next tab."""
        self.tabs.action_next_tab()

    def do_previous(self) -> None:
        """Go to the tab before."""
        self.tabs.action_previous_tab()

    def do_smooth(self) -> None:
        """Smooth the curves more, then not at all."""
        self.shown.smooth()

    @on(Tabs.TabActivated)
    def _activated(self, event: Tabs.TabActivated) -> None:
        event.stop()
        for tab in self.query(DetailTab):
            tab.set_class(tab.id == f"tab-{event.tab.id}", "-shown")
        self._show()

    def _show(self) -> None:
        if self.display:
            self.run_worker(self.shown.show(self._version), group="detail", exclusive=True)
