"""Screen: compare."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from regtui.registry.answers import VersionAnswer
from regtui.tui.actions import bindings
from regtui.tui.screens.base import RegtuiScreen


class CompareScreen(RegtuiScreen):
    """The compare screen."""

    NAME = "compare"
    SCOPES = ("compare",)
    BINDINGS = bindings("compare")

    def body(self) -> Iterable[Widget]:
        """Return the body."""
        yield Static("")

    def show_versions(self, versions: list[VersionAnswer]) -> None:
        """Show versions."""
