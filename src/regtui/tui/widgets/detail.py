"""The detail of the version under the cursor, in tabs.

Each tab reads what it shows when it is in sight, and only then: walking down a list reads one tab a
row. What it showed for another version stays till the new is here, so that nothing blinks.

A tab is made when it is chosen for the first time, its module loaded in a thread: eight tabs with
all that they need would take longer than everything else of the first screen.
"""

import asyncio
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from regtui.core.errors import NotFound, RegtuiError
from regtui.registry.answers import VersionAnswer
from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.background import in_background, start
from regtui.tui.reader import Superseded
from regtui.tui.widgets.tab_line import TabLine, TabTitle
from regtui.tui.widgets.tabs import TABS
from regtui.tui.widgets.tabs.base import DetailTab, exact

if TYPE_CHECKING:
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
        self._making: dict[str, asyncio.Task[DetailTab]] = {}
        """The tabs that are made, or on their way, by name."""

    def compose(self) -> ComposeResult:
        """Compose the row of tabs."""
        yield TabLine(_titles(None))

    @property
    def tabs(self) -> TabLine:
        """The row of tabs."""
        return self.query_one(TabLine)

    @property
    def shown(self) -> DetailTab:
        """The chosen tab; raises `NoMatches` while it is still made."""
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
        self.call_after_refresh(start, self, self._focus, group="focus")

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.id in {"detail.smooth", "detail.later", "detail.earlier"}:
            has_curves = self.tabs.chosen == "metrics"
            return None if has_curves else "there are curves on the Metrics tab alone"
        if action.id == "detail.links" and self.tabs.chosen != "overview":
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
        if any(tab.back() for tab in self._here):
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
        for tab in self._here:
            tab.smooth()

    def do_later(self) -> None:
        """Leave more of the curves' beginning out."""
        for tab in self._here:
            tab.zoom(1)

    def do_earlier(self) -> None:
        """Show more of the curves' beginning."""
        for tab in self._here:
            tab.zoom(-1)

    def do_links(self) -> None:
        """Choose a link of the card, and open it."""
        from regtui.tui.widgets.tabs.overview import OverviewTab

        for tab in self.query(OverviewTab):
            tab.choose_link()

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
        if self._is_asked or self.has_focus_within:
            start(self, self._turn, self.has_focus_within, group="turn")

    async def _turn(self, had_focus: bool) -> None:
        """Bring the chosen tab into sight; the one before stays there till it is ready."""
        chosen = await self._chosen_tab()
        for tab in self.query(DetailTab):
            tab.set_class(tab is chosen, "-shown")
        if had_focus:
            chosen.focus_first()
        self._show()

    async def _focus(self) -> None:
        (await self._chosen_tab()).focus_first()

    @property
    def _here(self) -> list[DetailTab]:
        """The tab in sight, where one is made already."""
        return [tab for tab in self.query(DetailTab) if self.tabs.chosen == tab.NAME]

    async def _chosen_tab(self) -> DetailTab:
        """Return the chosen tab, made now where it wasn't before.

        Whoever waits for it may be cancelled; the tab is made nevertheless, and only once.
        """
        name = self.tabs.chosen
        if name not in self._making:
            self._making[name] = asyncio.create_task(self._make(name))
        return await asyncio.shield(self._making[name])

    async def _make(self, name: str) -> DetailTab:
        kind = next(tab for tab in TABS if tab.name == name)
        made = (await in_background(kind.load))(id=f"tab-{name}")
        made.set_class(not self.query(DetailTab), "-shown")
        await self.mount(made)
        return made

    def on_show(self) -> None:
        """Read what was not read while nobody could see it."""
        self._show()

    @property
    def _is_asked(self) -> bool:
        """Whether there is something to show; the first rows come before any tab."""
        return self._version is not None or self._note != ""

    def _show(self) -> None:
        if self.display and self._is_asked:
            start(self, self._fill, self._version, group="detail")

    async def _read_again(self, version: VersionAnswer) -> None:
        try:
            found = await self.regtui.reader.read(lambda registry: registry.version(exact(version)))
        except (Superseded, NotFound):
            return  # the list is read anew as well, and shows what became of it
        except RegtuiError as error:
            self.regtui.show_error(error, quiet=True)
            return
        self._version = found
        self.tabs.show_titles(_titles(found))
        await self._fill(found)

    async def _fill(self, version: VersionAnswer | None) -> None:
        tab = await self._chosen_tab()
        if version is None:
            tab.clear(self._note)
            return
        try:
            await tab.show(version)
        except Superseded:
            return
        except RegtuiError as error:
            tab.clear(error.message)
            self.regtui.show_error(error, quiet=True)


def _titles(version: VersionAnswer | None) -> list[TabTitle]:
    return [
        TabTitle(
            tab.name,
            tab.title,
            tab.short or tab.title,
            None if version is None or tab.count is None else tab.count(version),
        )
        for tab in TABS
    ]
