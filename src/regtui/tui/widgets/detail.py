"""The detail of the version under the cursor, in tabs.

Each tab reads what it shows when it is in sight, and only then: walking down a list reads one tab a
row. What it showed for another version stays till the new is here, so that nothing blinks.
"""

from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from regtui.core.errors import NotFound, RegtuiError
from regtui.registry.answers import VersionAnswer
from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.background import start
from regtui.tui.reader import Superseded
from regtui.tui.widgets.tab_line import TabLine, TabTitle
from regtui.tui.widgets.tabs import TABS, DetailTab
from regtui.tui.widgets.tabs.base import exact

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.screens.models import ModelsScreen

ZOOMED = "-zoom-detail"


class Detail(Acting, Vertical):
    """Tabs over one version."""

    SCOPES = ("detail",)
    BINDINGS = bindings("detail")
    DEFAULT_CSS = """
    Detail {
        background: $surface;
        & DetailTab { display: none; height: 1fr; }
        & DetailTab.-shown { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._version: VersionAnswer | None = None
        self._note = ""
        """What to say where there is no version; nothing before anybody looked for one."""

    def compose(self) -> ComposeResult:
        """Compose the tabs and what is below them."""
        yield TabLine(_titles(None))
        for made in TABS:
            yield made(id=f"tab-{made.NAME}")

    @property
    def tabs(self) -> TabLine:
        """The row of tabs."""
        return self.query_one(TabLine)

    @property
    def shown(self) -> DetailTab:
        """The tab in sight."""
        return self.query_one(f"#tab-{self.tabs.chosen}", DetailTab)

    @property
    def version(self) -> VersionAnswer | None:
        """The version that is shown."""
        return self._version

    def show_version(self, version: VersionAnswer | None) -> None:
        """Show another version; None for none."""
        if version is not None and version == self._version:
            return
        self._version = version
        self._note = "there is no version under the cursor"
        self.tabs.show_titles(_titles(version))
        self._show()

    def registry_changed(self) -> None:
        """Read again what is in sight."""
        if self.display and self._version is not None:
            start(self, self._read_again, self._version, group="detail")

    def show_tab(self, name: str) -> None:
        """Bring a tab into sight."""
        self.tabs.choose(name)

    def focus_tab(self) -> None:
        """Go to what is in sight, and bring the detail into sight if it isn't."""
        self.screen.remove_class("-zoom-versions")
        if self._is_too_small:
            self.screen.add_class(ZOOMED)
        self.call_after_refresh(self.shown.focus_first)

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.id in {"detail.smooth", "detail.later", "detail.earlier"}:
            has_curves = self.shown.NAME == "metrics"
            return None if has_curves else "there are curves on the Metrics tab alone"
        if action.id == "detail.links" and self.shown.NAME != "overview":
            return "there is a card on the Overview tab alone"
        return None

    def do_next(self) -> None:
        """Go to the next tab."""
        self.tabs.move(1)

    def do_previous(self) -> None:
        """Go to the tab before."""
        self.tabs.move(-1)

    def do_back(self) -> None:
        """Go back: within the tab, out of the zoom, to the versions."""
        if self.shown.back():
            return
        if self.screen.has_class(ZOOMED):
            self.screen.remove_class(ZOOMED)
            if not self._is_too_small:
                return
        self._leave()

    def do_maximize(self) -> None:
        """Give the detail the whole screen, and back."""
        self.screen.remove_class("-zoom-versions")
        self.screen.toggle_class(ZOOMED)
        if self._is_too_small and not self.screen.has_class(ZOOMED):
            self._leave()

    def do_smooth(self) -> None:
        """Smooth the curves more, then not at all."""
        self.shown.smooth()

    def do_later(self) -> None:
        """Leave more of the curves' beginning out."""
        self.shown.zoom(1)

    def do_earlier(self) -> None:
        """Show more of the curves' beginning."""
        self.shown.zoom(-1)

    def do_links(self) -> None:
        """Choose a link of the card, and open it."""
        from regtui.tui.widgets.tabs.overview import OverviewTab

        self.query_one(OverviewTab).choose_link()

    @property
    def _is_too_small(self) -> bool:
        """Whether the screen has no room for it beside the versions."""
        return self.screen.has_class("-tiny")

    def _leave(self) -> None:
        self.call_after_refresh(cast("ModelsScreen", self.screen).versions.focus)

    # What happens

    @on(TabLine.Chosen)
    def _chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        had_focus = self.has_focus_within
        for tab in self.query(DetailTab):
            tab.set_class(event.id == tab.NAME, "-shown")
        if had_focus:
            self.shown.focus_first()
        self._show()

    def on_show(self) -> None:
        """Read what was not read while nobody could see it."""
        self._show()

    def _show(self) -> None:
        if self.display:
            start(self, self._fill, self._version, group="detail")

    async def _read_again(self, version: VersionAnswer) -> None:
        app = cast("RegtuiApp", self.app)
        try:
            found = await app.reader.read(lambda registry: registry.version(exact(version)))
        except (Superseded, NotFound):
            return  # the list is read anew as well, and shows what became of it
        except RegtuiError as error:
            app.show_error(error, quiet=True)
            return
        self._version = found
        self.tabs.show_titles(_titles(found))
        await self._fill(found)

    async def _fill(self, version: VersionAnswer | None) -> None:
        tab = self.shown
        if version is None:
            tab.clear(self._note)
            return
        try:
            await tab.show(version)
        except Superseded:
            return
        except RegtuiError as error:
            tab.clear(error.message)
            cast("RegtuiApp", self.app).show_error(error, quiet=True)


def _titles(version: VersionAnswer | None) -> list[TabTitle]:
    return [
        TabTitle(
            made.NAME,
            made.TITLE,
            made.SHORT or made.TITLE,
            None if version is None else made.count(version),
        )
        for made in TABS
    ]
