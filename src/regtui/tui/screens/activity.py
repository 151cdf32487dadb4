"""Screen: activity."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from regtui.registry.answers import VersionAnswer
from regtui.tui.actions import bindings
from regtui.tui.screens.base import RegtuiScreen


class ActivityScreen(RegtuiScreen):
    """The activity screen."""

    NAME = "activity"
    SCOPES = ("activity",)
    BINDINGS = bindings("activity")

    def body(self) -> Iterable[Widget]:
        """Return the body."""
        yield Static("")

    def show_versions(self, versions: list[VersionAnswer]) -> None:
        """Show versions."""
