"""Overview: what one wants to know of a version first, and its model's card."""

from textual.app import ComposeResult
from textual.widgets import Markdown, Static

from regtui.registry.answers import VersionAnswer
from regtui.tui.widgets.tabs.base import DetailTab


class OverviewTab(DetailTab):
    """Facts and card."""

    NAME = "overview"
    TITLE = "Overview"

    def compose(self) -> ComposeResult:
        """Compose facts above the card."""
        yield Static("", classes="overview--facts")
        yield Markdown("", classes="overview--card")

    async def show(self, version: VersionAnswer | None) -> None:
        """Show a version."""
        self.query_one(".overview--facts", Static).update(
            "" if version is None else version.reference
        )
